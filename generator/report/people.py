"""People: the facts of a dataset as one frame, fit to be counted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd

from census_personas.foundation.dataset_reader import columns_of, read_frame
from census_personas.foundation.errors import DatasetError

_ABSURD = 1000  # years; an age from here on is none


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
    """Those of the facts that the dataset has a column of and that some row says; text as categories.

    An age that is no whole number of years is unknown, as a missing one is; where some are, ages are floats.

    Args:
        path: a dataset file or a run folder.
        facts: columns of which the dataset must have one.
        also: further columns of text, which it may have.
        numbers: further columns of numbers, which become floats.
        age: the column of ages.
        codes: columns that are text, whatever digits they are made of.
        none: whether there may be no rows, as in a run that came out short of all.

    Raises:
        DatasetError: a dataset that cannot be read, has no rows, or says none of the facts.
    """
    wanted, known = list(facts), columns_of(path)
    columns = [name for name in wanted if name in known]
    if not columns:
        raise DatasetError(
            f"{path}: has none of the columns that the census knows ({', '.join(wanted)}); its columns are "
            f"{', '.join(known)}"
        )
    further = dict.fromkeys(name for name in (*also, *numbers) if name in known and name not in columns)
    people = read_frame(path, [*columns, *further], codes)
    if people.empty and none:
        return people
    if people.empty:
        raise DatasetError(f"{path}: has no rows; give a dataset that has some")
    if age in people:
        people[age] = _years(people[age])
    for name in {*numbers} & {*further}:
        people[name] = pd.to_numeric(people[name].astype(object), errors="coerce").astype(float)
    said = [name for name in (*columns, *further) if people[name].notna().any()]
    if not {*said} & {*columns}:
        raise DatasetError(f"{path}: no row says anything in {', '.join(columns)}; give a dataset that does")
    return people[said]


def _years(column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column.astype(object), errors="coerce").astype(float)
    whole = numbers.where((numbers % 1 == 0) & numbers.between(0, _ABSURD))
    return whole if whole.isna().any() else whole.astype("int64")
