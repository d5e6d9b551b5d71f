"""Hostile prompt sets: each is refused in one line or rendered, with little time and memory."""

from __future__ import annotations

import json
import os
import re
import resource
import time
from pathlib import Path
from typing import Any

import pytest

from census_personas.prompts.lint import lint
from census_personas.prompts.template import PromptSet

SHIPPED = PromptSet.load("en_US").folder
SECONDS, BYTES = 1.0, 200 * 2**20
LONG = "a" * 30_000


def user(text: str) -> str:
    return f"{{% block user %}}{text}{{% endblock %}}"


def loops(values: str, inner: str, depth: int = 2) -> str:
    """Return nested loops over `values`."""
    names = "abcdefgh"[:depth]
    return "".join(f"{{% for {n} in {values} %}}" for n in names) + inner + "{% endfor %}" * depth


def listed(count: int, text: str = "1") -> str:
    return "[" + ", ".join([text] * count) + "]"


def field(name: str, **values: Any) -> str:
    return json.dumps({"name": name, "kind": "text", "description": "d", "min": 1, "max": 9, **values})


def front(*fields: str, more: str = "") -> str:
    return f"---\nfields: [{', '.join(fields)}]\n{more}\n---\n"


def bomb(levels: int, width: int) -> str:
    lines = ["a0: &a0 lol"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


SAMPLE = (SHIPPED / "sample.yaml").read_text()
# Files of a set by name: a text by itself is the judge's.
CASES: dict[str, str | dict[str, str]] = {
    # Loops
    "loops over long constants": user(loops(f"'{LONG}'", "")),
    "loops over a long list": user(loops(listed(190), "{{ a }}")),
    "loops over a list and a text": user(
        f"{{% for a in '{LONG}' %}}{{% for b in {listed(150)} %}}"
        "{% if a == b %}x{% endif %}{% endfor %}{% endfor %}"
    ),
    "a loop within a loop's condition": user(f"{{% for a in '{LONG}' if a in '{LONG[:20000]}b' %}}x{{% endfor %}}"),
    "loops in a row": user(loops(f"'{'a' * 900}'", "") * 30),
    "loops three deep": user(loops("traits", "", 3)),
    "loops fifty deep": user(loops("traits", "", 8) * 8),
    "a loop over a long list of facts": {
        "judge.j2": user(loops("many", "x")),
        "sample.yaml": SAMPLE + "many: [" + "1," * 4000 + "]\n",
    },
    "a loop over the letters of long facts": {
        "judge.j2": user(loops("long", "")),
        "sample.yaml": SAMPLE + f"long: {LONG}\n",
    },
    "a recursive loop": user("{% for a in traits recursive %}{{ loop(a) }}{% endfor %}"),
    "a loop that unpacks a text": user("{% for a, b in first_name %}{{ a }}{% endfor %}"),
    "a loop that unpacks mappings": user("{% for a, b in traits %}{{ a }}{% endfor %}"),
    "a loop over a number": user("{% for a in age %}{{ a }}{% endfor %}"),
    "a loop named loop": user("{% for loop in traits %}x{% endfor %}"),
    "a loop in guidance": {
        "narratives/arts.j2": front(field("arts_persona")) + loops(f"'{'a' * 3000}'", "")
    },
    # Comparisons
    "in over a long constant": user(loops("'" + "a" * 300 + "'", f"{{{{ 'b' in '{LONG}' }}}}")),
    "in over a long list": user(loops("'" + "a" * 300 + "'", f"{{{{ 'b' in {listed(180, repr('c'))} }}}}")),
    "in over long lists of long texts": {
        "judge.j2": user(loops("'" + "a" * 90 + "'", "{{ long ~ 'x' in many }}")),
        "sample.yaml": SAMPLE + f"long: &l {'a' * 900}\nmany: [{'*l, ' * 60}]\n",
    },
    "a search that goes back": {
        "judge.j2": user(loops("'" + "a" * 100 + "'", "{% if part in long %}x{% endif %}")),
        "sample.yaml": SAMPLE + f"long: {LONG}\npart: {'a' * 5000}b{'a' * 5000}\n",
    },
    "equality of long lists": user(
        loops("'" + "a" * 300 + "'", f"{{{{ {listed(90)} == {listed(90)} }}}}")
    ),
    "equality of long texts": {
        "judge.j2": user(loops("'" + "a" * 300 + "'", "{% if long ~ '' == long %}x{% endif %}")),
        "sample.yaml": SAMPLE + f"long: {LONG}\n",
    },
    "a chain of comparisons": user("{{ " + " < ".join(map(str, range(150))) + " }}"),
    "a long chain of comparisons": user("{{ " + " < ".join(map(str, range(9000))) + " }}"),
    "a comparison of a text and a number": user("{% if first_name < 3 %}x{% endif %}"),
    "in a number": user("{% if 3 in age %}x{% endif %}"),
    "a choice of many": user("{% if age == 0 %}" + "{% elif age == 1 %}x" * 3000 + "{% endif %}"),
    "a choice of two hundred": user("{% if age == 0 %}" + "{% elif age == 1 %}x" * 200 + "{% endif %}"),
    "a long or": user("{{ " + " or ".join(["county"] * 9000) + " }}"),
    # Growth
    "a text times a number": user("{{ 'a' * 10**9 }}"),
    "a tower of powers": user("{{ 9 ** 9 ** 9 ** 9 }}"),
    "a long chain of ~": user("{{ " + " ~ ".join(["first_name"] * 9000) + " }}"),
    "~ of long facts": {
        "judge.j2": user("{{ (" + " ~ ".join(["long"] * 150) + ") | length }}"),
        "sample.yaml": SAMPLE + f"long: {LONG}\n",
    },
    "~ of ~": user("{{ " + "(first_name ~ " * 15 + "'a'" + ")" * 15 + " }}"),
    "a long text printed often": {
        "judge.j2": user("{{ long }}" * 5000),
        "sample.yaml": SAMPLE + f"long: {LONG}\n",
    },
    "a large mapping printed often": {
        "judge.j2": user("{{ many }}" * 5000),
        "sample.yaml": SAMPLE + 'many: ["' + '", "'.join(["\\U000e0001" * 100] * 20) + '"]\n',
    },
    "join by a long text": {
        "judge.j2": user("{{ many | join(long) | length }}"),
        "sample.yaml": SAMPLE + f"long: {LONG}\nmany: [{'1,' * 3000}]\n",
    },
    "join of a text": user("{{ first_name | join }}"),
    "join of joins": user(loops("'" + "a" * 300 + "'", "{{ skills_and_expertise_list | join | join }}")),
    "a format": user("{{ '%1000000000d' | format(1) }}"),
    "a format by %": user("{{ '%1000000000d' % 1 }}"),
    "center": user("{{ first_name | center(10**9) }}"),
    "center without a power": user("{{ first_name | center(1000000000) }}"),
    "indent": user("{{ first_name | indent(1000000000, true) }}"),
    "batch": user("{{ first_name | batch(1000000000, ' ') | list }}"),
    "replace": user("{{ first_name | replace('', first_name) }}"),
    "a range": user("{% for a in range(1000000000) %}{% endfor %}"),
    "lipsum": user("{{ lipsum(1000000) }}"),
    "a cycler": user("{{ cycler('a').next() }}"),
    "a joiner": user("{{ joiner('a')() }}"),
    "a namespace": user("{% set n = namespace(a=1) %}{{ n.a }}"),
    "a set": user("{% set a = first_name %}{{ a }}"),
    "a macro that calls itself": user("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
    "a call block": user("{% call first_name() %}{% endcall %}"),
    "a filter block": user("{% filter upper %}a{% endfilter %}"),
    "a with": user("{% with a = 1 %}{{ a }}{% endwith %}"),
    "autoescape": user("{% autoescape true %}a{% endautoescape %}"),
    "a slice": user("{{ first_name[::-1] }}"),
    "strip of many letters": user(loops("'" + "a" * 200 + "'", "{{ first_name | trim('" + "b" * 20_000 + "') }}")),
    # Nesting and length
    "brackets": user("{{ " + "(" * 9000 + "1" + ")" * 9000 + " }}"),
    "brackets forty deep": user("{{ " + "(" * 40 + "1" + ")" * 40 + " }}"),
    "lists in lists": user("{{ " + "[" * 9000 + "]" * 9000 + " }}"),
    "not not not": user("{{ " + "not " * 9000 + "1 }}"),
    "not three hundred times": user("{{ " + "not " * 300 + "1 }}"),
    "minus minus minus": user("{{ " + "-" * 9000 + "1 }}"),
    "items of items": user("{{ first_name" + ".a" * 9000 + " }}"),
    "items a hundred deep": user("{{ first_name" + ".a" * 100 + " }}"),
    "filters on filters": user("{{ first_name" + "|upper" * 9000 + " }}"),
    "filters sixty deep": user("{{ first_name" + "|upper" * 60 + " }}"),
    "choices in choices": user("{% if age %}" * 3000 + "x" + "{% endif %}" * 3000),
    "choices a hundred deep": user("{% if age %}" * 100 + "x" + "{% endif %}" * 100),
    "inline choices": user("{{ " + "1 if age else " * 3000 + "2 }}"),
    "many tags": user("{{age}}" * 9000),
    "many tags with names of their own": user("".join(f"{{{{a{n}}}}}" for n in range(6000))),
    "many choices in a row": user("{% if age %}{% endif %}x" * 2500),
    "many empty tags": user("{% if 1 %}{% endif %}" * 2900),
    "many comments": user("{# #}" * 12_000 + "x"),
    "a comment that does not end": user("x") + "{#" * 30_000,
    "many openings": "{{" * 30_000,
    "many raws": user("{% raw %}{% endraw %}" * 2500 + "x"),
    "spaces in a tag": "{%" + " " * 60_000,
    "quotes that do not end": user("{{ " + "'a' \"" * 12_000),
    "backslashes that do not end": user("{{ '" + "\\" * 60_000),
    "a long number": user("{{ " + "1" * 60_000 + " }}"),
    "a long number in sixteens": user("{{ 0x" + "f" * 60_000 + " }}"),
    "a long number with underscores": user("{{ " + "1_" * 30_000 + "1e }}"),
    "an infinite number": user("{{ 1e999 }}"),
    "a name of many letters": user("{{ " + "a" * 60_000 + " }}"),
    "a text of sixty thousand": "a" * 70_000,
    # Partials
    "partials multiply": {
        "_big.j2": "{{ age }}" * 2000,
        "judge.j2": user("{% include '_big.j2' %}" * 2000),
    },
    "partials multiply text": {
        "_big.j2": "a" * 60_000,
        "judge.j2": user("{% if age == 1 %}" + "{% include '_big.j2' %}" * 1000 + "{% endif %}x"),
    },
    "partials multiply in many templates": {
        "_big.j2": "{{ age }}" * 3000,
        **{f"more{n}.j2": user("{% include '_big.j2' %}") for n in range(60)},
    },
    "partials multiply loops": {
        "_big.j2": loops("'" + "a" * 300 + "'", "") * 20,
        "judge.j2": user("{% include '_big.j2' %}" * 20),
    },
    "a partial that includes itself": {
        "_self.j2": "{% include '_self.j2' %}",
        "judge.j2": user("{% include '_self.j2' %}"),
    },
    "a partial with a block": {"_b.j2": user("x"), "judge.j2": user("{% include '_b.j2' %}")},
    "an include without context": user("{% include '_rules.j2' without context %}"),
    "an include of any of a list": user("{% include ['_rules.j2'] %}"),
    "an extends": "{% extends 'attributes.j2' %}",
    "a block in a block": user("{% block system %}x{% endblock %}"),
    "a block twice": user("x") + user("x"),
    "a required block": "{% block user required %}{% endblock %}",
    "a block in a narrative": {"narratives/arts.j2": front(field("arts_persona")) + user("x")},
    # Texts and reach
    "half a character": user('{{ "\\ud800" }}'),
    "half a character as an item": user('{{ labels["\\ud800"] }}'),
    "an item that a terminal obeys": user('{{ labels["\\x1b]0;x\\x07\\n\\u202e"] }}'),
    "a name of other letters": user("{{ ﬁrst_name }}"),
    "an unknown filter in a branch": user("{% if age == 1 %}{{ age | nonsense }}{% endif %}x"),
    "an unknown test in a branch": user("{% if age == 1 %}{{ age is nonsense }}{% endif %}x"),
    "a filter of the engine": user("{{ age | _enter }}"),
    "a tag of nobody": user("{% frobnicate %}"),
    "loop outside a loop": user("{{ loop.index }}"),
    "self": user("{{ self.user() }}"),
    "a class": user("{{ first_name.__class__.__mro__ }}"),
    "an await": user("{{ await x }}"),
    "a list as a key": user("{{ labels[[1]] }}"),
    "a place far out": user("{{ skills_and_expertise_list[99999999999999999] }}"),
    "an unpacking call": user("{{ first_name(*traits, **labels) }}"),
    # Front matter and YAML
    "aliases in the sample": {"sample.yaml": SAMPLE + bomb(9, 9)},
    "aliases in the wording": {"wording.yaml": bomb(12, 12)},
    "aliases in front matter": {"judge.j2": "---\n" + bomb(12, 12) + "\n---\n" + user("x")},
    "aliases of a long text": {"wording.yaml": f"a: &a {LONG}\nb: [{'*a, ' * 900}]"},
    "a value that contains itself": {"wording.yaml": "a: &a [*a]"},
    "merged keys that multiply": {
        "wording.yaml": "a0: &a0 {k: 1}\n"
        + "\n".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 9))
    },
    "deep YAML": {"wording.yaml": "[" * 5000},
    "deep blocks of YAML": {"wording.yaml": "".join(" " * n + "a:\n" for n in range(300))},
    "many values": {"wording.yaml": "a: [" + "1," * 30_000 + "]"},
    "a number in sixties": {"wording.yaml": "a: 1" + ":1" * 30_000},
    "a long YAML file": {"wording.yaml": "a: " + "b" * 300_000},
    "a scale of a million": {"judge.j2": front(field("a", kind="score", max=999_999)) + user("x")},
    "a text of a million": {"judge.j2": front(field("a", max=999_999)) + user("x")},
    "a thousand fields": {"judge.j2": front(*(field(f"a{n}") for n in range(700))) + user("x")},
    "fields of many narratives": {
        f"narratives/n{n}.j2": front(field(f"n{n}_persona")) + "x" for n in range(90)
    },
    "many templates": {f"more{n}.j2": user("x") for n in range(300)},
    "a description that is no text": {"judge.j2": front(field("a", description={"b": 1})) + user("x")},
    "a description of a page": {"judge.j2": front(field("a", description="d" * 9000)) + user("x")},
    "guides that are long together": {
        **{f"narratives/n{n}.j2": front(field(f"n{n}_persona")) + "a" * 10_000 for n in range(9)},
        "personas.j2": "---\nnarratives: [n0, n1, n2, n3, n4, n5, n6, n7, n8]\n---\n"
        + user("{% for field in fields %}{{ field.guidance }}{% endfor %}"),
    },
    "a repair that cannot be rendered": {
        "repair.j2": user("{{ first_name }}{% for field in fields %}{{ field.name | join }}{% endfor %}")
    },
}  # fmt: skip
PLAIN = {
    "attributes.j2": front(field("cultural_background")) + user("{{ first_name }}"),
    "personas.j2": front(field("summary_persona"), more="narratives: [arts]") + user("{{ first_name }}"),
    "repair.j2": user("{{ first_name }}"),
    "judge.j2": user("{{ first_name }}"),
    "_rules.j2": "Be kind.",
    "narratives/arts.j2": front(field("arts_persona")) + "Angle.",
    "sample.yaml": SAMPLE,
    **{name: (SHIPPED / name).read_text() for name in ("wording.yaml", "personality.yaml")},
}


