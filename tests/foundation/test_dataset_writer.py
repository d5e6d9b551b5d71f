"""Rows in CSV and JSONL are the rows in Parquet, and no spreadsheet takes one of their texts for a formula."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from census_personas.foundation.dataset_writer import copy_parquet, frame_writer
from census_personas.foundation.schema import Column, Table

pytestmark = pytest.mark.quick

SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
UNDO = "^'('*[=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20])"
TEXTS = st.text(st.sampled_from([*SIGNS, *"'\"',; aé€😀\u2028"]), max_size=6)
TABLE = Table((Column("text", "text"), Column("number", "integer"), Column("items", "list")))
ROWS = st.lists(
    st.tuples(TEXTS, st.one_of(st.none(), st.integers(-(2**62), 2**62)), st.lists(TEXTS, max_size=3)),
    max_size=8,
)


def read_csv(path: Path) -> pd.DataFrame:
    """As docs/how-to/formats.md says that a copy is read."""
    frame = pd.read_csv(
        path, dtype={"text": str, "number": "Int64"}, keep_default_na=False, na_values={"number": [""]}
    )
    frame["text"] = frame["text"].str.replace(UNDO, r"\1", regex=True)
    frame["items"] = frame["items"].map(json.loads)
    return frame


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ROWS)
def test_copies_read_back_the_same(tmp_path: Path, rows: list[tuple[str, int | None, list[str]]]) -> None:
    values = {name: [row[place] for row in rows] for place, name in enumerate(TABLE.names)}
    pq.write_table(pa.table(values, schema=TABLE.arrow), tmp_path / "rows.parquet")
    for suffix in ("csv", "jsonl"):
        copy_parquet(tmp_path / "rows.parquet", tmp_path / f"rows.{suffix}")
    lines = (tmp_path / "rows.jsonl").read_bytes().split(b"\n")[:-1]
    assert [tuple(json.loads(line).values()) for line in lines] == rows
    csv = read_csv(tmp_path / "rows.csv")
    read = [
        (text, None if number is pd.NA else int(number), items)
        for text, number, items in csv.itertuples(index=False)
    ]
    assert read == rows
    raw = pd.read_csv(tmp_path / "rows.csv", dtype=str, keep_default_na=False)
    assert not [text for text in raw["text"] if text.startswith(tuple(SIGNS))]


@pytest.mark.parametrize("sign", SIGNS)
def test_formulas_get_an_apostrophe(tmp_path: Path, sign: str) -> None:
    frame = pd.DataFrame({"text": [f"{sign}1", "a=1"], "number": [-1, 2], "items": [["=1"], []]})
    with frame_writer(tmp_path / "rows.csv", TABLE, {}) as write:
        write(frame)
    raw = pd.read_csv(tmp_path / "rows.csv", dtype=str, lineterminator=None)
    assert list(raw["text"]) == [f"'{sign}1", "a=1"]
    assert list(raw["number"]) == ["-1", "2"]
    assert list(raw["items"]) == ['["=1"]', "[]"]
