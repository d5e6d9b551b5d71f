"""`personas validate`, `report` and `compare`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from census_personas.generator.report import run_report

QUICKSTART = Path(__file__).parents[3] / "configs/quickstart.yaml"

Personas = Callable[..., tuple[int, str, str]]


def test_validate_finds_alterations(
    personas: Personas,
    tmp_path: Path,
    one_line: Callable[[str], str],
    rows_of: Callable[[Path], pd.DataFrame],
) -> None:
    personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 10)
    code, out, _ = personas("validate", tmp_path / "run", "--json")
    assert code == 0
    assert (json.loads(out)["rows"], json.loads(out)["rejected_rows"]) == (10, 0)
    frame = rows_of(tmp_path / "run").assign(age=7)
    frame.to_parquet(tmp_path / "minors.parquet")
    code, out, err = personas("validate", tmp_path / "minors.parquet", "--json")
    assert code == 1
    assert json.loads(out)["by_rule"]["age_bounds"]["error"] == 10
    assert "10 of 10 rows have errors" in one_line(err)


def test_run_is_validated_in_its_locale(personas: Personas, tmp_path: Path) -> None:
    personas("generate", QUICKSTART.with_name("espana.yaml"), "-o", tmp_path / "run", "-n", 5)
    code, out, _ = personas("validate", tmp_path / "run", "--json")
    assert (code, json.loads(out)["rejected_rows"]) == (0, 0)


def test_compare_separates_equal_and_different(personas: Personas, tmp_path: Path) -> None:
    for seed in (1, 2):
        personas("sample", "-n", 200, "--seed", seed, "-o", tmp_path / f"{seed}.parquet")
    same = json.loads(personas("compare", tmp_path / "1.parquet", tmp_path / "1.parquet", "--json")[1])
    other = json.loads(personas("compare", tmp_path / "1.parquet", tmp_path / "2.parquet", "--json")[1])
    assert set(same["tvd"].values()) == {0.0}
    assert 0 < other["tvd"]["sex x age"] < 1


def test_unwritable_report_is_not_computed(
    personas: Personas, one_line: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    personas("sample", "-n", 10, "-o", tmp_path / "people.csv")
    (tmp_path / "taken").write_text("")
    monkeypatch.setattr(run_report, "build_report", None)
    code, out, err = personas("report", tmp_path / "people.csv", "-o", tmp_path / "taken" / "place")
    assert (code, out) == (2, "")
    assert "taken/place: cannot be written (Not a directory); choose a path" in one_line(err)


def test_report_of_a_file_is_beside_it(personas: Personas, tmp_path: Path) -> None:
    personas("sample", "-n", 100, "--schema", "full", "-o", tmp_path / "people.parquet")
    code, out, _ = personas("report", tmp_path / "people.parquet")
    assert (code, out.strip()) == (0, str(tmp_path / "report.html"))
    numbers: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    assert numbers["rows"] == 100
    assert {"attributes", "tvd", "floor", "limit", "passes", "unknown"} <= set(numbers["fidelity"][0])
