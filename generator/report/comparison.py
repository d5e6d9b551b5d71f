"""Comparison: compares two datasets table by table, beside what two samples of one population would show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from census_personas.census_priors.roles import Roles
from census_personas.foundation.errors import DatasetError
from census_personas.generator.report.people import people_of
from census_personas.generator.report.tabulation import Counts, Tabulation, distance
from census_personas.validators.dataset.multiple_testing import FAMILY

DRAWS = 64  # shuffles behind the mean distance

COMPARED = ("sex", "age", "origin", "marital", "schooling", "field", "work", "occupation", "region")
"""Roles whose columns are compared."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One table of two datasets.

    Attributes:
        table: its attributes.
        tvd: total variation distance between the two.
        floor: mean distance after dividing the people of both among two samples of these sizes at random.
        limit: distance that such divisions exceed with this table's part of the probability `FAMILY`, which all
            tables of a comparison share.
    """

    table: tuple[str, ...]
    tvd: float
    floor: float
    limit: float

    @property
    def name(self) -> str:
        """The attributes, joined by x."""
        return " x ".join(self.table)

    @property
    def passes(self) -> bool:
        """Whether chance explains the distance."""
        return self.tvd <= self.limit


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows of both datasets, and every attribute and pair of attributes that both have."""

    rows: tuple[int, int]
    tables: tuple[Compared, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, by measure and table name."""
        kinds = ("tvd", "floor", "limit", "passes")
        return {"rows": list(self.rows), **{k: {t.name: getattr(t, k) for t in self.tables} for k in kinds}}


def compare(one: Path, other: Path, rng: np.random.Generator, roles: Roles) -> Comparison:
    """Compare two datasets of a locale; `rng` draws the shuffles behind floor and limit.

    Raises:
        DatasetError: a dataset cannot be read or is empty, or the two have no common column.
    """
    facts = roles.named(COMPARED)
    people = [people_of(path, facts) for path in (one, other)]
    columns = [name for name in facts if all(name in frame for frame in people)]
    if not columns:
        raise DatasetError(
            f"{one} and {other} have no column in common to compare; known: {', '.join(facts)}"
        )
    tables = [*((name,) for name in columns), *combinations(columns, 2)]
    first, second = (Tabulation.of([_like(frame)], tables) for frame in people)
    return Comparison(
        (first.rows, second.rows),
        tuple(
            _compared(table, first.counts(*table), second.counts(*table), len(tables), rng)
            for table in tables
        ),
    )


def _like(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert ages to integers even if some are unknown, so that both datasets have the same labels."""
    return frame.assign(age=frame["age"].astype("Int64")) if "age" in frame else frame


def _compared(
    table: tuple[str, ...], one: Counts[Any], other: Counts[Any], tests: int, rng: np.random.Generator
) -> Compared:
    """Compare one table; the floor is simulated by shuffles, and the limit adds McDiarmid's bound."""
    first, second = one.rename(index=str).align(other.rename(index=str), fill_value=0)
    _, floor, limit = compare_counts(first.to_numpy(), second.to_numpy(), tests, rng)
    return Compared(table, distance(one, other), floor, limit)


def compare_counts(
    one: npt.ArrayLike, other: npt.ArrayLike, tests: int, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return the distance of two counts of the same cells, its floor and its limit (see `Compared`)."""
    counts = [np.asarray(cells, dtype=np.float64) for cells in (one, other)]
    rows = [int(cells.sum()) for cells in counts]
    pooled = (counts[0] + counts[1]).astype(np.int64)
    # Draws from the pooled shares would have fewer cells than the population, and floors of thin tables be too low.
    first = rng.multivariate_hypergeometric(pooled, rows[0], size=DRAWS, method="marginals")
    floor = float(np.abs(first / rows[0] - (pooled - first) / rows[1]).sum(axis=1).mean() / 2)
    beyond = math.sqrt(math.log(tests / FAMILY) / 2 * (1 / rows[0] + 1 / rows[1]))
    tvd = float(np.abs(counts[0] / rows[0] - counts[1] / rows[1]).sum() / 2)
    return tvd, floor, min(1.0, floor + beyond)
