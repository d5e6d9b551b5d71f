"""Store: rows to files and back. The importer of pyarrow, beside the column types in `schema`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from persona_engine.generator.run.atomic import whole_file
from persona_engine.generator.run.schema import Kind, Table

_FOOTER = b"persona_engine"
_BATCH = 50_000


class StoreError(ValueError):
    """A dataset file that cannot be read or written; the message names it and the remedy."""


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
    whole = pa.Table.from_pylist([table.row(row) for row in rows], schema=table.arrow)
    footer = {_FOOTER: json.dumps(asdict(info), sort_keys=True).encode()}
    footer |= {name.encode(): text.encode() for name, text in sorted(notes.items())}
    with whole_file(path) as partial:
        pq.write_table(whole.replace_schema_metadata(footer), partial, compression="zstd")


def read_shard(path: Path) -> ShardInfo | None:
    """What a shard's file says about itself; None when it is missing, torn or not one of ours."""
    try:
        footer = pq.read_metadata(path).metadata or {}
        return ShardInfo(**json.loads(footer[_FOOTER]))
    except (OSError, pa.ArrowInvalid, KeyError, TypeError, ValueError):
        return None


@contextmanager
def frame_writer(
    path: Path, table: Table, notes: Mapping[str, str]
) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Write data frames block by block to `.parquet`, `.csv` or `.jsonl`; the file appears when all are written.

    Raises:
        StoreError: another suffix, or a folder that cannot be written to.
    """
    check_suffix(path)
    try:
        with whole_file(path) as partial, _WRITERS[path.suffix](partial, table, notes) as write:
            yield write
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error


@contextmanager
def _parquet(path: Path, table: Table, notes: Mapping[str, str]) -> Iterator[Callable[[pd.DataFrame], None]]:
    schema = table.arrow.with_metadata(dict(notes))
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
        StoreError: naming the suffixes that it can.
    """
    if path.suffix not in _WRITERS:
        raise StoreError(f"{path}: unknown suffix {path.suffix!r}; write to {', '.join(_WRITERS)}")


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
    array = pa.array(values, from_pandas=True)
    return array if array.type == kind else array.cast(kind)


def dataset_files(path: Path) -> tuple[Path, ...]:
    """The files of a dataset: the file itself, a run folder's shards, or a folder's Parquet files.

    Raises:
        StoreError: when there are none.
    """
    folder = path / "personas" if (path / "personas").is_dir() else path
    files = tuple(sorted(folder.glob("*.parquet"))) if folder.is_dir() else (path,)
    if not files or not files[0].exists():
        raise StoreError(f"{path}: no dataset there; give a .parquet, .csv or .jsonl file or a run folder")
    return files


def read_frames(path: Path, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
    """Read a dataset in blocks, with flat memory; of `columns`, those that the dataset has.

    Raises:
        StoreError: a file that is missing, torn, or of an unknown kind.
    """
    for file in dataset_files(path):
        try:
            for batch in _batches(file, columns):
                yield batch.to_pandas()
        except (OSError, pa.ArrowException) as error:
            raise StoreError(f"{file}: cannot be read as a dataset ({error})") from error


def read_frame(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of coded values as one frame, text as categories: some bytes a row, so that millions fit.

    Raises:
        StoreError: as `read_frames`.
    """
    blocks = [
        pa.Table.from_pandas(_coded(frame), preserve_index=False) for frame in read_frames(path, columns)
    ]
    return pa.concat_tables(blocks).unify_dictionaries().to_pandas() if blocks else pd.DataFrame()


def _coded(frame: pd.DataFrame) -> pd.DataFrame:
    text = [name for name, kind in kinds_of(frame).items() if kind == "text"]
    return frame.astype(dict.fromkeys(text, "category"))


def columns_of(path: Path) -> tuple[str, ...]:
    """The columns of a dataset's first file."""
    file = dataset_files(path)[0]
    try:
        if file.suffix == ".parquet":
            return tuple(pq.read_schema(file).names)
        return tuple(next(iter(_batches(file, None))).schema.names)
    except (OSError, pa.ArrowException, StopIteration) as error:
        raise StoreError(f"{file}: cannot be read as a dataset ({error or 'it is empty'})") from error


def _batches(file: Path, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    if file.suffix == ".parquet":
        with pq.ParquetFile(file) as parquet:
            known = [
                name for name in columns or parquet.schema_arrow.names if name in parquet.schema_arrow.names
            ]
            yield from parquet.iter_batches(_BATCH, columns=known)
    elif file.suffix in {".csv", ".jsonl"}:
        for batch in _open_text(file):
            known = [name for name in columns or batch.schema.names if name in batch.schema.names]
            yield batch.select(known)
    else:
        raise StoreError(f"{file}: unknown suffix {file.suffix!r}; read .parquet, .csv or .jsonl")


def _json_row(file: Path, line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        shown = line[:60].decode(errors="replace").strip()
        raise StoreError(
            f"{file}: {shown!r} is no JSON object ({error.msg}); mend or delete the line"
        ) from error


def _open_text(file: Path) -> Iterator[pa.RecordBatch]:
    if file.suffix == ".jsonl":
        with file.open("rb") as lines:
            while block := list(islice(lines, _BATCH)):
                yield pa.RecordBatch.from_pylist([_json_row(file, line) for line in block])
        return
    # Codes such as ZIP are text, whatever digits they are made of.
    codes = {"zipcode": pa.string(), "occupation_code": pa.string()}
    with pyarrow.csv.open_csv(
        file,
        convert_options=pyarrow.csv.ConvertOptions(column_types=codes, strings_can_be_null=False),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
    ) as reader:
        yield from reader


def count_rows(path: Path) -> int:
    """Rows of a dataset; footers suffice for Parquet."""
    files = dataset_files(path)
    if all(file.suffix == ".parquet" for file in files):
        return sum(pq.read_metadata(file).num_rows for file in files)
    return sum(len(frame) for frame in read_frames(path))
