"""`personas check --offline` checks everything that needs no endpoint, and prints the requests of one row."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

CONFIGS = Path(__file__).parents[3] / "configs"
SERVED = ("--set", "llm.backend=openai", "--set", "llm.model=m")
Personas = Callable[..., tuple[int, str, str]]


def write(folder: Path, **keys: Any) -> Path:
    file = folder / "config.yaml"
    file.write_text(json.dumps({"name": "r", "rows": 4, **keys}), encoding="utf-8")  # JSON is YAML
    return file


def test_nothing_is_asked_or_written(
    personas: Personas, chat_server: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = chat_server()
    where = f"llm.base_url={server.base_url}"
    code, out, err = personas("check", "--offline", CONFIGS / "vllm-mistral-nemo.yaml", "--set", where)
    assert (code, err) == (0, "")
    assert f"{server.base_url}, not asked; OPENAI_API_KEY is" in out
    assert server.stats() == {"connections": 1}  # this very question
    assert list(tmp_path.iterdir()) == []


def test_printed_requests_are_those_of_a_run(
    personas: Personas, chat_server: Callable[..., Any], tmp_path: Path
) -> None:
    server = chat_server()
    changes = (*SERVED[:2], "--set", f"llm.model={server.model}", "--set", f"llm.base_url={server.base_url}")
    config = write(tmp_path, rows=1, validation={"policy": {}})
    _, out, _ = personas("check", "--offline", config, "--json", *changes)
    first, second = json.loads(out)["requests"]
    assert (first["call"], second["call"]) == ("attributes", "personas")
    assert first["fields"][0] == "cultural_background"
    assert second["fields"][-1] == "persona"
    code, _, err = personas("generate", config, "-o", tmp_path / "run", *changes)
    assert code == 0, err
    person = pd.read_parquet(tmp_path / "run/personas").iloc[0]
    said = first["messages"][-1]["content"]
    assert f"- Age: {person['age']} " in said
    assert person["city"] in said
    assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant", "user"]


def test_message_is_printed_once(personas: Personas, tmp_path: Path) -> None:
    _, out, _ = personas("check", "--offline", write(tmp_path), *SERVED)
    assert out.count("You write about adults in the United States") == 1
    assert re.search(r"^requests of a row: 2, printed for row 0", out, re.MULTILINE)
    assert "=== personas: asks for professional_persona" in out


def test_offline_narrator_tries_a_row(personas: Personas, tmp_path: Path) -> None:
    code, out, _ = personas("check", "--offline", write(tmp_path))
    assert code == 0
    assert "narrator: offline, which needs no endpoint; row 0: accepted\n" in out


def test_selection_is_shown(personas: Personas, tmp_path: Path) -> None:
    config = write(tmp_path, where={"state": "VT"}, target={"sex": "uniform"})
    _, out, _ = personas("check", "--offline", config, "-o", tmp_path / "run")
    assert re.search(r"^where: 0\.0\d+ of the population$", out, re.MULTILINE)
    assert re.search(r"^target: sex; changes the model by 0\.\d{4} nats per person$", out, re.MULTILINE)
    assert f"run folder: {tmp_path / 'run'}, new\n" in out


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"row": 3}, "unknown key 'row'"),
        ({"locale": "fr_FR"}, "fr_FR"),
        ({"where": {"state": "Narnia"}}, "Narnia"),
        ({"where": {"planet": "Mars"}}, "unknown attribute 'planet'"),
        ({"target": {"sex": {"Male": 2, "Female": -1}}}, "sex"),
        ({"quota": {"sex": {"Male": 2, "Female": 3}}}, "counts sum to 5, but 4 rows are requested"),
        ({"prompts": {"set": "nowhere"}}, "nowhere"),
        ({"prompts": {"narratives": ["haiku"]}}, "haiku"),
        ({"prompts": {"narratives": ["finance"]}}, "finance"),  # the grammar cannot write it
        ({"plugins": ["./nothing"]}, "nothing"),
        ({"validation": {"policy": {"no_rule": "off"}}}, "no_rule"),
        ({"input": "people.parquet"}, "people.parquet"),
        ({"llm": {"backend": "openai", "model": "m", "base_url": "http://localhost:99999/v1"}}, "99999"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_fault_ends_with_code_2(
    personas: Personas, one_line: Callable[[str], str], tmp_path: Path, keys: dict[str, Any], said: str
) -> None:
    code, _, err = personas("check", "--offline", write(tmp_path, **keys), "-o", tmp_path / "run")
    assert code == 2
    assert said in one_line(err)
    assert not (tmp_path / "run").exists()


def test_unrenderable_template_is_a_fault(
    personas: Personas, one_line: Callable[[str], str], tmp_path: Path
) -> None:
    shutil.copytree(str(files("census_personas.prompts") / "en_US"), tmp_path / "mine")
    template = tmp_path / "mine/attributes.j2"
    template.write_text(template.read_text().replace("{{ first_name }}", "{{ frist_name }}"))
    code, _, err = personas("check", "--offline", write(tmp_path, prompts={"set": "./mine"}), *SERVED)
    assert code == 2
    assert "frist_name" in one_line(err)


def test_run_folder_is_checked(personas: Personas, one_line: Callable[[str], str], tmp_path: Path) -> None:
    run, config = tmp_path / "run", write(tmp_path)
    personas("generate", config, "-o", run)
    _, out, _ = personas("check", "--offline", config, "-o", run, "--set", "rows=6")
    assert f"run folder: {run}, goes on with 4 of 6 rows\n" in out
    code, _, err = personas("check", "--offline", config, "-o", run, "--set", "seed=9")
    assert code == 2
    assert "holds another run (seed: 0 in the folder, 9 now); give a new folder" in one_line(err)
    code, _, err = personas("check", "--offline", config, "-o", run / "personas")
    assert code == 2
    assert "is inside the run folder" in one_line(err)


def test_first_sound_input_row_is_shown(personas: Personas, tmp_path: Path) -> None:
    personas("sample", "-n", 3, "--schema", "full", "-o", tmp_path / "people.parquet")
    config = write(tmp_path, rows=3, input="people.parquet")
    code, out, err = personas("check", "--offline", config, "-o", tmp_path / "run", *SERVED)
    assert code == 0, err
    assert f"input: {tmp_path / 'people.parquet'}, 3 rows\n" in out
    code, _, err = personas("check", "--offline", config, "-o", tmp_path / "run", "--set", "rows=4")
    assert code == 2
    assert "has 3 rows, and rows=4 are asked for" in err
