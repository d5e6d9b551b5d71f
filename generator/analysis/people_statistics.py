"""People statistics: ages by occupation, degrees by region, and diversity, as data frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats
from census_personas.generator.analysis.groups import (
    AnalysisError,
    Place,
    numbers,
    priors_of,
    require_columns,
    require_rows,
)
from census_personas.generator.report import figures
from census_personas.generator.report.tabulation import Counts, Tabulation
from census_personas.validators.dataset.diversity import ENTROPIES, people_diversity

_Z = 1.959964  # standard normal quantile of a two-sided 95 % interval


def occupation_ages(frame: pd.DataFrame, *, top: int = 10, locale: Place = "en_US") -> pd.DataFrame:
    """Return the most common occupations with the ages of the people who hold them.

    Args:
        frame: one row per person, with the locale's columns of occupation and age.
        top: number of occupations.
        locale: says which columns these are, and which states are no occupation.

    Returns:
        Columns occupation, people, mean_age, median_age, std_age (years; sample standard deviation, 0 for one person),
        the most common occupation first.

    Raises:
        AnalysisError: a column is missing, there are no rows, or an age is not a number.
    """
    priors = priors_of(locale)
    counts = _counts(frame, priors, ("occupation", "age"), "occupation_ages")
    rows = figures.top_occupations(counts, priors.conventions.without_occupation, top)
    table = pd.DataFrame(rows, columns=["occupation", "people", "mean_age", "median_age", "std_age"])
    return table.astype({"people": "int64"})


def degrees_by_region(
    frame: pd.DataFrame, *, top: int | None = 15, least: int = 30, locale: Place = "en_US"
) -> pd.DataFrame:
    """Return the share of people with a bachelor's degree or higher in each region, the largest first.

    People younger than the age at which the locale counts schooling as completed (25 in the United States, as in the
    published tables) are left out.

    Args:
        frame: one row per person, with the locale's columns of age, schooling and region.
        top: number of regions; None for all.
        least: fewest people of a region that is listed; chance would put smaller ones first or last.
        locale: says which columns these are, and which states are degrees.

    Returns:
        Columns region, share, low, high (Wilson's 95 % interval, 1927, JASA 22:209), people.

    Raises:
        AnalysisError: a column is missing, there are no rows, or an age is not a number.
    """
    priors = priors_of(locale)
    counts = _counts(frame, priors, ("age", "schooling", "region"), "degrees_by_region")
    most = len(counts) if top is None else top
    found = figures.degrees_by_region(counts, priors.conventions.schooling, most, least)
    table = pd.DataFrame(found, columns=["state", "share", "people"]).rename(columns={"state": "region"})
    low, high = wilson(table["share"].to_numpy(dtype=float), table["people"].to_numpy(dtype=float))
    table.insert(2, "low", low)
    table.insert(3, "high", high)
    return table.astype({"people": "int64"})


def diversity(frame: pd.DataFrame, *, locale: Place = "en_US") -> pd.DataFrame:
    """Return the five measures of diversity that the guide to Nemotron-Personas takes.

    Args:
        frame: one row per person; measures of columns that it lacks are left out.
        locale: says which columns play the roles of sex, schooling, region, occupation and age.

    Returns:
        Columns attribute, measure (`entropy`, in bits, or `variation`, the sample standard deviation of the age divided
        by its mean), value, and most: the entropy if the values in the frame were equally frequent.

    Raises:
        AnalysisError: the frame has no rows, or none of the columns.
    """
    require_rows(frame, "diversity")
    roles = priors_of(locale).roles
    names, age = roles.named(ENTROPIES), roles.get("age") or "age"
    if age in frame:
        frame = frame.assign(**{age: numbers(frame, age, "diversity")})
    found = people_diversity(frame, names, age)
    rows: list[dict[str, Any]] = [
        {"attribute": name, "measure": "entropy", "value": bits, "most": found.most[name]}
        for name, bits in found.entropy.items()
        if name != age
    ]
    if found.age_variation is not None:
        rows.append({"attribute": age, "measure": "variation", "value": found.age_variation, "most": np.nan})
    if not rows:
        raise AnalysisError(f"diversity: the frame has none of the columns {', '.join((*names, age))}")
    return pd.DataFrame(rows)


def wilson(share: Floats, people: Floats) -> tuple[Floats, Floats]:
    """Return the ends of Wilson's 95 % interval of shares of so many people."""
    scale = 1 + _Z**2 / people
    middle = (share + _Z**2 / (2 * people)) / scale
    half = _Z / scale * np.sqrt(share * (1 - share) / people + _Z**2 / (4 * people**2))
    return middle - half, middle + half


def _counts(frame: pd.DataFrame, priors: Priors, roles: tuple[str, ...], task: str) -> Counts[Any]:
    """Count people by roles; those with an unknown fact are left out."""
    require_rows(frame, task)
    if missing := priors.roles.missing(roles):
        raise AnalysisError(f"{task}: locale {priors.locale} has no attribute of the role {missing[0]}")
    columns = priors.roles.named(roles)
    require_columns(frame, columns, task)
    age = priors.roles["age"]
    known = frame[list(columns)].assign(**{age: numbers(frame, age, task)}).dropna()
    if known.empty:
        raise AnalysisError(f"{task}: no row has a value in each of {', '.join(columns)}")
    return Tabulation.of([known.astype({age: "int64"})], [columns]).counts(*columns).rename_axis(list(roles))
