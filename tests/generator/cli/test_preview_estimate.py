"""`personas preview`, `check` and `prompts check`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from census_personas.generator.cli import preview_estimate
from census_personas.prompts.template import PromptSet

QUICKSTART = Path(__file__).parents[3] / "configs/quickstart.yaml"

Personas = Callable[..., tuple[int, str, str]]


def test_preview_writes_nothing(personas: Personas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = personas("preview", QUICKSTART, "-n", 2, "--json")
    assert code == 0
    assert [json.loads(line)["row"] for line in out.splitlines()] == [0, 1]
    assert list(tmp_path.iterdir()) == []


def test_preview_narrates_evaluation_people(
    personas: Personas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = personas("preview", QUICKSTART, "--people", "evaluation", "--json")
    people = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {"physician", "waiter_or_waitress", "no_occupation"} <= {one["occupation"] for one in people}
    assert {18, 95} <= {one["age"] for one in people}
    assert "PR" in {one["state"] for one in people}
    requests = [one["requests"] for one in people]
    assert requests == [2] * 12
    assert "12 of 12 accepted, 12 of them without a repair; 24 requests" in err


def test_preview_takes_a_dataset(
    personas: Personas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_line: Callable[[str], str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = PromptSet.load("en_US").folder / "people/evaluation.jsonl"
    (tmp_path / "mine.jsonl").write_text(shipped.read_text().splitlines()[0])
    code, out, _ = personas("preview", QUICKSTART, "--people", "mine.jsonl", "--json")
    assert (code, json.loads(out)["first_name"]) == (0, "Emily")
    code, _, err = personas("preview", QUICKSTART, "--people", "nobody")
    assert code == 2
    assert "no people 'nobody'; known: evaluation, or a dataset's path" in one_line(err)


def test_shipped_sets_are_sound(personas: Personas) -> None:
    assert personas("check", QUICKSTART)[0] == 0
    code, out, err = personas("prompts", "check")
    assert code == 0, out + err


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("target={nope: uniform}", "target.nope: unknown attribute 'nope'"),
        ("where={state: ca}", "where.state: unknown value 'ca'; did you mean CA?"),
        ("validation.policy={x: off}", "unknown rule 'x'"),
        ("input=absent.parquet", "absent.parquet: no dataset there"),
        ("prompts.narratives=[nope]", "unknown narrative 'nope'"),
        ("prompts.set=mine", "mine/attributes.j2: unknown variables: nonsense (attributes.j2:"),
        ("{narratives: [x]}", "write it as section.key=value"),
    ],
)
def test_check_finds_fatal_faults(
    personas: Personas,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    override: str,
    said: str,
    one_line: Callable[[str], str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if "mine" in override:
        shutil.copytree(PromptSet.load("en_US").folder, tmp_path / "mine")
        (tmp_path / "mine/sample.yaml").unlink()  # without which it is not linted
        template = tmp_path / "mine/attributes.j2"
        template.write_text(
            template.read_text().replace("{% block user %}", "{% block user %}{{ nonsense }}")
        )
    code, _, err = personas("check", QUICKSTART, "--set", override)
    assert code == 2
    assert said in one_line(err)


def test_check_finds_an_unwritable_text(
    personas: Personas, tmp_path: Path, one_line: Callable[[str], str]
) -> None:
    shutil.copytree(PromptSet.load("en_US").folder, tmp_path / "mine")
    field = "{name: pets, kind: text, description: Pets., min: 10, max: 200}"
    (tmp_path / "mine/narratives/pets.j2").write_text(f"---\nfields: [{field}]\n---\nSay of pets.\n")
    more = ("--set", f"prompts.set={tmp_path / 'mine'}", "--set", "prompts.narratives=[pets]")
    code, _, err = personas("check", QUICKSTART, *more)
    assert code == 2
    assert "pets" in one_line(err)


def test_generate_refuses_an_unwritable_text(
    personas: Personas, tmp_path: Path, one_line: Callable[[str], str]
) -> None:
    more = ("-o", tmp_path / "run", "--set", "prompts.narratives=[family]")
    code, _, err = personas("generate", QUICKSTART, *more)
    assert code == 2
    assert "no symbol family_persona; the offline narrator writes" in one_line(err)
    assert "sports_persona" in err
    assert not (tmp_path / "run").exists()


def test_broken_grammar_is_a_fault(
    personas: Personas, tmp_path: Path, one_line: Callable[[str], str]
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(PromptSet.load("en_US").folder, mine)
    (mine / "offline/arts.yaml").write_text("a: [b\n")
    code, out, _ = personas("prompts", "check", mine)
    assert code == 1
    assert "offline/arts.yaml" in out
    shutil.rmtree(mine / "offline")
    assert personas("prompts", "check", mine)[0] == 0
    code, _, err = personas("generate", QUICKSTART, "-o", tmp_path / "run", "--set", f"prompts.set={mine}")
    assert code == 2
    assert (
        f"{mine}/offline: no such folder, but the offline narrator needs its grammar; copy one"
        in one_line(err)
    )


def test_control_characters_are_escaped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = {"row": 0, "persona": "Ana \u202e\x9b31m Wu", "skills_and_expertise_list": ["a\x1b[2J"]}
    preview_estimate.print_record(record, accepted=False, reasons=("unicode: persona: \x1b]0;x\x07",))
    out = capsys.readouterr().out
    assert "Ana \\u202e\\x9b31m Wu" in out
    assert all(line.isprintable() for line in out.splitlines())
