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
from persona_engine.validators.reader import json_rows

_FOOTER = b"persona_engine"
_SAMPLE = b"sample"  # in the footer of a population that nobody narrated
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
    schema = table.arrow.with_metadata({**notes, _FOOTER.decode(): _SAMPLE.decode()})
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
    return pa.array(values, from_pandas=True).cast(kind)


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
        with _readable(file):
            for batch in _batches(file, columns):
                yield batch.to_pandas()


def read_frame(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of coded values as one frame, text as categories: some bytes a row, so that millions fit.

    Raises:
        StoreError: as `read_frames`; or a cell that holds a list or an object.
    """
    blocks: list[pa.Table] = []
    for file in dataset_files(path):
        with _readable(file):
            blocks += [_coded(file, batch) for batch in _batches(file, columns)]
            whole = pa.concat_tables(blocks, promote_options="permissive") if blocks else pa.table({})
    frame: pd.DataFrame = whole.unify_dictionaries().to_pandas()
    return frame


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise StoreError(
            f"{file}: cannot be read as a dataset ({said}); give a whole .parquet, .csv or .jsonl file of rows"
        ) from error


def _coded(file: Path, batch: pa.RecordBatch) -> pa.Table:
    """The batch with text as dictionary codes."""
    columns = {}
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        kind = values.type
        if pa.types.is_nested(kind):
            raise StoreError(
                f"{file}: column {name!r} holds {kind} where one value is needed; write one value a cell"
            )
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        columns[name] = values if number else values.cast(pa.string()).dictionary_encode()
    return pa.table(columns)


def columns_of(path: Path) -> tuple[str, ...]:
    """The columns of a dataset's first file.

    Raises:
        StoreError: as `read_frames`, or a text file without rows.
    """
    file = dataset_files(path)[0]
    with _readable(file):
        if file.suffix == ".parquet":
            return tuple(pq.read_schema(file).names)
        first = next(iter(_batches(file, None)), None)
    if first is None:
        raise StoreError(f"{file}: has no rows; give a dataset that has some")
    return tuple(first.schema.names)


def is_sample(path: Path) -> bool:
    """Whether a Parquet file says that `personas sample` wrote it; text files cannot say so."""
    file = dataset_files(path)[0]
    if file.suffix != ".parquet":
        return False
    with _readable(file):
        return (pq.read_schema(file).metadata or {}).get(_FOOTER) == _SAMPLE


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


def _open_text(file: Path) -> Iterator[pa.RecordBatch]:
    if file.suffix == ".jsonl":
        rows = json_rows(file)
        while block := list(islice(rows, _BATCH)):
            try:
                yield pa.RecordBatch.from_pylist(block)
            except (OverflowError, pa.ArrowException) as error:
                raise StoreError(
                    f"{file}: a column holds values of two kinds ({error}); write one kind"
                ) from error
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
    """Rows of a dataset; footers suffice for Parquet, and it raises as `read_frames` does."""
    files = dataset_files(path)
    if all(file.suffix == ".parquet" for file in files):
        with _readable(path):
            return sum(pq.read_metadata(file).num_rows for file in files)
    return sum(len(frame) for frame in read_frames(path))
