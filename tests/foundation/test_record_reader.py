"""Record reader: conversion of cells."""

from __future__ import annotations

from pathlib import Path

from census_personas.foundation.record_reader import read_records


def test_age_column_becomes_a_number(tmp_path: Path) -> None:
    place = tmp_path / "rows.csv"
    place.write_text("edad,age\n41,x\n,7\nviejo,7\n", encoding="utf-8")
    assert [row["edad"] for row in read_records(place, age="edad")] == [41, "", "viejo"]
    assert [row["age"] for row in read_records(place)] == ["x", 7, 7]
