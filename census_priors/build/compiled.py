"""Compiled tables: Parquet files that come out byte for byte the same from the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 1 << 20


def write_table(frame: pd.DataFrame, path: Path, *, notes: Mapping[str, str] | None = None) -> None:
    """Write a frame as zstd Parquet without anything that varies between two runs.

    Args:
        frame: rows in the order in which they are to be stored; the index is dropped.
        path: file to write; its folder is made.
        notes: key-value metadata for the file (attribution, universe), sorted by key.
    """
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = [
        column.cast(pa.string()) if pa.types.is_large_string(column.type) else column
        for column in table.columns
    ]
    table = pa.table(dict(zip(table.column_names, columns, strict=True)))
    metadata = dict(sorted((notes or {}).items()))
    table = table.replace_schema_metadata(metadata or None)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", compression_level=19, row_group_size=ROW_GROUP)
