"""Dataset writer: writes data frames to Parquet, CSV and JSONL block by block, atomically."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from census_personas.foundation.atomic_file import UnwritableError, whole_file
from census_personas.foundation.dataset_reader import FOOTER, SAMPLE
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.schema import Kind, Table


@contextmanager
def frame_writer(
    path: Path, table: Table, notes: Mapping[str, str]
) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Write data frames block by block to `.parquet`, `.csv` or `.jsonl`; the file appears at the end.

    Raises:
        DatasetError: another suffix.
        UnwritableError: the path cannot be written to.
    """
    check_suffix(path)
    try:
        with whole_file(path) as partial, _WRITERS[path.suffix](partial, table, notes) as write:
            yield write
    except UnwritableError:
        raise
    except OSError as error:  # of pyarrow, without errno
        raise DatasetError(f"{path}: cannot be written ({error.strerror or error})") from error


@contextmanager
def _parquet(path: Path, table: Table, notes: Mapping[str, str]) -> Iterator[Callable[[pd.DataFrame], None]]:
    schema = table.arrow.with_metadata({FOOTER.decode(): SAMPLE.decode(), **notes})
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
        yield lambda frame: writer.write_table(to_arrow(frame, table).cast(schema))


@contextmanager
def _csv(path: Path, table: Table, _: Mapping[str, str]) -> Iterator[Callable[[pd.DataFrame], None]]:
    with pyarrow.csv.CSVWriter(path, table.arrow) as writer:
        yield lambda frame: writer.write_table(to_arrow(frame, table))


@contextmanager
def _jsonl(path: Path, table: Table, _: Mapping[str, str]) -> Iterator[Callable[[pd.DataFrame], None]]:
    with path.open("wb") as file:

        def write(frame: pd.DataFrame) -> None:
            file.write(json_lines(frame, table))

        yield write


_WRITERS = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl}
SUFFIXES = tuple(_WRITERS)
"""Suffixes of the files that `frame_writer` writes."""


def check_suffix(path: Path) -> None:
    """Refuse a file that `frame_writer` cannot write, before any work is done.

    Raises:
        DatasetError: unknown suffix; the message lists the known ones.
    """
    if path.suffix not in _WRITERS:
        raise DatasetError(f"{path}: unknown suffix {path.suffix!r}; write to {', '.join(_WRITERS)}")


def json_lines(frame: pd.DataFrame, table: Table) -> bytes:
    """Convert the table's columns of a frame to one JSON object per line."""
    rows = to_arrow(frame, table).to_pylist()
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def kinds_of(frame: pd.DataFrame) -> dict[str, Kind]:
    """Return the kind of each column of a frame."""
    return {
        str(n): "integer" if pd.api.types.is_integer_dtype(t) else "text" for n, t in frame.dtypes.items()
    }


def to_arrow(frame: pd.DataFrame, table: Table) -> pa.Table:
    """Convert the table's columns of a frame to its types; categories become text."""
    return pa.table(
        [
            _array(frame[column.name], kind)
            for column, kind in zip(table.columns, table.arrow.types, strict=True)
        ],
        schema=table.arrow,
    )


def _array(values: pd.Series[Any], kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    return pa.array(values, from_pandas=True).cast(kind)
