"""Record reader: reads the rows of a dataset file as records, batch by batch."""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
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
KNOWN = frozenset((*PROSE, *LISTS, "sex", "age", "occupation"))


def read_records(path: Path, *, limit: int | None = None, age: str = "age") -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet, JSONL or CSV file in order, with memory for one batch.

    Values of text files stay text; only a number in the column `age` becomes an integer.

    Raises:
        DatasetError: unknown suffix, unreadable file or row, or no column of the persona schema.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"{path}: unknown file type {path.suffix!r}; known: {', '.join(_READERS)}")
    try:
        check_input(path)
        records = reader(path)
        if reader is _csv:
            records = map(partial(_with_number, age), records)
        for row, record in enumerate(itertools.islice(records, limit)):
            if row == 0 and KNOWN.isdisjoint(record) and age not in record:
                raise DatasetError(
                    f"{path}: none of its columns ({', '.join(record)}) belongs to the persona schema; "
                    "give a file that has some, such as sex, age or persona"
                )
            yield record
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not UTF-8 text ({error.reason} in it); save it as UTF-8") from error
    except (OSError, pa.ArrowException, csv.Error) as error:
        known = error.strerror if isinstance(error, OSError) and error.filename is not None else None
        known = known or (os.strerror(error.errno) if isinstance(error, OSError) and error.errno else None)
        reason = known or " ".join(str(error).split()).rstrip(".")
        raise DatasetError(
            f"{path}: cannot be read: {reason}; give a complete {path.suffix} file of rows"
        ) from error


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    # Without a bound on read-ahead, memory grows with the file.
    with pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True) as file:
        _refuse_twins(path, file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            yield from batch.to_pylist()


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows: csv.DictReader[str] = csv.DictReader(lines)
        _refuse_twins(path, rows.fieldnames or ())
        for record in rows:
            if None in record:
                raise DatasetError(f"{path}:{rows.line_num}: has more cells than columns; correct the row")
            yield record


_READERS: Mapping[str, Callable[[Path], Iterator[dict[str, Any]]]] = MappingProxyType(
    {".parquet": _parquet, ".jsonl": read_json_lines, ".csv": _csv}
)


def _refuse_twins(path: Path, columns: Sequence[str]) -> None:
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise DatasetError(f"{path}: duplicate column {twice!r}; rename one")


def _with_number(column: str, record: dict[str, Any]) -> dict[str, Any]:
    text = record.get(column)
    return {**record, column: int(text)} if isinstance(text, str) and _is_number(text) else record


def _is_number(text: str) -> bool:
    """Return whether a cell is a whole number short enough to be an age."""
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_AGE
