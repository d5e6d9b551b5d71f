"""Table files: a census table as Parquet or CSV, one row per cell, read into a `Marginal`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.lib
import pyarrow.parquet as pq
import pyarrow.types

from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.foundation.arrays import Floats
from census_personas.foundation.user_path import check_input

WEIGHT, SAMPLES = "weight", "samples"
MOST_CELLS = 20_000_000
"""Most cells of a table, which takes eight bytes per cell in memory."""
MOST_BYTES = 250_000_000
"""Most bytes of a table's file, packed and unpacked."""
SHOWN = 60
"""Characters of a wrong state shown in a message."""


def table_path(folder: Path, attributes: tuple[str, ...]) -> Path:
    """Return the file of a table: `tables/<attributes joined by ->`, Parquet if it exists, else CSV.

    Raises:
        TableError: neither exists, or it is not a regular file.
    """
    stem = folder / "tables" / "-".join(attributes)
    for suffix in (".parquet", ".csv"):
        path = stem.with_name(stem.name + suffix)
        try:
            there = os.path.lexists(path)
        except ValueError as error:
            raise TableError(f"{path}: not a valid file name ({error}); rename its attributes") from error
        if there and not path.is_file():
            raise TableError(
                f"{path}: is not a regular file, nor a link to one; put a table there, or remove it from "
                f"priors.yaml"
            )
        if there:
            return path
    raise TableError(
        f"{stem}.parquet: no such table, nor a .csv; build the locale or remove the table from priors.yaml"
    )


def read_marginal(path: Path, domain: Domain) -> Marginal:
    """Read the cells of one table; cells missing from the file are zero.

    The file has one column per attribute of `domain`, `weight` (persons) and, where known, `samples`
    (unweighted persons); other columns are ignored.

    Raises:
        TableError: unreadable file, too many cells or bytes, missing column, unknown state, repeated cell, bad weight.
    """
    if domain.size > MOST_CELLS:
        shown = " x ".join(map(str, domain.shape))
        raise TableError(
            f"{path}: a table of {shown} = {domain.size:,} cells, {domain.size * 8 / 2**30:,.1f} GiB; one has "
            f"at most {MOST_CELLS:,}: leave attributes out, or use coarser views of them"
        )
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise TableError(f"{path}: {size:,} bytes; a table has at most {MOST_BYTES:,}, one row per cell")
    frame = _frame(path, domain)
    codes = [_codes(path, domain, name, frame[name]) for name in domain]
    cells = np.ravel_multi_index(codes, domain.shape)
    if len(np.unique(cells)) != len(cells):
        first = int(pd.Series(cells).duplicated().argmax())
        where = ", ".join(f"{name}={frame[name].iloc[first]}" for name in domain)
        raise TableError(f"{path}: the cell {where} is given twice; give each cell once")

    def spread(column: str) -> Floats:
        values = np.zeros(domain.size)
        read = pd.to_numeric(frame[column], errors="coerce")
        cells_text = frame[column].astype("string").str.strip().str.lower()
        unread = read.isna() & cells_text.notna() & ~cells_text.isin(["nan", ""])
        if unread.any():
            shown = str(frame[column][unread].iloc[0])[:SHOWN]
            raise TableError(
                f"{path}: {column} {shown!r} is not a number; write only digits and a decimal point"
            )
        values[cells] = read.to_numpy(dtype=np.float64)
        return values.reshape(domain.shape)

    samples = spread(SAMPLES) if SAMPLES in frame else None
    return Marginal(domain, spread(WEIGHT), samples, str(path))


def _frame(path: Path, domain: Domain) -> pd.DataFrame:
    """Read the relevant columns of a table file; text is unchanged."""
    wanted = (*domain, WEIGHT, SAMPLES)
    try:
        check_input(path)
        if path.suffix == ".parquet":
            frame = _parquet(path, domain)
        else:
            known = [str(name) for name in _csv(path, None, 0).columns]
            _check_columns(path, domain, known)
            twice = next(
                (name for name in wanted if f"{name}.1" in known), None
            )  # as pandas names a second one
            if twice is not None:
                raise TableError(f"{path}: duplicate column {twice!r}; keep one")
            frame = _csv(path, [name for name in known if name in wanted], domain.size + 1)
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8") from error
    except (OSError, pyarrow.lib.ArrowException, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = " ".join(str(error).split())
        raise TableError(f"{path}: cannot be read as a table ({reason}); rebuild the locale") from error
    _check_columns(path, domain, [str(name) for name in frame.columns])
    return frame


def _csv(path: Path, columns: list[str] | None, rows: int) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, na_filter=False, encoding="utf-8-sig", usecols=columns, nrows=rows)


def _parquet(path: Path, domain: Domain) -> pd.DataFrame:
    wanted = (*domain, WEIGHT, SAMPLES)
    with pq.ParquetFile(path) as file:
        unpacked = sum(
            file.metadata.row_group(number).total_byte_size for number in range(file.metadata.num_row_groups)
        )
        if unpacked > MOST_BYTES:
            raise TableError(
                f"{path}: {unpacked:,} bytes unpacked; a table has at most {MOST_BYTES:,}, one row per cell"
            )
        rows = file.metadata.num_rows
        if rows > domain.size:
            raise TableError(
                f"{path}: {rows:,} rows for {domain.size:,} cells, so some are given twice; give each cell once"
            )
        schema = file.schema_arrow
        known = [name for name in wanted if name in schema.names]
        twice = next((name for name in known if schema.names.count(name) > 1), None)
        if twice is not None:
            raise TableError(f"{path}: duplicate column {twice!r}; keep one")
        for name in known:
            kind = schema.field(name).type
            sound = pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)
            if name in {WEIGHT, SAMPLES} and not sound:
                raise TableError(f"{path}: column {name!r} holds {kind}, not numbers")
        frame: pd.DataFrame = file.read(columns=known).replace_schema_metadata(None).to_pandas()
    return frame if known else pd.DataFrame(columns=schema.names)


def _check_columns(path: Path, domain: Domain, known: list[str]) -> None:
    missing = next((name for name in (*domain, WEIGHT) if name not in known), None)
    if missing is not None:
        hint = (
            next((f"; separate columns by commas, not {sign!r}" for sign in ";\t|" if sign in known[0]), "")
            if len(known) == 1
            else ""
        )
        raise TableError(
            f"{path}: column {missing!r} is missing; there are {', '.join(known) or 'none'}{hint}"
        )


def _codes(path: Path, domain: Domain, name: str, column: pd.Series) -> np.ndarray:
    states = domain[name]
    known = {str(state): code for code, state in enumerate(states)}
    # Whole numbers may be stored as integers, floats or text; compare them in the same form.
    whole = isinstance(states[0], int) and pd.api.types.is_float_dtype(column)
    texts = column.map("{:g}".format if whole else str)
    found = texts.map(known)
    if found.isna().any():
        shown = ", ".join(map(str, states[:8])) + (", …" if len(states) > 8 else "")
        wrong = str(texts[found.isna()].iloc[0])[:SHOWN]
        wrong = wrong if isinstance(states[0], int) else repr(wrong)
        raise TableError(f"{path}: {name}={wrong} is not a state of the domain ({shown})")
    return found.to_numpy(dtype=np.int64)
