"""Copies of a run's dataset: asked for before or after, whole, and of the rows that the run has now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from census_personas.foundation.run_layout import RunLayout
from census_personas.foundation.schema import Column, Table
from census_personas.generator.config.run_config import Config
from census_personas.generator.population.population import Population
from census_personas.generator.run.shard_copies import write_copies
from census_personas.generator.run.shard_store import ShardInfo, write_shard
from census_personas.generator.session import generate


@pytest.fixture(autouse=True)
def _loaded_once(population: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Population, "load", lambda _: population)


def config(rows: int, *formats: str, **output: Any) -> Config:
    values = {"rows": rows, "output": {"shard_rows": 3, "formats": formats, "schema": "full", **output}}
    return Config.model_validate(values | {"runtime": {"progress": "off"}})


def parquet(run: Path) -> list[dict[str, Any]]:
    rows = pd.read_parquet(run / "personas").to_dict("records")
    return [{name: list(v) if hasattr(v, "tolist") else v for name, v in row.items()} for row in rows]


def jsonl(run: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in sorted((run / "jsonl").iterdir())
        for line in file.read_bytes().splitlines()
    ]


def csv(run: Path, lists: tuple[str, ...]) -> list[dict[str, Any]]:
    files = sorted((run / "csv").iterdir())
    frame = pd.concat([pd.read_csv(file, dtype=str, keep_default_na=False) for file in files])
    rows = frame.to_dict("records")
    return [{str(n): json.loads(v) if n in lists else v for n, v in row.items()} for row in rows]


LISTS = ("skills_and_expertise_list", "hobbies_and_interests_list", "flags")


def text_of(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, list) else str(value) for name, value in row.items()}


def test_copies_hold_the_parts_rows(tmp_path: Path) -> None:
    run = tmp_path / "run"
    generate(config(5), run)
    assert not (run / "csv").exists()
    before = (run / "manifest.json").read_text()
    generate(config(5, "csv", "jsonl"), run)
    assert json.loads(before)["identity"] == json.loads((run / "manifest.json").read_text())["identity"]
    assert jsonl(run) == parquet(run)
    assert csv(run, LISTS) == list(map(text_of, parquet(run)))
    assert "The same rows stand as `csv/*.csv` and `jsonl/*.jsonl`, too." in (run / "README.md").read_text()
    generate(config(7, "parquet", "csv"), run)
    assert [file.name for file in sorted((run / "csv").iterdir())] == [f"part-0000{i}.csv" for i in range(3)]
    assert csv(run, LISTS) == list(map(text_of, parquet(run)))
    assert [file.name for file in (run / "jsonl").iterdir()] == [
        "part-00000.jsonl"
    ]  # the other part has grown


TABLE = Table((Column("uuid", "text"), Column("age", "integer")))


def write_part(layout: RunLayout, *uuids: str) -> None:
    rows = [{"uuid": uuid, "age": 40} for uuid in uuids]
    write_shard(layout.part(0), TABLE, rows, ShardInfo(0, len(rows), len(rows), 0), {})


def test_missing_or_old_copy_is_rewritten(tmp_path: Path) -> None:
    layout = RunLayout(tmp_path)
    write_part(layout, "a")
    write_copies(layout, 0, ("csv",))
    assert layout.copy(0, "csv").read_bytes() == b'"uuid","age"\n"a",40\n'
    layout.copy(0, "csv").unlink()
    write_copies(layout, 0, ("csv", "jsonl"))
    write_part(layout, "a", "b")  # and killed before the copies were written
    assert len(layout.copy(0, "csv").read_bytes().splitlines()) == 2
    write_copies(layout, 0, ("csv",))
    assert len(layout.copy(0, "csv").read_bytes().splitlines()) == 3
    assert not layout.copy(0, "jsonl").exists()  # no longer asked for, and out of date


def test_current_copy_is_kept(tmp_path: Path) -> None:
    layout = RunLayout(tmp_path)
    write_part(layout, "a")
    write_copies(layout, 0, ("jsonl",))
    before = layout.copy(0, "jsonl").stat().st_ino
    write_copies(layout, 0, ("jsonl",))
    write_copies(layout, 0, ())
    assert layout.copy(0, "jsonl").stat().st_ino == before


def test_empty_part_has_empty_copies(tmp_path: Path) -> None:
    layout = RunLayout(tmp_path)
    write_part(layout)
    write_copies(layout, 0, ("csv", "jsonl"))
    assert layout.copy(0, "csv").read_bytes() == b'"uuid","age"\n'
    assert layout.copy(0, "jsonl").read_bytes() == b""


def test_formats_are_not_fingerprinted() -> None:
    assert config(3).fingerprint() == config(3, "csv", "jsonl").fingerprint()
    with pytest.raises(ValueError, match="formats"):
        config(3, "xlsx")
