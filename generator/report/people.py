"""People: reads the facts of a dataset as one frame for counting."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd

from census_personas.foundation.dataset_reader import columns_of, read_frame
from census_personas.foundation.errors import DatasetError

_ABSURD = 1000  # years; larger ages are unknown


def people_of(
    path: Path,
    facts: Iterable[str],
    also: Iterable[str] = (),
    numbers: Iterable[str] = (),
    *,
    age: str = "age",
    codes: Collection[str] = (),
    none: bool = False,
) -> pd.DataFrame:
    """Read the facts that the dataset has with at least one value; text as categories.

    An age that is not a whole number counts as missing; with missing ages, the column has floats.

    Args:
        path: a dataset file or a run folder.
        facts: columns; the dataset must have at least one.
        also: further optional columns of text.
        numbers: further optional columns of numbers, read as floats.
        age: the column of ages.
        codes: columns to read as text even if they consist of digits.
        none: whether there may be no rows, as in a run that rejected all.

    Raises:
        DatasetError: the dataset cannot be read, has no rows, or has no value of any fact.
    """
    wanted, known = list(facts), columns_of(path)
    columns = [name for name in wanted if name in known]
    if not columns:
        raise DatasetError(
            f"{path}: has none of the columns that the census has ({', '.join(wanted)}); its columns are "
            f"{', '.join(known)}"
        )
    further = dict.fromkeys(name for name in (*also, *numbers) if name in known and name not in columns)
    people = read_frame(path, [*columns, *further], codes)
    if people.empty and none:
        return people
    if people.empty:
        raise DatasetError(f"{path}: has no rows; give a dataset with rows")
    if age in people:
        people[age] = _years(people[age])
    for name in {*numbers} & {*further}:
        people[name] = pd.to_numeric(people[name].astype(object), errors="coerce").astype(float)
    filled = [name for name in (*columns, *further) if people[name].notna().any()]
    if not {*filled} & {*columns}:
        raise DatasetError(f"{path}: no row has a value in {', '.join(columns)}; give a dataset with facts")
    return people[filled]


def _years(column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column.astype(object), errors="coerce").astype(float)
    whole = numbers.where((numbers % 1 == 0) & numbers.between(0, _ABSURD))
    return whole if whole.isna().any() else whole.astype("int64")
