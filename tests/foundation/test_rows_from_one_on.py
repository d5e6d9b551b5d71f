"""Rows from one on, of files of every kind: those of a plain reading."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from census_personas.foundation.errors import DatasetError
from census_personas.foundation.record_reader import TextFormat, read_rows
from census_personas.generator.config.input_config import InputConfig
from census_personas.generator.input.source import InputSource

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_later_rows_are_the_rest(tmp_path: Path, suffix: str) -> None:
    frame, path = pd.DataFrame({"sex": "Male", "age": range(20, 70)}), tmp_path / f"rows{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path, row_group_size=7)
    elif suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False)
    source = InputSource(InputConfig(file=str(path)))
    whole = list(source.rows())
    assert [row["age"] for row in whole] == [*range(20, 70)]
    for start in (0, 1, 6, 7, 20, 49, 50, 60):
        assert list(source.rows(start=start)) == whole[start:]


def test_skipped_row_group_is_not_read(tmp_path: Path) -> None:
    path, texts = tmp_path / "rows.parquet", [f"{row:04d}" for row in range(20)]
    pd.DataFrame({"text": texts}).to_parquet(path, row_group_size=10, use_dictionary=False, compression=None)
    path.write_bytes(path.read_bytes().replace(b"0003", b"\xff\xff\xff\xff", 1))
    with pytest.raises(DatasetError, match=r"rows\.parquet"):
        list(read_rows(path, TextFormat()))
    assert [row["text"] for row in read_rows(path, TextFormat(), start=12)] == texts[12:]
