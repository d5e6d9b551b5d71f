"""Templates are strict and bounded, and can read only the facts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from census_personas.prompts.lint import lint
from census_personas.prompts.template import PromptSet, TemplateError

pytestmark = pytest.mark.quick

SHIPPED = Path(PromptSet.load("en_US").folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "mine"
    shutil.copytree(SHIPPED, copy)
    return copy


@pytest.fixture
def sample() -> dict[str, Any]:
    words: dict[str, Any] = PromptSet.load("en_US").words("sample")
    return words


def user(text: str) -> str:
    return f"{{% block user %}}{text}{{% endblock %}}"


def rendered(folder: Path, text: str, facts: dict[str, Any]) -> str:
    (folder / "judge.j2").write_text(user(text))
    return PromptSet.load(folder).templates["judge"].render(facts)[0]["content"]


GUIDES = {
    "a fact": "{{ first_name }}",
    "a fact within a fact": "{{ labels.first }}",
    "a number": "{{ age }}",
    "a choice": "{% if first_name == 'Ann' %}she{% else %}he{% endif %}",
    "a loop": "{% for friend in friends %}{{ friend }}{% endfor %}",
    "a loop over a name that is a fact too": "{{ first_name }}{% for first_name in friends %}{% endfor %}",
    "a place in a list": "{{ friends[0] }}",
}


@pytest.mark.parametrize("text", GUIDES.values(), ids=GUIDES)
def test_guidance_follows_the_person(folder: Path, sample: dict[str, Any], text: str) -> None:
    guide = folder / "narratives" / "sports.j2"
    guide.write_text(guide.read_text().rpartition("---\n")[0] + f"---\nMark {text} mark.")

    def people() -> list[dict[str, Any]]:
        named = [("Ann", 40), ("Bob", 41), ("Cy", True), ("Di", 1), ("Ed", 1.0)]
        return [
            {
                **sample,
                "first_name": name,
                "age": age,
                "labels": {**sample["labels"], "first": name},
                "friends": [name],
            }
            for name, age in named
        ]

    def told(prompts: PromptSet, person: dict[str, Any]) -> str:
        content = prompts.templates["personas"].render(person)[1]["content"]
        return content[content.index("Mark ") : content.index(" mark.")]

    prompts = PromptSet.load(folder)
    alone = [told(PromptSet.load(folder), person) for person in people()]
    assert [told(prompts, person) for person in people()] == alone
    assert [told(prompts, person) for person in reversed(people())] == alone[::-1]


def test_shipped_set_is_sound() -> None:
    assert lint("en_US") == ()


def test_set_renders_both_messages(sample: dict[str, Any]) -> None:
    messages = PromptSet.load("en_US").templates["personas"].render(sample)
    assert [message["role"] for message in messages] == ["system", "user"]


@pytest.mark.parametrize("call", ["attributes", "personas"])
def test_every_call_includes_every_fact(call: str, sample: dict[str, Any]) -> None:
    told = PromptSet.load("en_US").templates[call].render(sample)[1]["content"]
    lines = [
        "- Name: Ruth Castellano",
        "- Sex: Female",
        "- Age: 47",
        "- Heritage: White",
        "- Marital status: married",
        "- Education: bachelor's degree",
        "- Field of degree: a science- or engineering-related field",
        "- Work: works as a registered nurse",
        "- Home: Dayton, Ohio",
        "- Openness: high (58",
    ]
    assert [line for line in lines if line not in told] == []


@pytest.mark.parametrize("call", ["attributes", "personas", "repair"])
def test_shared_text_comes_first(call: str, sample: dict[str, Any]) -> None:
    prompts = PromptSet.load("en_US")
    system = prompts.templates[call].render(sample)[0]["content"]
    assert system == prompts.templates["attributes"].render(sample | {"first_name": "Ana"})[0]["content"]
    assert "Ruth" not in system
    for field in (*prompts.templates["attributes"].fields, *prompts.templates["personas"].fields):
        assert f"- {field.name}: {field.description}" in system


@pytest.mark.parametrize("call", ["personas", "repair"])
def test_continuation_repeats_no_fact(call: str, sample: dict[str, Any]) -> None:
    template = PromptSet.load("en_US").templates[call]
    more = template.render_next(sample)
    assert template.can_continue
    assert more["role"] == "user"
    assert "Facts" not in more["content"]


def test_set_needs_a_block_to_continue(folder: Path) -> None:
    text = (folder / "personas.j2").read_text()
    (folder / "personas.j2").write_text(text[: text.index("{% block next %}")])
    assert not PromptSet.load(folder).templates["personas"].can_continue


def test_linter_reads_the_next_block(folder: Path) -> None:
    text = (folder / "personas.j2").read_text()
    (folder / "personas.j2").write_text(text.replace("{% block next %}", "{% block next %}{{ frist_name }}"))
    assert "frist_name" in lint(folder)[0]


def test_schema_follows_the_front_matter() -> None:
    template = PromptSet.load("en_US").templates["attributes"]
    schema = template.schema
    assert schema["required"] == [field.name for field in template.fields]
    assert schema["properties"]["skills_and_expertise_list"]["type"] == "array"
    assert schema["properties"]["cultural_background"]["maxLength"] == 2000


def test_narrative_is_one_file(folder: Path, sample: dict[str, Any]) -> None:
    text = (
        "---\nfields:\n  - {name: garden_persona, kind: text, description: Gardens., min: 10, max: 90}\n"
        "---\nOnly in {{ city }}."
    )
    (folder / "narratives" / "garden.j2").write_text(text)
    template = PromptSet.load(folder, narratives=["garden"]).templates["personas"]
    assert "garden_persona" in template.schema["required"]
    assert "Only in Dayton." in template.render(sample)[1]["content"]


def test_narratives_may_share_openings(folder: Path) -> None:
    for number in range(12):
        text = (
            f"---\nfields: [{{name: more_{number}, kind: text, description: x, min: 1, max: 9}}]\n---\nMore."
        )
        (folder / "narratives" / f"more{number}.j2").write_text(text)
    assert lint(folder) == ()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "wording.yaml",
            "a: 1\na: 2",
            "wording.yaml: line 2: key 'a' is given twice, first in line 1; keep one",
        ),
        ("wording.yaml", "a: 2024-13-45", "wording.yaml: line 1: '2024-13-45' is malformed"),
        ("wording.yaml", "[" * 5000, "wording.yaml: line 1: nested more than 50 deep"),
        ("wording.yaml", "- a", "wording.yaml: give a mapping of keys to values, not a list"),
        (
            "personas.j2",
            "---\nfields: []\nfields: []\n---\n",
            "personas.j2: front matter: line 3: key 'fields' is given twice, first in line 2",
        ),
        ("personas.j2", "---\nnarratives: 3\n---\n", "personas.j2:1: narratives is a list of texts, got 3"),
        (
            "personas.j2",
            "---\nfields: [{name: a, kind: text, description: x, min: yes, max: 9}]\n---\n",
            "field a: min True and max 9 must be",
        ),
        (
            "personas.j2",
            "---\nfields: [{name: skills_and_expertise, kind: text, description: x, min: 1, max: 9}]\n---\n"
            + user("Write."),
            "field 'skills_and_expertise' is declared twice, as 'skills_and_expertise' in attributes.j2 too",
        ),
    ],
)
def test_invalid_yaml_is_one_line(folder: Path, file: str, text: str, said: str) -> None:
    (folder / file).write_text(text)
    faults = lint(folder)
    assert len(faults) == 1
    assert said in faults[0]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("wording.yaml", "times:", "timez:", "wording.yaml: times is missing; every set needs it"),
        (
            "wording.yaml",
            "retired_from: 62",
            "retired_from: old",
            "work.retired_from should be a valid integer",
        ),
        ("wording.yaml", "- to: 22", "- to: [1]", "life_stages.0.to should be a valid integer, not [1]"),
        (
            "wording.yaml",
            "object: her",
            "object: 3",
            "pronouns.Female.object should be a valid string, not 3",
        ),
        ("personality.yaml", "  high: high", "  hi: high", "personality.yaml: labels.high is missing"),
        ("personality.yaml", "facets:", "facets: [a]\nothers:", "facets should be a valid dictionary"),
    ],
)
def test_unusable_wording_is_refused(folder: Path, file: str, old: str, new: str, said: str) -> None:
    (folder / file).write_text((folder / file).read_text().replace(old, new, 1))
    faults = lint(folder)
    assert len(faults) == 1
    assert said in faults[0]
    with pytest.raises(TemplateError, match="yaml: "):
        PromptSet.load(folder)


def test_odd_sample_keys_are_explained(folder: Path) -> None:
    (folder / "sample.yaml").write_text("1: a\n2.5: b\nnull: c\n")
    assert all("unknown variables" in line for line in lint(folder))


@pytest.mark.parametrize("name", ["", "x" * 300, "/dev/null", "en_US\n", "\x1b[31m", "x/" * 2000])
def test_odd_folder_name_is_unknown(name: str) -> None:
    with pytest.raises(TemplateError, match="unknown prompt set") as raised:
        lint(name)
    assert len(str(raised.value)) < 200


def test_linter_renders_what_a_run_sends(folder: Path) -> None:
    asks = folder / "_narratives.j2"
    asks.write_text(asks.read_text().replace("{{ field.guidance }}", "{{ field.guidance }}" * 30))
    for name in ("arts", "sports"):
        file = folder / "narratives" / f"{name}.j2"
        file.write_text(file.read_text() + "x" * 1000)
    faults = lint(folder)
    assert [f"{asks}:" in line and "longer than 64000" in line for line in faults] == [True]
    assert lint(folder, without=["arts"]) == ()


def test_narrative_is_added_by_name() -> None:
    fields = [field.name for field in PromptSet.load("en_US", ["finance"]).templates["personas"].fields]
    assert fields[-1] == "finance_persona"
    assert len(fields) == 7


def test_partial_sees_its_surroundings(folder: Path) -> None:
    (folder / "_item.j2").write_text("{{ loop.index }} {{ item }} of {{ whose }}\n")
    text = '{% for item in items %}\n{% include "_item.j2" %}\n{% endfor %}end'
    assert rendered(folder, text, {"items": ["a", "b"], "whose": "mine"}) == "1 a of mine\n2 b of mine\nend"


def test_blocks_with_facts_vary(folder: Path) -> None:
    (folder / "_who.j2").write_text("{{ first_name }}")
    told = '{% include "_who.j2" %}'
    (folder / "judge.j2").write_text(f"{{% block system %}}Rules{{% endblock %}}{user(told)}")
    judge = PromptSet.load(folder).templates["judge"]
    said = [[message["content"] for message in judge.render({"first_name": name})] for name in ("Ann", "Bo")]
    assert said == [["Rules", "Ann"], ["Rules", "Bo"]]


def test_missing_variables_are_named(folder: Path) -> None:
    text = "\n{{ first_name }} {{ surname }}\n{{ labels.shoe_size }}"
    with pytest.raises(TemplateError) as raised:
        rendered(folder, text, {"first_name": "Ruth", "labels": {}})
    assert "surname (judge.j2:2)" in str(raised.value)
    assert "labels.shoe_size (judge.j2:3)" in str(raised.value)
    assert "known: first_name, labels" in str(raised.value)


def test_narrative_has_its_declared_angles(folder: Path) -> None:
    shipped = (folder / "narratives" / "sports.j2").read_text()
    (folder / "narratives" / "music.j2").write_text(shipped.replace("sports_persona", "music_persona"))
    assert lint(folder) == ()
    (folder / "narratives" / "music.j2").write_text(
        shipped.replace("sports_persona", "music_persona").replace("\nangles:", "\nnarratives:")
    )
    assert ["grounding.angles.music_persona (music.j2" in line for line in lint(folder)] == [True]


def test_linter_checks_untaken_branches(folder: Path) -> None:
    (folder / "judge.j2").write_text(user('{{ age }}{% if state == "XX" %}{{ planet }}{% endif %}'))
    assert [line for line in lint(folder) if "planet (judge.j2:1)" in line]


def test_line_numbers_start_at_the_top(folder: Path) -> None:
    (folder / "judge.j2").write_text("---\nfields: []\n---\n{% block user %}\n{{ nobody }}{% endblock %}")
    with pytest.raises(TemplateError, match=r"nobody \(judge.j2:5\)"):
        PromptSet.load(folder).templates["judge"].render({})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ first_name.upper() }}", "call"),
        ("{% set a = 1 %}", "set"),
        ("{{ 'a' * 1000000 }}", "mul"),
        ("{{ 9 ** 9 ** 9 ** 9 }}", "pow"),
        ("{% macro m() %}{% endmacro %}", "macro"),
        ("{% import 'judge.j2' as j %}", "import"),
        ("{% include first_name %}", "include"),
        ("{% include 'judge.j2' %}", "include"),
        ("{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}", "nested"),
        ("{{ ''.__class__ }}", "unknown variables|no attribute|undefined"),
        ("{{ first_name | center(999999999) }}", "center"),
        ("{{ first_name | replace('a', 'b') }}", "replace"),
        ("{{ first_name | join }}", "join needs a list"),
        ("{{ x | join(first_name) }}", "join takes a text in quotation marks"),
        ("{% block extra %}{% endblock %}", "block 'extra' is unknown"),
        ("{% if %}", ":1:"),
        ("{{ x" + ".a" * 20_000 + " }}", "more than 400 parts"),
        ("{{ " + "(" * 20_000 + "x" + ")" * 20_000 + " }}", "nested more than 16 deep"),
    ],
)
def test_untrusted_template_is_limited(folder: Path, text: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=f"(?i){reason}") as raised:
        rendered(folder, text, {"first_name": "Ruth", "x": [1]})
    assert "judge.j2" in str(raised.value)


@pytest.mark.parametrize(
    "path", ["first_name.__class__", "facts.keys", "facts.items", "items.append", "age.real"]
)
def test_dot_never_reads_an_attribute(folder: Path, path: str) -> None:
    facts = {"first_name": "Ruth", "facts": {"a": 1}, "items": [1], "age": 3}
    with pytest.raises(TemplateError, match=r"judge\.j2"):
        rendered(folder, f"{{{{ {path} }}}}", facts)


def test_output_is_bounded(folder: Path) -> None:
    with pytest.raises(TemplateError, match="64000 characters"):
        rendered(
            folder,
            "{% for a in x %}{% for b in x %}{{ a }}{{ b }}{% endfor %}{% endfor %}",
            {"x": ["y" * 9] * 99},
        )


def test_template_is_bounded(folder: Path) -> None:
    with pytest.raises(TemplateError, match="more than 64000 characters"):
        rendered(folder, "a" * 70_000, {})


def test_stray_text_is_refused(folder: Path) -> None:
    (folder / "judge.j2").write_text("Hello.\n" + user("x"))
    with pytest.raises(TemplateError, match=r"judge.j2:1: is outside"):
        PromptSet.load(folder)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("fields: 3", "fields is a list"),
        ("fields: [{name: a}]", "missing key 'kind'"),
        ("fields: [{name: a b, kind: text, description: d, min: 1, max: 2}]", "not a column name"),
        ("fields: [{name: a, kind: number, description: d, min: 1, max: 2}]", "known: text, list"),
        ("fields: [{name: a, kind: text, description: d, min: 3, max: 2}]", "min 3 and max 2"),
        ("feilds: []", "unknown front matter 'feilds'"),
        ("fields: [", "not valid YAML"),
    ],
)
def test_faulty_front_matter_is_named(folder: Path, head: str, reason: str) -> None:
    (folder / "judge.j2").write_text(f"---\n{head}\n---\n{user('x')}")
    with pytest.raises(TemplateError, match=reason) as raised:
        PromptSet.load(folder)
    assert "judge.j2" in str(raised.value)


def test_unknown_set_lists_the_known_ones() -> None:
    with pytest.raises(TemplateError, match="unknown prompt set 'fr_XX'; known: en_US"):
        PromptSet.load("fr_XX")


@pytest.mark.parametrize("name", ["../attributes", "nonsense"])
def test_unknown_narrative_lists_known(name: str) -> None:
    with pytest.raises(TemplateError, match=r"unknown narrative .*finance"):
        PromptSet.load("en_US", [name])


def test_missing_template_is_named(folder: Path) -> None:
    (folder / "repair.j2").unlink()
    with pytest.raises(TemplateError, match=r"a prompt set needs repair.j2"):
        PromptSet.load(folder)


def test_digest_covers_every_prompt_text(folder: Path) -> None:
    before = PromptSet.load(folder).digest
    assert before == PromptSet.load("en_US").digest
    for name in ("_task.j2", "wording.yaml", "narratives/arts.j2"):
        (folder / name).write_text((folder / name).read_text() + "\n")
        after = PromptSet.load(folder).digest
        assert after != before
        before = after


def test_digest_covers_used_files(folder: Path) -> None:
    before = PromptSet.load(folder).digest
    for name in ("sample.yaml", "narratives/finance.j2"):
        (folder / name).write_text((folder / name).read_text() + "\n")
    assert PromptSet.load(folder).digest == before


def test_missing_wording_lists_keys() -> None:
    with pytest.raises(TemplateError, match=r"wording.yaml: no 'pronouns.Robot'; known: Female, Male"):
        PromptSet.load("en_US").words("wording", "pronouns", "Robot")


def test_repair_asks_for_failing_fields(sample: dict[str, Any]) -> None:
    prompts = PromptSet.load("en_US")
    last = prompts.templates["personas"].fields[-1:]
    repair = prompts.templates["repair"].asking(last)
    assert repair.schema["required"] == ["persona"]
    assert "lacks the full name" in repair.render(sample)[1]["content"]