# What bounds alone make harmless.
RENDERED = {"a chain of comparisons", "~ of long facts", "~ of ~", "many comments", "many raws"}


CASES |= {
    "an escape sequence in a template": PLAIN["judge.j2"].rstrip("\n") + "\x1b[31m\n",
    "a NUL in a template": PLAIN["judge.j2"].rstrip("\n") + "\0\n",
    "a narrative that asks for nothing": {"narratives/empty.j2": "Say nothing.\n"},
    "a narrative without a letter": {"narratives/empty.j2": ""},
}


@pytest.fixture
def folder(tmp_path: Path, case: str) -> Path:
    """Write a small set with the files of a case."""
    folder = tmp_path / "mine"
    (folder / "narratives").mkdir(parents=True)
    files = CASES[case]
    for name, text in (PLAIN | ({"judge.j2": files} if isinstance(files, str) else files)).items():
        (folder / name).write_text(text)
    return folder


def checked(folder: Path) -> tuple[list[str], float]:
    """Faults of a set, and seconds; in a process of its own, whose memory may grow by `BYTES`.

    What the linter lets pass is then loaded and rendered, as a run does.
    """
    read, write = os.pipe()
    if not (child := os.fork()):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + BYTES,) * 2)
        start = time.process_time()
        try:
            faults = [*lint(folder)]
            seconds = time.process_time() - start
            faults += [] if faults else run(folder)
        except BaseException as error:  # noqa: BLE001  whatever it is, the test says so
            faults, seconds = [f"raised {type(error).__name__}: {error}"], 0
        with os.fdopen(write, "w") as pipe:
            json.dump([faults, seconds], pipe)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    faults, seconds = json.loads(text)
    return faults, seconds


def run(folder: Path) -> list[str]:
    prompts = PromptSet.load(folder)
    for template in prompts.templates.values():
        template.render(prompts.words("sample"))
    return []


@pytest.mark.parametrize("case", CASES)
def test_hostile_set_is_refused_or_rendered(folder: Path, case: str) -> None:
    faults, seconds = checked(folder)
    assert seconds < SECONDS
    assert not any(fault.startswith("raised") or len(fault) > 1500 for fault in faults)
    assert all(
        re.match(rf"{re.escape(str(folder))}(/[a-z0-9_/]+(\.(j2|yaml))?)?:", fault) for fault in faults
    )
    assert all(fault.isprintable() for fault in faults)
    assert (faults == []) == (case in RENDERED)
