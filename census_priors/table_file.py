"""Table files: a census table as Parquet or CSV, one row a cell, read into a `Marginal`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.lib

from persona_engine.census_priors.domain import Domain
from persona_engine.census_priors.marginal import Array, Marginal, TableError
from persona_engine.census_priors.named_place import check_input

WEIGHT, SAMPLES = "weight", "samples"


def table_path(folder: Path, attributes: tuple[str, ...]) -> Path:
    """The file of a table: `tables/<attributes joined by ->`, Parquet if it is there, else CSV.

    Raises:
        TableError: there is neither.
    """
    stem = folder / "tables" / "-".join(attributes)
    for suffix in (".parquet", ".csv"):
        path = stem.with_name(stem.name + suffix)
        if path.exists():
            return path
    raise TableError(
        f"{stem}.parquet: no such table, nor a .csv; build the locale or take it out of priors.yaml"
    )


def read_marginal(path: Path, domain: Domain) -> Marginal:
    """Read the cells of one table; cells that the file leaves out are zero.

    The file has one column per attribute of `domain`, `weight` (persons) and, where known, `samples`
    (unweighted persons).

    Raises:
        TableError: unreadable file, missing column, unknown state, repeated cell, bad weight.
    """
    try:
        check_input(path)
        frame = (
            pd.read_parquet(path)
            if path.suffix == ".parquet"
            else pd.read_csv(path, dtype=str, na_filter=False)
        )
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8") from error
    except (OSError, pyarrow.lib.ArrowException, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError(f"{path}: cannot be read as a table ({error}); rebuild the locale") from error
    missing = [name for name in (*domain, WEIGHT) if name not in frame]
    if missing:
        raise TableError(
            f"{path}: column {missing[0]!r} is missing; there are {', '.join(map(str, frame.columns))}"
        )
    if path.suffix == ".parquet":
        for name in (WEIGHT, SAMPLES):
            if name in frame and frame[name].dtype.kind not in "iuf":
                raise TableError(f"{path}: column {name!r} holds {frame[name].dtype}, not numbers")
    codes = [_codes(path, domain, name, frame[name]) for name in domain]
    cells = np.ravel_multi_index(codes, domain.shape)
    if len(np.unique(cells)) != len(cells):
        first = int(pd.Series(cells).duplicated().argmax())
        where = ", ".join(f"{name}={frame[name].iloc[first]}" for name in domain)
        raise TableError(f"{path}: the cell {where} is given twice; give each cell once")

    def spread(column: str) -> Array:
        values = np.zeros(domain.size)
        values[cells] = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64)
        return values.reshape(domain.shape)

    samples = spread(SAMPLES) if SAMPLES in frame else None
    return Marginal(domain, spread(WEIGHT), samples, str(path))


def write_marginal(marginal: Marginal, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write the cells that are not zero, as Parquet that is byte for byte the same from the same table."""
    from persona_engine.census_priors.build.compiled import write_table  # noqa: PLC0415  only builders write

    cells = np.flatnonzero(marginal.weights)
    codes = np.unravel_index(cells, marginal.domain.shape)
    columns: dict[str, object] = {}
    for name, code in zip(marginal.domain, codes, strict=True):
        states = marginal.domain[name]
        columns[name] = np.asarray(states, dtype=np.int16 if isinstance(states[0], int) else object)[code]
    columns[WEIGHT] = np.round(marginal.weights.ravel()[cells], 2)
    if marginal.samples is not None:
        columns[SAMPLES] = marginal.samples.ravel()[cells].astype(np.int32)
    write_table(pd.DataFrame(columns), path, notes=notes)


def _codes(path: Path, domain: Domain, name: str, column: pd.Series) -> np.ndarray:
    states = domain[name]
    known = {str(state): code for code, state in enumerate(states)}
    # Whole numbers are written as they are, whether a file keeps them as integers, floats or text.
    whole = isinstance(states[0], int) and pd.api.types.is_float_dtype(column)
    texts = column.map("{:g}".format if whole else str)
    found = texts.map(known)
    if found.isna().any():
        shown = ", ".join(map(str, states[:8])) + (", …" if len(states) > 8 else "")
        wrong = texts[found.isna()].iloc[0]
        wrong = wrong if isinstance(states[0], int) else repr(wrong)
        raise TableError(f"{path}: {name}={wrong} is no state of the domain ({shown})")
    return found.to_numpy(dtype=np.int64)
