"""Record reader: reads the rows of a dataset file as records, batch by batch."""

from __future__ import annotations

import codecs
import csv
import itertools
import os
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from census_personas.foundation.errors import DatasetError
from census_personas.foundation.json_lines import read_json_lines
from census_personas.foundation.schema import LISTS, PROSE
from census_personas.foundation.user_path import check_input

BATCH_ROWS = 1024
LONGEST_AGE = 9  # digits
BUFFER = 1 << 20  # bytes read ahead of a column
_READERS = (".parquet", ".jsonl", ".csv")
_LONGEST_LINE = 1 << 20  # characters
KNOWN = frozenset((*PROSE, *LISTS, "sex", "age", "occupation"))


def read_records(path: Path, *, limit: int | None = None, age: str = "age") -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet, JSONL or CSV file in order, with memory for one batch.

    Values of text files stay text; only a number in the column `age` becomes an integer.

    Raises:
        DatasetError: unknown suffix, unreadable file or row, or no column of the persona schema.
    """
    path = Path(path)
    if path.suffix.lower() not in _READERS:
        raise DatasetError(f"{path}: unknown file type {path.suffix!r}; known: {', '.join(_READERS)}")
    records = _rows(path, TextFormat())
    if path.suffix.lower() == ".csv":
        records = map(partial(_with_number, age), records)
    for row, record in enumerate(itertools.islice(records, limit)):
        if row == 0 and KNOWN.isdisjoint(record) and age not in record:
            raise DatasetError(
                f"{path}: none of its columns ({', '.join(record)}) is of the persona schema; "
                "give a file that has some, such as sex, age or persona"
            )
        yield record


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How a text file of cells is written."""

    encoding: str = "utf-8-sig"
    separator: str = ","


def read_rows(
    path: Path, text: TextFormat, columns: Collection[str] | None = None, start: int = 0
) -> Iterator[dict[str, Any]]:
    """Rows of a file with columns of any names, in order, with memory for one batch.

    Args:
        path: a .parquet, .csv, .tsv or .jsonl file.
        text: how a .csv or .tsv file is written; its cells are texts, and None where a row is short.
        columns: those to read of a Parquet file; other files give all of theirs. A number in a CSV file's column
            `age` becomes an integer.
        start: rows to pass over: of a Parquet file without reading their row groups.

    Raises:
        DatasetError: unknown suffix, unreadable file or row, or two columns of one name.
    """
    rows = _rows(path, text, columns, start)
    return map(partial(_with_number, "age"), rows) if path.suffix.lower() == ".csv" else rows


def read_columns(
    path: Path, text: TextFormat, columns: Collection[str]
) -> Iterator[Mapping[str, Sequence[Any]]]:
    """The cells of some columns, a block of rows at a time: those of `read_rows`, without an object for each row.

    Raises:
        DatasetError: as `read_rows`.
    """
    if path.suffix.lower() in {".csv", ".tsv"}:
        with _readable(path, text):
            yield from _csv_columns(path, text, columns)
        return
    rows = read_rows(path, text, columns)
    while block := list(itertools.islice(rows, BATCH_ROWS)):
        yield {name: [row.get(name) for row in block] for name in columns}


def _csv_columns(
    path: Path, text: TextFormat, columns: Collection[str]
) -> Iterator[Mapping[str, Sequence[Any]]]:
    with path.open(encoding=text.encoding, newline="") as lines:
        reader = csv.reader(lines, delimiter=text.separator)
        header = next(reader, [])
        _refuse_twins(path, header)
        width = len(header)
        while block := list(itertools.islice(reader, BATCH_ROWS)):
            rows = [row for row in block if row]
            if any(len(row) > width for row in rows):
                deque(_csv(path, text), maxlen=0)  # says which line it is
            whole = [row if len(row) == width else [*row, *[None] * (width - len(row))] for row in rows]
            cells = dict(zip(header, zip(*whole, strict=True), strict=True)) if whole else {}
            found: dict[str, Sequence[Any]] = {name: cells.get(name, (None,) * len(rows)) for name in columns}
            if path.suffix.lower() == ".csv" and "age" in found:
                found["age"] = [_whole(cell) for cell in found["age"]]
            yield found


