from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from census_personas.foundation.errors import DatasetError
from census_personas.generator.cli.main import main
from census_personas.generator.config.config_file import parse
from census_personas.generator.report import counterfactual
from census_personas.generator.run.resources import RunResources
from census_personas.generator.session import generate


def _run(folder: Path, *changes: str, rows: int = 8) -> Path:
    generate(parse("", "test", (f"rows={rows}", "runtime.progress=off", *changes)), folder)
    return folder


def _personas(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["personas", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code


def test_offline_texts_hardly_depend_on_sex_and_origin(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    effects = counterfactual.of_run(run, 6, ("sex", "ethnicity"))
    assert [(effect["attribute"], effect["records"]) for effect in effects] == [("sex", 6), ("ethnicity", 6)]
    for effect in effects:
        assert effect["distance"] < effect["chance"] / 2
        assert not effect["exceeds"]
    assert counterfactual.load_effects(run) == effects
    assert not (run / "counterfactual" / "swapped").exists()


def test_endpoint_is_asked_once_per_swap(
    tmp_path: Path,
    chat_server: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = chat_server()
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    run = _run(
        tmp_path / "run",
        "llm.backend=openai",
        f"llm.model={server.model}",
        f"llm.base_url={server.base_url}",
        rows=5,
    )
    before = server.stats()["requests"]
    rows = {path.name: path.read_bytes() for path in (run / "personas").iterdir()}
    ask = ("report", run, "--counterfactual", 4, "--json")
    _personas(monkeypatch, *ask)
    numbers = json.loads(capsys.readouterr().out)
    assert [effect["attribute"] for effect in numbers["swaps"]] == ["sex", "ethnicity", "age", "name"]
    assert {effect["records"] for effect in numbers["swaps"]} == {4}
    asked = server.stats()["requests"] - before
    assert asked >= 4 * 2 * (1 + len(counterfactual.FACTS))
    _personas(monkeypatch, *ask)
    assert json.loads(capsys.readouterr().out)["swaps"] == numbers["swaps"]
    assert server.stats()["requests"] - before == asked
    assert "changed" in (run / "report.html").read_text(encoding="utf-8")
    assert rows == {path.name: path.read_bytes() for path in (run / "personas").iterdir()}


def test_only_runs_and_swappable_facts_are_accepted(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is not a run folder"):
        counterfactual.of_run(tmp_path)
    (tmp_path / "config.yaml").write_text("rows: 1", encoding="utf-8")
    with pytest.raises(
        DatasetError, match="--swap height: cannot be swapped; known: sex, ethnicity, age, name"
    ):
        counterfactual.of_run(tmp_path, 1, ("height",))


def test_swap_changes_only_its_fact() -> None:
    resources = RunResources.load(parse("", "test", ("rows=5",)))
    people = resources.sample(5).to_dict("records")
    expected = {
        "sex": {"sex"},
        "ethnicity": {"ethnicity"},
        "age": {"age", "birth_year"},
        "name": {"first_name", "middle_name", "last_name"},
    }
    for fact, changed in expected.items():
        for who, (before, after, swapped) in zip(
            people, counterfactual.swapped_people(people, fact, resources), strict=True
        ):
            differing = {name for name in who if who[name] != swapped[name]}
            assert differing <= changed
            assert differing
            assert before != after
