"""A dataset checked by several workers: the same findings and measures, to the byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from census_personas.validators import validate_file

QUICKSTART = Path(__file__).parents[3] / "configs" / "quickstart.yaml"
Personas = Callable[..., tuple[int, str, str]]


def test_workers_find_the_same_in_the_same_order(
    personas: Personas,
    tmp_path: Path,
    rows_of: Callable[[Path], pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    personas("generate", QUICKSTART, "-n", 40, "-o", tmp_path / "run")
    rows = rows_of(tmp_path / "run")
    rows.loc[rows.index % 3 == 0, "age"] = 7
    rows = pd.concat([rows, rows.head(5)])
    rows.to_parquet(tmp_path / "rows.parquet")
    monkeypatch.setattr(validate_file, "BATCH_ROWS", 8)  # six blocks
    said = {}
    for workers in (1, 2):
        found = tmp_path / f"{workers}.jsonl"
        said[workers] = personas(
            "validate", tmp_path / "rows.parquet", "--findings", found, "--report", tmp_path / f"page{workers}",
            "--json", "-j", workers,
        )  # fmt: skip
    assert said[1][:2] == said[2][:2]
    for name in ("validation.html", "validation.json"):
        assert (tmp_path / "page1" / name).read_bytes() == (tmp_path / "page2" / name).read_bytes()
    assert said[1][0] == 1
    assert '"repeated_uuids": 5' in said[1][1]
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes() != b""
    code, _, err = personas("validate", tmp_path / "rows.parquet", "-j", 2, "--policy", "no_rule=off")
    assert (code, err.count("\n")) == (2, 1)