def _whole(cell: Any) -> Any:
    return int(cell) if isinstance(cell, str) and _is_number(cell) else cell


def header_of(path: Path, text: TextFormat) -> tuple[str, ...]:
    """The columns that a file names before its rows: of Parquet, CSV and TSV; empty for JSONL.

    Raises:
        DatasetError: as `read_rows`.
    """
    with _readable(path, text):
        if path.suffix.lower() == ".parquet":
            return tuple(pq.read_schema(path).names)
        if path.suffix.lower() == ".jsonl":
            return ()
        with path.open(encoding=text.encoding, newline="") as lines:
            return tuple(next(csv.reader(lines, delimiter=text.separator), ()))


def first_line(path: Path, encoding: str) -> str:
    """The first line of a text file.

    Raises:
        DatasetError: as `read_rows`.
    """
    with _readable(path, TextFormat(encoding)), path.open(encoding=encoding) as lines:
        return lines.readline(_LONGEST_LINE)


@contextmanager
def _readable(path: Path, text: TextFormat) -> Iterator[None]:
    try:
        check_input(path)
        yield
    except UnicodeError as error:
        reason = getattr(error, "reason", str(error))
        if codecs.lookup(text.encoding.removesuffix("-sig")).name == "utf-8":
            remedy = "save it as UTF-8"
            if path.suffix.lower() in {".csv", ".tsv"}:
                remedy += ", or name its encoding to narrate or complete, such as input.encoding: latin-1"
            raise DatasetError(f"{path}: is not UTF-8 text ({reason} in it); {remedy}") from error
        raise DatasetError(
            f"{path}: is not {text.encoding} text ({reason} in it); name its encoding"
        ) from error
    except (OSError, pa.ArrowException, csv.Error) as error:
        known = error.strerror if isinstance(error, OSError) and error.filename is not None else None
        known = known or (os.strerror(error.errno) if isinstance(error, OSError) and error.errno else None)
        reason = known or " ".join(str(error).split()).rstrip(".")
        raise DatasetError(
            f"{path}: cannot be read: {reason}; give a complete {path.suffix} file of rows"
        ) from error


def _rows(
    path: Path, text: TextFormat, columns: Collection[str] | None = None, start: int = 0
) -> Iterator[dict[str, Any]]:
    suffix = path.suffix.lower()
    with _readable(path, text):
        if suffix == ".parquet":
            yield from _parquet(path, columns, start)
        elif suffix == ".jsonl":
            yield from itertools.islice(read_json_lines(path), start, None)
        elif suffix in {".csv", ".tsv"}:
            yield from itertools.islice(_csv(path, text), start, None)
        else:
            raise DatasetError(f"{path}: unknown suffix {path.suffix!r}; read .parquet, .csv, .tsv or .jsonl")


def _parquet(path: Path, columns: Collection[str] | None, start: int) -> Iterator[dict[str, Any]]:
    # Without a bound on what is read ahead, memory grows with the file.
    with pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True) as file:
        names = file.schema_arrow.names
        _refuse_twins(path, names)
        read = None if columns is None else [name for name in names if name in columns]
        groups = [*range(file.num_row_groups)]
        while groups and start >= (rows := file.metadata.row_group(groups[0]).num_rows):
            start -= rows
            del groups[0]
        for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=groups, columns=read):
            yield from batch.slice(start).to_pylist()
            start = max(0, start - batch.num_rows)


def _csv(path: Path, text: TextFormat) -> Iterator[dict[str, Any]]:
    with path.open(encoding=text.encoding, newline="") as lines:
        rows: csv.DictReader[str] = csv.DictReader(lines, delimiter=text.separator)
        _refuse_twins(path, rows.fieldnames or ())
        for record in rows:
            if None in record:
                raise DatasetError(f"{path}:{rows.line_num}: has more cells than columns; correct the row")
            yield record


def _refuse_twins(path: Path, columns: Sequence[str]) -> None:
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise DatasetError(f"{path}: duplicate column {twice!r}; rename one")


def _with_number(column: str, record: dict[str, Any]) -> dict[str, Any]:
    return {**record, column: _whole(record[column])} if column in record else record


def _is_number(text: str) -> bool:
    """Return whether a cell is a whole number short enough to be an age."""
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_AGE
