"""Single ages: the labour force survey's age bands spread over single years by the budget survey.

A person of a band becomes one fraction of a person for each year of the band. The fractions depend on sex, marital
status, education in four groups and labour-force status, as the budget survey of 2016 to 2022 has them; they are raked
(Deming and Stephan 1940) so that, by sex, the years of a band have the shares of their cohorts. From 65 on, where
deaths change cohorts, the shares are those of the survey's last two years. The survey adds up 85 and over: these are
spread over 85 to 100 by a constant ratio from one year to the next, which continues the mean of the years 80 to 84
and keeps their total. People of 16 and 17 are then left out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import brentq  # type: ignore[import-untyped]

from census_personas.census_priors.build.es_ES.budget_survey import OPEN_AGE, cohort_ages
from census_personas.census_priors.build.es_ES.reweighting import LAST_YEAR, YEAR
from census_personas.foundation.arrays import Floats, Integers

FIRST, ADULT, LAST, OLDEST_BAND = 16, 18, 100, 65
SEX = ("Male", "Female")
MARITAL = ("never_married", "married", "widowed", "separated_or_divorced")
SCHOOLING = {
    "illiterate": "primary_or_less",
    "primary_incomplete": "primary_or_less",
    "primary": "primary_or_less",
    "lower_secondary": "lower_secondary",
    "upper_secondary_general": "upper_secondary",
    "upper_secondary_vocational": "upper_secondary",
    "higher": "higher",
}
GROUPS = tuple(dict.fromkeys(SCHOOLING.values()))
WORK = ("employed", "unemployed", "not_in_workforce")
LEVELS = {"sex": SEX, "marital_status": MARITAL, "education_group": GROUPS, "labor_force_status": WORK}
SHAPE = tuple(len(states) for states in LEVELS.values())
PSEUDO_MEMBERS = 5.0
"""Members spread over the years of a band like all of one sex, added to each cell, which steadies thin cells."""
ROUNDS = 100


def band_of(age: Integers) -> Integers:
    """Return the first year of the microdata's band for ages from 16 on: 16, 20, 25, … 65."""
    return np.where(age < 20, FIRST, np.minimum(age // 5 * 5, OLDEST_BAND))


def spread(persons: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Turn persons of bands into fractions of adults of single ages.

    Args:
        persons: as `read_labour_force` returns them, with raked weights.
        members: as `read_budget_survey` returns them.

    Returns:
        The same columns, `age` in single years from 18 to 100, `weight` and `fraction` (of a surveyed person).
    """
    shares = _shares(persons, members)
    ages = np.arange(FIRST, LAST + 1)
    cells = _cells(persons.assign(education_group=persons["education_level"].map(SCHOOLING)))
    parts = []
    for band in np.unique(persons["age"]):
        rows = np.flatnonzero(persons["age"].to_numpy() == band)
        years = np.flatnonzero((band_of(ages) == band) & (ages >= ADULT))
        fractions = shares[years][:, cells[rows]].T
        copies = persons.iloc[np.repeat(rows, len(years))].reset_index(drop=True)
        copies["age"] = np.tile(ages[years], len(rows))
        copies["fraction"] = fractions.ravel()
        copies["weight"] *= copies["fraction"]
        parts.append(copies)
    whole = pd.concat(parts, ignore_index=True)
    return whole[whole["fraction"] > 0].reset_index(drop=True)


def _cells(rows: pd.DataFrame) -> Integers:
    codes = [rows[name].map({state: i for i, state in enumerate(states)}) for name, states in LEVELS.items()]
    return np.ravel_multi_index([code.to_numpy(dtype=np.int64) for code in codes], SHAPE)


def _shares(persons: pd.DataFrame, members: pd.DataFrame) -> Floats:
    """Compute P(age | band and cell), shape (ages 16 to 100, cells)."""
    ages = np.arange(FIRST, LAST + 1)
    size = int(np.prod(SHAPE))
    stated = members.dropna(subset=[*LEVELS])
    stated = stated[stated["age"] >= FIRST]
    counts = np.zeros((len(ages), size))
    weight = stated["weight"] / stated["weight"].mean()
    np.add.at(counts, (stated["age"].to_numpy() - FIRST, _cells(stated)), weight)
    by_age = _by_sex_and_age(members)
    sexes = np.unravel_index(np.arange(size), SHAPE)[0]
    tail = by_age[ages >= OPEN_AGE]
    counts[ages >= OPEN_AGE] = counts[OPEN_AGE - FIRST] * (tail / tail.sum(axis=0))[:, sexes]
    bands = band_of(ages)
    weights = persons["weight"].to_numpy()
    cells = _cells(persons.assign(education_group=persons["education_level"].map(SCHOOLING)))
    result = np.zeros_like(counts)
    for band in np.unique(bands):
        years = bands == band
        usual = by_age[years] / by_age[years].sum(axis=0)
        start = counts[years] + PSEUDO_MEMBERS * usual[:, sexes]
        here = persons["age"].to_numpy() == band
        totals = np.bincount(cells[here], weights=weights[here], minlength=size).astype(np.float64)
        result[years] = _raked(start, totals, usual, sexes)
    return result


def _raked(table: Floats, totals: Floats, usual: Floats, sexes: Integers) -> Floats:
    """Rake years x cells to the cells' totals and, by sex, to shares of the years; return shares of each cell."""
    weighted = np.maximum(totals, 1e-9)  # cells that nobody is in keep shares
    persons = np.stack([weighted[sexes == sex].sum() for sex in range(len(SEX))])
    for _ in range(ROUNDS):
        table = table / table.sum(axis=0) * weighted
        have = np.stack([table[:, sexes == sex].sum(axis=1) for sex in range(len(SEX))], axis=1)
        table = table * (usual * persons / have)[:, sexes]
    shares: Floats = table / table.sum(axis=0)
    return shares


def _by_sex_and_age(members: pd.DataFrame) -> Floats:
    """Persons by single age from 16 to 100 and sex: cohorts below 65, the last two years from there on."""
    ages = np.arange(FIRST, LAST + 1)
    cohorts = cohort_ages(members, YEAR).pivot_table("weight", "age", "sex")
    late = members[members["year"] >= LAST_YEAR - 1]
    recent = late.pivot_table("weight", "age", "sex", aggfunc="sum") / 2
    persons = np.empty((len(ages), len(SEX)))
    for column, sex in enumerate(SEX):
        below, above = cohorts[sex].reindex(ages).to_numpy(), recent[sex].reindex(ages).to_numpy()
        persons[:, column] = np.where(ages < OLDEST_BAND, below, above)
        old = ages >= OPEN_AGE
        before = above[(ages >= OPEN_AGE - 5) & (ages < OPEN_AGE)]
        persons[old, column] = _tail(float(before.mean()), float(above[OPEN_AGE - FIRST]), int(old.sum()))
    return persons


def _tail(mean: float, total: float, years: int) -> Floats:
    """Spread `total` over years by a constant ratio r, so that the first is mean * r^3 (the mean lies at 82)."""
    steps = np.arange(3, years + 3)
    ratio = brentq(lambda r: mean * (r**steps).sum() - total, 0.01, 1.5)
    shape: Floats = ratio ** np.arange(years, dtype=np.float64)
    persons: Floats = shape / shape.sum() * total
    return persons
