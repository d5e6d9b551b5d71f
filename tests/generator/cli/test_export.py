"""`personas export`: chat messages, EDSL agents and TinyTroupe agents from a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

QUICKSTART = Path(__file__).parents[3] / "configs/quickstart.yaml"
Personas = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(personas: Personas, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    personas("generate", QUICKSTART, "-o", folder, "-n", 4, "--set", "output.schema=full")
    return folder


def test_every_form_has_every_person(run: Path, personas: Personas, tmp_path: Path) -> None:
    people = pd.read_parquet(run / "personas")
    assert personas("export", run, "--to", "chat", "-o", tmp_path / "chat.jsonl")[0] == 0
    chats = [json.loads(line) for line in (tmp_path / "chat.jsonl").read_text().splitlines()]
    assert [chat["uuid"] for chat in chats] == people["uuid"].tolist()
    for chat, person in zip(chats, people.to_dict("records"), strict=True):
        (message,) = chat["messages"]
        assert message["role"] == "system"
        assert message["content"].startswith(f"You are {person['first_name']} ")
        assert person["persona"] in message["content"]
        assert f"Age: {person['age']}" in message["content"]
        assert "T-score" not in message["content"]
        assert person["uuid"] not in message["content"]
    assert personas("export", run, "--to", "edsl", "-o", tmp_path / "agents.json")[0] == 0
    agents = json.loads((tmp_path / "agents.json").read_text())["agent_list"]
    assert [agent["name"] for agent in agents] == people["uuid"].tolist()
    assert [agent["traits"]["age"] for agent in agents] == people["age"].tolist()
    assert personas("export", run, "--to", "tinytroupe", "-o", tmp_path / "agents")[0] == 0
    files = sorted((tmp_path / "agents").iterdir())
    assert [file.name for file in files] == sorted(f"{uuid}.agent.json" for uuid in people["uuid"])
    agent = json.loads(files[0].read_text())
    assert agent["type"] == "TinyPerson"
    assert {"name", "age", "occupation", "personality", "skills"} <= agent["persona"].keys()
    assert len(agent["persona"]["personality"]["big_five"]) == 5


def test_own_template_is_used(run: Path, personas: Personas, tmp_path: Path) -> None:
    template = tmp_path / "own.j2"
    template.write_text("{{ name }}: {{ texts | length }} texts, {{ traits.openness }}")
    out = tmp_path / "chat.jsonl"
    assert personas("export", run, "--to", "chat", "-o", out, "--template", template, "--limit", 1)[0] == 0
    (line,) = out.read_text().splitlines()
    assert ": 10 texts, " in json.loads(line)["messages"][0]["content"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "tv", "-o", "x.json"), "no such form; known: chat, edsl, tinytroupe"),
        (("--to", "chat", "-o", "x.csv"), "x.csv"),
        (("--to", "edsl", "-o", "x.json", "--template", "t.j2"), "is for --to chat alone"),
        (("--to", "chat", "-o", "x.jsonl", "--template", "absent.j2"), "absent.j2: cannot be read"),
        (("--to", "chat", "-o", "x.jsonl", "--template", "bad.j2"), "bad.j2: "),
        (("--to", "chat", "-o", "x.jsonl", "--template", "odd.j2"), "known are name, facts"),
        (("--to", "tinytroupe", "-o", "full"), "is not empty"),
    ],
)
def test_refusals_are_one_line(
    run: Path,
    personas: Personas,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.j2").write_text("{% if %}")
    (tmp_path / "odd.j2").write_text("{{ salary }}")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    code, _, err = personas("export", run, *words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "x.jsonl").exists()


def test_released_columns_have_names_from_texts(personas: Personas, tmp_path: Path) -> None:
    personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 2)
    personas("export", tmp_path / "run", "--to", "chat", "-o", tmp_path / "chat.jsonl")
    for line in (tmp_path / "chat.jsonl").read_text().splitlines():
        assert not json.loads(line)["messages"][0]["content"].startswith("You are the person")
