"""Lookup tables of a locale: compiled Parquet files, read with errors that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from persona_engine.census_priors.marginal import TableError

Table: TypeAlias = pa.Table


def read_lookup(path: Path, columns: tuple[str, ...]) -> Table:
    """Read the named columns of a compiled table.

    Raises:
        TableError: the file is missing, is no Parquet, or lacks a column; names the file and the remedy.
    """
    remedy = "rebuild the locale with `personas priors build`"
    try:
        table = pq.read_table(path, memory_map=False, partitioning=None)
    except FileNotFoundError as error:
        raise TableError(f"{path}: no such table; {remedy}") from error
    except pa.ArrowInvalid as error:
        raise TableError(f"{path}: not a readable Parquet file ({error}); {remedy}") from error
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise TableError(f"{path}: columns {', '.join(missing)} are missing; {remedy}")
    return table.select(list(columns))


def strings(table: Table, column: str) -> npt.NDArray[np.object_]:
    """A text column as an array of Python strings ("NULL" and "NaN" stay the words they are)."""
    values: npt.NDArray[np.object_] = table[column].to_numpy(zero_copy_only=False)
    return values.astype(object)


def numbers(table: Table, column: str) -> npt.NDArray[np.float64]:
    """A numeric column as float64."""
    values: npt.NDArray[np.float64] = table[column].to_numpy(zero_copy_only=False).astype(np.float64)
    return values
