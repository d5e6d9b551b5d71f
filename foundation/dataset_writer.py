"""Dataset writer: writes data frames to Parquet, CSV and JSONL block by block, atomically."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from census_personas.foundation.atomic_file import UnwritableError, whole_file
from census_personas.foundation.dataset_reader import FOOTER, SAMPLE
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.schema import Kind, Table

_BLOCK = 10_000  # rows
# How a text begins that a spreadsheet may take for a formula (OWASP, "CSV Injection"): these signs, also in full width,
# which some programs narrow. Such texts get an apostrophe in front. One that begins with apostrophes and such a sign
# gets one more, so that taking away one always gives the text back.
_FORMULA = "^'*[=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20]"


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
        raise DatasetError(
            f"{path}: cannot be written ({error.strerror or error}); free some space, or choose another path"
        ) from error


@contextmanager
def _parquet(path: Path, table: Table, notes: Mapping[str, str]) -> Iterator[Callable[[pd.DataFrame], None]]:
    schema = table.arrow.with_metadata({FOOTER.decode(): SAMPLE.decode(), **notes})
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
        yield lambda frame: writer.write_table(to_arrow(frame, table).cast(schema))


@contextmanager
def _csv(path: Path, table: Table, _: Mapping[str, str]) -> Iterator[Callable[[pd.DataFrame], None]]:
    with _csv_tables(path, table.arrow) as write:
        yield lambda frame: write(to_arrow(frame, table))


@contextmanager
def _jsonl(path: Path, table: Table, _: Mapping[str, str]) -> Iterator[Callable[[pd.DataFrame], None]]:
    with path.open("wb") as file:

        def write(frame: pd.DataFrame) -> None:
            file.write(json_lines(frame, table))

        yield write


@contextmanager
def _csv_tables(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Tables to CSV as RFC 4180 has it, but that records end with LF: texts quoted, line breaks in them kept; UTF-8."""
    flat = pa.schema([(field.name, pa.string() if _is_list(field) else field.type) for field in schema])
    with pyarrow.csv.CSVWriter(path, flat) as writer:
        yield lambda table: writer.write_table(
            pa.table([_csv_cells(column) for column in table.columns], schema=flat)
        )


@contextmanager
def _jsonl_tables(path: Path, _: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    with path.open("wb") as file:

        def write(table: pa.Table) -> None:
            file.write(_lines(table))

        yield write


_WRITERS = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl}
_COPIERS = {".csv": _csv_tables, ".jsonl": _jsonl_tables}
SUFFIXES = tuple(_WRITERS)
"""Suffixes of the files that `frame_writer` writes."""


def check_suffix(path: Path) -> None:
    """Refuse a file that `frame_writer` cannot write, before any work is done.

    Raises:
        DatasetError: unknown suffix; the message lists the known ones.
    """
    if path.suffix not in _WRITERS:
        raise DatasetError(f"{path}: unknown suffix {path.suffix!r}; write to {', '.join(_WRITERS)}")


def copy_parquet(source: Path, path: Path) -> None:
    """Write the rows of a Parquet file to `.csv` or `.jsonl`, block by block; the file appears when it is whole.

    In CSV a list is the text of a JSON list, and a text that a spreadsheet would take for a formula is made safe.

    Raises:
        UnwritableError: a place that cannot be written to.
        OSError, pyarrow.ArrowException: the source cannot be read.
    """
    with (
        pq.ParquetFile(source, page_checksum_verification=True) as file,
        whole_file(path) as partial,
        _COPIERS[path.suffix](partial, file.schema_arrow) as write,
    ):
        for batch in file.iter_batches(_BLOCK):
            write(pa.Table.from_batches([batch]))


def json_lines(frame: pd.DataFrame, table: Table) -> bytes:
    """The table's columns of a frame, one JSON object a line."""
    return _lines(to_arrow(frame, table))


def _lines(table: pa.Table) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in table.to_pylist())


def _is_list(field: pa.Field) -> bool:
    return bool(pa.types.is_list(field.type))


def _csv_cells(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """A column as CSV holds it."""
    if pa.types.is_list(column.type):
        return pa.array(
            [None if cell is None else orjson.dumps(cell).decode() for cell in column.to_pylist()]
        )
    if not pa.types.is_string(column.type):
        return column
    formulas = pc.match_substring_regex(column, _FORMULA)
    if not pc.any(formulas).as_py():
        return column
    return pc.if_else(formulas, pc.binary_join_element_wise("'", column, ""), column)


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
