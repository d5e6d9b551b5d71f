"""Experiments: planned, run against a server that reacts to the temperature, killed, resumed and compared."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from census_personas.generator.experiment.cells import cells, conditions
from census_personas.generator.experiment.declaration import read_experiment
from census_personas.generator.experiment.outcomes import outcomes

Personas = Callable[..., tuple[int, str, str]]
ROWS = 6


@pytest.fixture
def experiment(tmp_path: Path, chat_server: Callable[..., Any]) -> tuple[Path, Any]:
    """An experiment of two temperatures and two seeds, and the server that it asks."""
    server = chat_server("--heat", "0.5")
    base = {
        "llm": {
            "backend": "openai",
            "model": server.model,
            "base_url": server.base_url,
            "price_prompt": 1.0,
            "price_completion": 2.0,
        },
        "validation": {"max_attempts": 1, "max_repairs": 0, "stop_early": False},
        "runtime": {"progress": "off"},
    }
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(base))
    values = {
        "name": "heat",
        "base": "base.yaml",
        "rows": ROWS,
        "seeds": [1, 2],
        "matrix": {"llm.temperature": [0.1, 1.5]},
        "output": str(tmp_path / "runs"),
    }
    file = tmp_path / "experiment.yaml"
    file.write_text(yaml.safe_dump(values))
    return file, server


def declared(tmp_path: Path, **values: Any) -> Path:
    """An experiment with these values beside an offline config."""
    (tmp_path / "base.yaml").write_text("rows: 3\nruntime: {progress: 'off'}\n")
    file = tmp_path / "experiment.yaml"
    usual = {"name": "x", "base": "base.yaml", "output": str(tmp_path / "runs")}
    file.write_text(yaml.safe_dump(usual | values))
    return file


def test_killed_experiment_resumes_and_compares(
    experiment: tuple[Path, Any], command: Any, personas: Personas
) -> None:
    file, server = experiment
    command.begin("experiment", "run", file)
    while server.stats().get("requests", 0) < 14:
        time.sleep(0.02)
    command.send(signal.SIGKILL)
    command.end()
    before = server.stats()["requests"]
    code, out, err = personas("experiment", "run", file)
    assert code == 0, err
    # Two requests a row, and those in flight at the kill once more.
    assert server.stats()["requests"] <= 2 * 4 * ROWS + before - 14 + 2 * 64
    page = Path(out.strip())
    record = json.loads((page.parent / "experiment.json").read_text())
    assert [cell["accepted"] + cell["rejected"] for cell in record["cells"]] == [ROWS] * 4
    hot = next(item for item in record["differences"] if item["measure"] == "accepted")
    assert hot["paired"]
    assert hot["people"] == 2 * ROWS
    assert hot["difference"] < -0.2
    assert hot["low"] < hot["difference"] < hot["high"] < 0.2
    assert (page.parent / "comparison.csv").read_text().count("\n") == 1 + len(record["differences"])
    asked = server.stats()["requests"]
    assert personas("experiment", "run", file)[0] == 0
    assert server.stats()["requests"] == asked  # nothing is paid for twice, rejected rows included


def test_failed_cells_do_not_stop_others(experiment: tuple[Path, Any], personas: Personas) -> None:
    file, server = experiment
    values = yaml.safe_load(file.read_text())
    values["matrix"] = {"llm.model": [server.model, "absent"]}
    values |= {"seeds": [1], "rows": 2}
    file.write_text(yaml.safe_dump(values))
    code, out, err = personas("experiment", "run", file)
    assert code == 1
    assert "does not serve the model 'absent'" in err
    record = json.loads((Path(out.strip()).parent / "experiment.json").read_text())
    assert [cell["state"] for cell in record["cells"]] == ["complete", "failed"]
    assert list(record["left_out"]) == ["model=absent"]
    values |= {"matrix": {"llm.temperature": [0.2, 0.3]}, "name": "poor", "max_cost": 1e-9}
    file.write_text(yaml.safe_dump(values))
    code, out, err = personas("experiment", "run", file)
    assert code == 1
    assert "llm.max_cost=1e-09 is spent" in err


def test_plan_asks_nothing(experiment: tuple[Path, Any], personas: Personas) -> None:
    file, server = experiment
    code, out, _ = personas("experiment", "plan", file)
    assert code == 0
    assert out.count("temperature=") == 4
    assert "4 cells, 24 rows left" in out
    assert server.stats().get("requests", 0) == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"matrix": {"llm.temprature": [1]}}, "unknown key 'llm.temprature'"),
        ({"matrix": {"seed": [1]}}, "seed and rows are keys of the experiment itself"),
        ({"matrix": {}}, "give a matrix"),
        ({"matrix": {"llm.temperature": []}}, "matrix.llm.temperature"),
        ({"matrx": {}}, "unknown key 'matrx'"),
        ({"matrix": {"seed_": [1]}, "exclude": [{"seed_": 1}]}, "leaves no condition"),
        ({"matrix": {"llm.temperature": [1, 2]}, "baseline": {"llm.temperature": 3}}, "0 conditions have"),
        ({"matrix": {"llm.temperature": [1]}, "base": "absent.yaml"}, "absent.yaml"),
    ],
)
def test_wrong_experiments_are_one_line(
    values: dict[str, Any], message: str, tmp_path: Path, personas: Personas
) -> None:
    code, _, err = personas("experiment", "plan", declared(tmp_path, **values))
    assert code == 2
    assert err.count("\n") == 1
    assert message in err


def test_refused_cell_keeps_the_others(tmp_path: Path) -> None:
    file = declared(tmp_path, matrix={"llm.temperature": [0.5, 99]})
    experiment = read_experiment(file)
    found = cells(experiment, conditions(experiment))
    assert [cell.config is None for cell in found] == [False, True]
    assert "llm.temperature" in found[1].fault


def test_runs_are_shared_and_read_as_outcomes(tmp_path: Path, personas: Personas) -> None:
    matrix = {"validation.max_repairs": [1, 2]}
    assert personas("experiment", "run", declared(tmp_path, matrix=matrix))[0] == 0
    folders = sorted((tmp_path / "runs" / "cells").iterdir())
    file = declared(tmp_path, matrix=matrix, name="again", rows=2)
    assert personas("experiment", "run", file)[0] == 0
    assert sorted((tmp_path / "runs" / "cells").iterdir()) == folders
    experiment = read_experiment(file)
    frame = outcomes(cells(experiment, conditions(experiment))[0])
    assert frame["row"].tolist() == [0, 1]
    assert frame["accepted"].all()
    assert (frame["words"] > 50).all()
