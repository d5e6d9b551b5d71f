"""Store: rows to files and back. The importer of pyarrow, beside the column types in `schema`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from persona_engine.generator.atomic import UnwritableError, whole_file
from persona_engine.generator.dataset_file import FOOTER, SAMPLE, DatasetError
from persona_engine.generator.run.schema import Kind, Table


@dataclass(frozen=True, slots=True)
class Shard:
    """Rows `start` up to, not including, `stop` of the population: one file of the dataset."""

    index: int
    start: int
    stop: int

    @property
    def file(self) -> str:
        """The file's name."""
        return f"part-{self.index:05d}.parquet"


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """What a finished shard's file says about itself, in its Parquet footer.

    Nothing here may differ between two runs of the same configuration: files are compared byte by byte.
    `round` is the round of attempts that left rows rejected; 0 for a shard without any. `findings` counts the
    accepted rows that a rule spoke about, under `rule:severity`.
    """

    start: int
    stop: int
    accepted: int
    rejected: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    round: int = 0
    findings: Mapping[str, int] = field(default_factory=dict)


def write_shard(
    path: Path, table: Table, rows: Sequence[Mapping[str, Any]], info: ShardInfo, notes: Mapping[str, str]
) -> None:
    """Write one finished shard whole; `notes` are further footer entries, such as the narrator's notice."""
    whole = pa.Table.from_pydict(table.values(rows), schema=table.arrow)
    footer = {FOOTER: json.dumps(asdict(info), sort_keys=True).encode()}
    footer |= {name.encode(): text.encode() for name, text in sorted(notes.items())}
    with whole_file(path) as partial:
        pq.write_table(whole.replace_schema_metadata(footer), partial, compression="zstd")


def read_shard(path: Path) -> ShardInfo | None:
    """What a shard's file says about itself; None when it is missing, torn or not one of ours."""
    try:
        footer = pq.read_metadata(path).metadata or {}
        return ShardInfo(**json.loads(footer[FOOTER]))
    except (OSError, pa.ArrowInvalid, KeyError, TypeError, ValueError):
        return None


@contextmanager
def frame_writer(
    path: Path, table: Table, notes: Mapping[str, str]
) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Write data frames block by block to `.parquet`, `.csv` or `.jsonl`; the file appears when all are written.

    Raises:
        DatasetError: another suffix.
        UnwritableError: a place that cannot be written to.
    """
    check_suffix(path)
    try:
        with whole_file(path) as partial, _WRITERS[path.suffix](partial, table, notes) as write:
            yield write
    except UnwritableError:
        raise
    except OSError as error:  # pyarrow's own, without a number
        raise DatasetError(f"{path}: cannot be written ({error.strerror or error})") from error


@contextmanager
def _parquet(path: Path, table: Table, notes: Mapping[str, str]) -> Iterator[Callable[[pd.DataFrame], None]]:
    schema = table.arrow.with_metadata({**notes, FOOTER.decode(): SAMPLE.decode()})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
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


def check_suffix(path: Path) -> None:
    """Refuse a file that `frame_writer` could not write, before any work is done for it.

    Raises:
        DatasetError: naming the suffixes that it can.
    """
    if path.suffix not in _WRITERS:
        raise DatasetError(f"{path}: unknown suffix {path.suffix!r}; write to {', '.join(_WRITERS)}")


def json_lines(frame: pd.DataFrame, table: Table) -> bytes:
    """The table's columns of a frame, one JSON object a line."""
    rows = to_arrow(frame, table).to_pylist()
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def kinds_of(frame: pd.DataFrame) -> dict[str, Kind]:
    """A frame's columns and what their cells are."""
    return {
        str(n): "integer" if pd.api.types.is_integer_dtype(t) else "text" for n, t in frame.dtypes.items()
    }


def to_arrow(frame: pd.DataFrame, table: Table) -> pa.Table:
    """The table's columns of a frame, in its types; categories become the text that they stand for."""
    return pa.table(
        [
            _array(frame[column.name], kind)
            for column, kind in zip(table.columns, table.arrow.types, strict=True)
        ],
        schema=table.arrow,
    )


def _array(values: pd.Series[Any], kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    return pa.array(values, from_pandas=True).cast(kind)
