"""Columns: reads PUMS values as numbers, and refuses values that the PUMS data dictionary does not list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from census_personas.census_priors.build.source import SourceError
from census_personas.foundation.arrays import Floats, Mask

REQUIRED = ("SERIALNO", "PWGTP", "AGEP", "SEX", "RAC1P", "HISP", "SCHL")
"""Columns of every person record, even in reduced files (besides STATE, or ST in older files)."""
FILLED = frozenset({"PWGTP", "AGEP", "SEX", "RAC1P", "HISP"})
"""Columns that are never blank."""
CODES: Mapping[str, tuple[int, int]] = {
    "AGEP": (0, 99),
    "SEX": (1, 2),
    "RAC1P": (1, 9),
    "HISP": (1, 24),
    "CIT": (1, 5),
    "LANX": (1, 2),
    "SCHL": (1, 24),
    "FOD1P": (1100, 6403),
    "MAR": (1, 5),
    "ESR": (1, 6),
    "INDP": (170, 9920),
    "OCCP": (10, 9920),
    "COW": (1, 9),
    "JWTRNS": (1, 12),
    "DIS": (1, 2),
    "MIL": (1, 4),
    "HHT": (1, 7),
    "HHL": (1, 5),
    "TYPEHUGQ": (1, 3),
}
"""First and last code of a column (PUMS data dictionary, ACS 1-year, 2023 and 2024)."""


def require(frame: pd.DataFrame, file: Path) -> None:
    """Check that person records have the required columns.

    Raises:
        SourceError: columns are missing; the message names them.
    """
    lacking = [name for name in REQUIRED if name not in frame]
    if not {"STATE", "ST"} & set(frame):
        lacking.append("STATE")
    if lacking:
        has = "column {} is" if len(lacking) == 1 else "columns {} are"
        raise SourceError(f"{file}: {has.format(', '.join(lacking))} missing; PUMS person files have it")


def numbers(frame: pd.DataFrame, names: Sequence[str], file: Path) -> dict[str, Floats]:
    """Read columns as float64, NaN if blank or missing; numbers may be stored as text.

    Raises:
        SourceError: a value is not a number, or not in the data dictionary; the message names the first.
    """
    return {
        name: _column(frame, name, file) if name in frame else np.full(len(frame), np.nan) for name in names
    }


def _column(frame: pd.DataFrame, name: str, file: Path) -> Floats:
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column):
        text = column.astype("string").str.strip()
        text = text.mask(text == "")
        column = pd.to_numeric(text, errors="coerce")
        _refuse(frame, name, text, (text.notna() & column.isna()).to_numpy(), file, "it has numbers")
    values: Floats = column.to_numpy(dtype=np.float64, na_value=np.nan)
    blank = np.isnan(values)
    if name in FILLED:
        _refuse(frame, name, column, blank, file, "it is blank for nobody")
    if name == "PWGTP":
        _refuse(frame, name, column, ~(values > 0) | np.isinf(values), file, "weights are above 0")
    elif name in CODES:
        first, last = CODES[name]
        wrong = ~blank & ~((values >= first) & (values <= last) & (values == np.floor(values)))
        _refuse(frame, name, column, wrong, file, f"the PUMS data dictionary has {first} to {last}")
    return values


def _refuse(frame: pd.DataFrame, name: str, column: pd.Series, wrong: Mask, file: Path, remedy: str) -> None:
    if wrong.any():
        at = int(wrong.argmax())
        more = f" (and {int(wrong.sum()) - 1:,} more)" if wrong.sum() > 1 else ""
        whose = frame["SERIALNO"].iloc[at] if "SERIALNO" in frame else frame.index[at]
        raise SourceError(f"{file}: {name}={column.iloc[at]} of SERIALNO {whose}{more}; {remedy}")
