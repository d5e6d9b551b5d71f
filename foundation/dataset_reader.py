"""Dataset reader: reads Parquet, CSV and JSONL files as data frames, with flat memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from census_personas.foundation.errors import DatasetError
from census_personas.foundation.json_lines import read_json_lines
from census_personas.foundation.run_layout import RunLayout
from census_personas.foundation.user_path import check_input

FOOTER, SAMPLE = b"persona_engine", b"sample"
"""Footer key and value of a Parquet file that holds a sample without texts."""
_BATCH = 50_000


def dataset_files(path: Path) -> tuple[Path, ...]:
    """Return the files of a dataset: the file itself, a run folder's shards, or a folder's Parquet files.

    Raises:
        DatasetError: there are none.
    """
    parts = RunLayout(path).parts
    folder = parts if parts.is_dir() else path
    files = tuple(sorted(folder.glob("*.parquet"))) if folder.is_dir() else (path,)
    if not files or not files[0].exists():
        raise DatasetError(f"{path}: no dataset there; give a .parquet, .csv or .jsonl file or a run folder")
    for file in files:
        with _readable(file):
            check_input(file)
    return files


def read_frames(
    path: Path, columns: Sequence[str] | None = None, codes: Collection[str] = ()
) -> Iterator[pd.DataFrame]:
    """Read a dataset in blocks, with flat memory; `columns` that it lacks are ignored.

    `codes` are columns, such as postcodes, to read as text even if they consist of digits.

    Raises:
        DatasetError: a file is missing, truncated, or of an unknown type.
    """
    for file in dataset_files(path):
        with _readable(file):
            for batch in _batches(file, columns, codes):
                yield batch.to_pandas()


def read_frame(path: Path, columns: Sequence[str], codes: Collection[str] = ()) -> pd.DataFrame:
    """Read columns as one frame, text as categories: a few bytes per row, so that millions of rows fit.

    `codes` are columns, such as postcodes, to read as text even if they consist of digits.

    Raises:
        DatasetError: as in `read_frames`; or a cell holds a list or an object.
    """
    blocks: list[pa.Table] = []
    for file in dataset_files(path):
        with _readable(file):
            blocks += [_coded(file, batch) for batch in _batches(file, columns, codes)]
            whole = pa.concat_tables(blocks, promote_options="permissive") if blocks else pa.table({})
    frame: pd.DataFrame = whole.unify_dictionaries().to_pandas()
    return frame


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()).rstrip(".")
        raise DatasetError(
            f"{file}: cannot be read as a dataset ({reason}); give a complete .parquet, .csv or .jsonl file of rows"
        ) from error


def _coded(file: Path, batch: pa.RecordBatch) -> pa.Table:
    """Encode the text columns of a batch as dictionaries."""
    columns = {}
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        kind = values.type
        if pa.types.is_nested(kind):
            raise DatasetError(
                f"{file}: column {name!r} holds {kind} where one value is needed; write one value per cell"
            )
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        columns[name] = values if number else values.cast(pa.string()).dictionary_encode()
        if not number:
            columns[name].dictionary.validate(full=True)  # refuse text that is not UTF-8
    return pa.table(columns)


def columns_of(path: Path) -> tuple[str, ...]:
    """Return the columns of a dataset's first file.

    Raises:
        DatasetError: as in `read_frames`; or a text file without rows.
    """
    file = dataset_files(path)[0]
    with _readable(file):
        if file.suffix == ".parquet":
            return tuple(pq.read_schema(file).names)
        first = next(iter(_batches(file, None)), None)
    if first is None:
        raise DatasetError(f"{file}: has no rows; give a dataset with rows")
    return tuple(first.schema.names)


def is_sample(path: Path) -> bool:
    """Return whether `personas sample` wrote a Parquet file, by its footer; False for text files."""
    file = dataset_files(path)[0]
    if file.suffix != ".parquet":
        return False
    with _readable(file):
        return (pq.read_schema(file).metadata or {}).get(FOOTER) == SAMPLE


def footer_text(file: Path) -> str:
    """Return the keys and values in the footer of a Parquet file, a line each.

    Raises:
        DatasetError: the file is no readable Parquet file.
    """
    with _readable(file):
        pairs = (pq.read_schema(file).metadata or {}).items()
    return b"\n".join(value for pair in pairs for value in pair).decode("utf-8", "replace")


def _batches(
    file: Path, columns: Sequence[str] | None, codes: Collection[str] = ()
) -> Iterator[pa.RecordBatch]:
    if file.suffix == ".parquet":
        with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
            known = _known(file, parquet.schema_arrow.names, columns)
            yield from parquet.iter_batches(_BATCH, columns=known)
    elif file.suffix in {".csv", ".jsonl"}:
        for batch in _open_text(file, codes):
            yield batch.select(_known(file, batch.schema.names, columns))
    else:
        raise DatasetError(f"{file}: unknown suffix {file.suffix!r}; read .parquet, .csv or .jsonl")


def _known(file: Path, names: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    """Return those of `columns` that the file has; all columns of the file if None."""
    known = [name for name in columns or names if name in names]
    twice = next((name for name in known if names.count(name) > 1), None)
    if twice is not None:
        raise DatasetError(f"{file}: duplicate column {twice!r}; rename one")
    return known


def _open_text(file: Path, codes: Collection[str]) -> Iterator[pa.RecordBatch]:
    if file.suffix == ".jsonl":
        rows = read_json_lines(file)
        while block := list(islice(rows, _BATCH)):
            try:
                yield pa.RecordBatch.from_pylist(block)
            except (OverflowError, pa.ArrowException) as error:
                raise DatasetError(
                    f"{file}: column {_mixed(block)!r} holds values of two kinds ({error}); write one kind"
                ) from error
        return
    text = dict.fromkeys(("occupation_code", *codes), pa.string())
    with pyarrow.csv.open_csv(
        file,
        convert_options=pyarrow.csv.ConvertOptions(column_types=text, strings_can_be_null=False),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
    ) as reader:
        yield from reader


def _mixed(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the first column with values of two kinds."""
    for name in rows[0]:
        try:
            pa.array([row.get(name) for row in rows])
        except (OverflowError, pa.ArrowException):
            return name
    return ""


def count_rows(path: Path) -> int:
    """Count the rows of a dataset, for Parquet from footers; raises like `read_frames`."""
    files = dataset_files(path)
    if all(file.suffix == ".parquet" for file in files):
        with _readable(path):
            return sum(pq.read_metadata(file).num_rows for file in files)
    return sum(len(frame) for frame in read_frames(path))
