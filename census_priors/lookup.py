"""Look-up: reads the compiled Parquet files of a locale, with errors that name the remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from census_personas.census_priors.marginal import TableError
from census_personas.foundation.arrays import Floats, Objects
from census_personas.foundation.user_path import check_input

Table: TypeAlias = pa.Table

REMEDY = "rebuild the locale with `personas priors build`"
_IS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
    "number": lambda kind: (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    ),
    "list": pa.types.is_list,
}


def read_lookup(
    path: Path, texts: tuple[str, ...] = (), figures: tuple[str, ...] = (), lists: tuple[str, ...] = ()
) -> Table:
    """Read text, number and list columns of a compiled table; no cell is missing.

    Raises:
        TableError: as in `open_lookup`.
    """
    return open_lookup(path, texts, figures, lists).select([*texts, *figures, *lists])


def open_lookup(
    path: Path, texts: tuple[str, ...] = (), figures: tuple[str, ...] = (), lists: tuple[str, ...] = ()
) -> Table:
    """Read a compiled table with at least these text, number and list columns.

    Raises:
        TableError: the file is missing, is not Parquet, lacks a column, or has one of another type; the message names
            the file and the remedy.
    """
    if path.exists() and not path.is_file():
        raise TableError(f"{path}: is not a regular file, nor a link to one; {REMEDY}")
    try:
        check_input(path)
        table = pq.read_table(path, memory_map=False, partitioning=None)
    except FileNotFoundError as error:
        raise TableError(f"{path}: no such table; {REMEDY}") from error
    except (OSError, pa.ArrowException) as error:
        raise TableError(f"{path}: not a readable Parquet file ({error}); {REMEDY}") from error
    wanted = {
        **dict.fromkeys(texts, "text"),
        **dict.fromkeys(figures, "number"),
        **dict.fromkeys(lists, "list"),
    }
    missing = [column for column in wanted if column not in table.column_names]
    if missing:
        raise TableError(f"{path}: columns {', '.join(missing)} are missing; {REMEDY}")
    for column, kind in wanted.items():
        found = table.schema.field(column).type
        if not _IS[kind](found):
            raise TableError(f"{path}: column {column!r} holds {found}, not one {kind} per row; {REMEDY}")
        if table[column].null_count:
            raise TableError(f"{path}: column {column!r} has empty cells; {REMEDY}")
    return table


def strings(table: Table, column: str) -> Objects:
    """Return a text column as an array of Python strings ("NULL" and "NaN" stay text)."""
    values: Objects = table[column].to_numpy(zero_copy_only=False)
    return values.astype(object)


def numbers(table: Table, column: str) -> Floats:
    """Return a numeric column as float64."""
    values: Floats = table[column].to_numpy(zero_copy_only=False).astype(np.float64)
    return values
