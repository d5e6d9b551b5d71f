"""Compiled tables: writes Parquet files of a locale, with the same bytes for the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from census_personas.census_priors.marginal import Marginal
from census_personas.census_priors.table_file import SAMPLES, WEIGHT

ROW_GROUP = 1 << 20


def write_table(frame: pd.DataFrame, path: Path, *, notes: Mapping[str, str] | None = None) -> None:
    """Write a frame as zstd Parquet, with the same bytes on every run.

    Args:
        frame: rows in the order of the file; the index is dropped.
        path: file to write; its folder is created.
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


def write_marginal(marginal: Marginal, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write the non-zero cells as Parquet, with the same bytes for the same table."""
    cells = np.flatnonzero(marginal.weights)
    codes = np.unravel_index(cells, marginal.domain.shape)
    columns: dict[str, object] = {}
    for name, code in zip(marginal.domain, codes, strict=True):
        states = marginal.domain[name]
        columns[name] = np.asarray(states, dtype=np.int16 if isinstance(states[0], int) else object)[code]
    columns[WEIGHT] = np.round(marginal.weights.ravel()[cells], 2)
    if marginal.samples is not None:
        columns[SAMPLES] = marginal.samples.ravel()[cells].astype(np.int32)
    write_table(pd.DataFrame(columns), path, notes=notes)
