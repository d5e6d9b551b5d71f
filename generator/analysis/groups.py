"""Groups: the people of a data frame by one or more columns, with ages in bands."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from census_personas.census_priors.priors import Priors
from census_personas.foundation.errors import PersonasError
from census_personas.generator.population.population import Population
from census_personas.generator.report.figures import band

GUIDE_EDGES = (18, 30, 45, 60, 75)
"""First ages of the bands that the guide to Nemotron-Personas balances training data by."""
By = str | Sequence[str]
"""One column, or several."""
Place = str | Path | Priors | Population
"""A locale's name or folder, its priors, or its fitted population."""


class AnalysisError(PersonasError, ValueError):
    """A frame, column or number that an analysis cannot use; the message names it and the remedy."""


def columns_by(by: By) -> tuple[str, ...]:
    """Return the names of one column or several, each once.

    Raises:
        AnalysisError: no column is named.
    """
    names = tuple(dict.fromkeys([by] if isinstance(by, str) else by))
    if not names:
        raise AnalysisError("by: no column is named; give one, such as 'age', or several")
    return names


def require_columns(frame: pd.DataFrame, names: Iterable[str], task: str) -> None:
    """Check that a frame has these columns.

    Raises:
        AnalysisError: it lacks one; names the nearest.
    """
    known = [str(name) for name in frame.columns]
    for name in names:
        if name in known:
            continue
        near = difflib.get_close_matches(str(name).casefold(), known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known[:30])}"
        raise AnalysisError(f"{task}: the frame has no column {name!r}; {hint}")


def require_rows(frame: pd.DataFrame, task: str) -> None:
    """Check that a frame has rows.

    Raises:
        AnalysisError: it has none.
    """
    if frame.empty:
        raise AnalysisError(f"{task}: the frame has no rows; give one with people")


def numbers(frame: pd.DataFrame, column: str, task: str) -> pd.Series:
    """Return a column as numbers; missing cells stay missing.

    Raises:
        AnalysisError: a cell is not a number.
    """
    values = frame[column].astype(object)
    found = pd.to_numeric(values, errors="coerce").astype(float)
    if (bad := found.isna() & values.notna()).any():
        raise AnalysisError(
            f"{task}: column {column!r} holds {values[bad].iloc[0]!r} where a number is needed; convert it first"
        )
    return found


def group_labels(
    frame: pd.DataFrame, by: By, task: str, *, age: str = "age", edges: Sequence[int] = GUIDE_EDGES
) -> pd.DataFrame:
    """Label each person with its group.

    Args:
        frame: one row per person.
        by: columns.
        task: for messages.
        age: the column whose numbers become bands.
        edges: the first age of each band; the last band is open.

    Returns:
        A frame of texts (missing cells stay missing) with the same index and the columns `by`.

    Raises:
        AnalysisError: a column is missing, or an age is not a number.
    """
    names = columns_by(by)
    require_columns(frame, names, task)
    labels = {}
    for name in names:
        if name == age:
            years = numbers(frame, name, task)
            labels[name] = years.map(lambda year: band(int(year), edges), na_action="ignore").astype(object)
        else:
            labels[name] = frame[name].astype(object).map(str, na_action="ignore").astype(object)
    return pd.DataFrame(labels, index=frame.index)


def group_counts(labels: pd.DataFrame) -> pd.Series:
    """Count the people of each group, groups sorted; people with a missing label are left out."""
    return labels.value_counts(sort=False).sort_index()


def described(columns: Sequence[str], group: Sequence[object]) -> str:
    """Write a group in words: `sex=Female, age=75+`."""
    return ", ".join(f"{name}={value}" for name, value in zip(columns, group, strict=True))


def priors_of(locale: Place) -> Priors:
    """Return the priors of a locale."""
    if isinstance(locale, Population):
        return locale.priors
    return locale if isinstance(locale, Priors) else Priors.load(locale)


def population_of(locale: Place) -> Population:
    """Return the population of a locale."""
    return locale if isinstance(locale, Population) else Population.load(locale)
