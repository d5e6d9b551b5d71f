"""Bias evaluation: how far a dataset is from a reference before and after a change, with intervals and noise floors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats
from census_personas.generator.analysis.groups import (
    GUIDE_EDGES,
    AnalysisError,
    Place,
    columns_by,
    group_counts,
    group_labels,
    numbers,
    population_of,
    require_columns,
    require_rows,
)
from census_personas.generator.analysis.reference_shares import CENSUS, census_shares
from census_personas.generator.population.population import Population
from census_personas.validators.dataset.bias import GROUPS, gini_of

_TASK = "evaluate_bias"
_ENDS = (2.5, 97.5)  # percentiles of a 95 % interval
Statistic = Callable[[Floats], Floats]
"""From shares of cells, one row per resample, to one number per row."""


@dataclass(frozen=True, slots=True)
class _Measure:
    """One measure of cells: its name, the attribute, a statistic of shares, and its floor for a number of rows."""

    name: str
    attribute: str
    statistic: Statistic
    floor: Callable[[int], float]


def evaluate_bias(
    before: pd.DataFrame,
    after: pd.DataFrame,
    against: pd.DataFrame | str = CENSUS,
    *,
    by: Sequence[str | tuple[str, ...]] | None = None,
    seed: int = 0,
    resamples: int = 1000,
    locale: Place = "en_US",
    edges: Sequence[int] = GUIDE_EDGES,
) -> pd.DataFrame:
    """Compare two versions of a dataset with a reference.

    The guide to Nemotron-Personas takes three measures: `age_distance` (years between the mean ages), `sex_balance`
    (distance of the share of women from one half) and `education_gini` (Gini coefficient of the levels of schooling, 0
    if all are equally frequent). None of them measures the distance from the population: `tvd` (total variation
    distance: the share of people who would have to change groups) and `srmse` (root mean squared error of a group's
    share, divided by the mean share) do, for each margin.

    Intervals are basic bootstrap intervals of 95 % (Davison and Hinkley 1997, section 5.2) over resampled rows. They
    correct for the upward bias of distances, so where chance explains most of a value they lie below it. That of the
    change takes the two datasets as independent; if one contains the other it is wider than need be. A distance
    is never 0 by chance: the floor is the mean of a perfect sample of as many rows (for `srmse`, its root mean
    square), so compare each distance with its floor. Each interval stands alone: of twenty measures that did not
    change, one has a verdict by chance.

    Args:
        before: one row per person.
        after: the same after the change; both need the columns of every margin.
        against: `census`, or a data frame of people, whose own sampling error is part of the floors.
        by: margins: columns, or tuples of columns; by default those of sex, age, origin, schooling, marital status and
            region that both datasets (and a frame `against`) have.
        seed: of the resamples.
        resamples: number of resamples.
        locale: the population behind `census`, and the roles of columns.
        edges: first ages of the bands.

    Returns:
        Columns measure, attribute, before, before_low, before_high, before_floor, the same of after, change,
        change_low, change_high, and verdict: `lower`, `higher`, or `no clear change` if the interval of the
        change has 0.

    Raises:
        AnalysisError: a column is missing, or there are no rows.
    """
    for frame in (before, after):
        require_rows(frame, _TASK)
    population = population_of(locale)
    if isinstance(against, str) and against != CENSUS:
        raise AnalysisError(f"{_TASK}: against={against!r} is neither {CENSUS!r} nor a data frame")
    frames = [before, after, *([against] if isinstance(against, pd.DataFrame) else [])]
    margins = _margins(frames, by, population.priors)
    rng = np.random.default_rng(seed)
    rows = []
    for names in margins:
        rows += _of_margin(frames, names, population, rng, resamples, edges)
    return pd.DataFrame([*_of_guide(frames, population, rng, resamples), *rows])


def _margins(
    frames: Sequence[pd.DataFrame], by: Sequence[str | tuple[str, ...]] | None, priors: Priors
) -> list[tuple[str, ...]]:
    if by is not None:
        wanted = [columns_by(one) for one in ([by] if isinstance(by, str) else by)]
        for frame in frames:
            for names in wanted:
                require_columns(frame, names, _TASK)
        return wanted
    usual = priors.roles.named((GROUPS[0], "age", *GROUPS[1:]))
    shared: list[tuple[str, ...]] = [(name,) for name in usual if all(name in frame for frame in frames)]
    if not shared:
        raise AnalysisError(
            f"{_TASK}: the datasets have none of the columns {', '.join(usual)}; name some with by"
        )
    return shared


def _of_margin(
    frames: Sequence[pd.DataFrame],
    names: tuple[str, ...],
    population: Population,
    rng: np.random.Generator,
    resamples: int,
    edges: Sequence[int],
) -> list[dict[str, Any]]:
    age = population.priors.roles.get("age") or "age"
    counts = [group_counts(group_labels(frame, names, _TASK, age=age, edges=edges)) for frame in frames]
    if len(frames) > 2:
        reference, people = counts[2] / counts[2].sum(), int(counts[2].sum())
    else:
        reference, people = census_shares(population, names, _TASK, age=age, edges=edges), 0
    aligned = [_by_tuple(one) for one in (*counts[:2], reference)]
    cells = sorted(set().union(*(one.index for one in aligned)))
    first, second, shares = (one.reindex(cells, fill_value=0.0).to_numpy(dtype=float) for one in aligned)
    spread = shares * (1 - shares)

    def tvd(found: Floats) -> Floats:
        return np.asarray(np.abs(found - shares).sum(axis=-1) / 2)

    def srmse(found: Floats) -> Floats:
        return np.asarray(np.sqrt(((found - shares) ** 2).mean(axis=-1)) * len(shares))

    def tvd_floor(n: int) -> float:
        draws = rng.multinomial(n, shares, size=200) / n
        other = rng.multinomial(people, shares, size=200) / people if people else shares
        return float(np.abs(draws - other).sum(axis=1).mean() / 2)

    def srmse_floor(n: int) -> float:
        return float(np.sqrt((spread * (1 / n + (1 / people if people else 0))).mean()) * len(shares))

    attribute = " x ".join(names)
    measures = (
        _Measure("tvd", attribute, tvd, tvd_floor),
        _Measure("srmse", attribute, srmse, srmse_floor),
    )
    return [_compared(measure, first, second, rng, resamples) for measure in measures]


def _of_guide(
    frames: Sequence[pd.DataFrame], population: Population, rng: np.random.Generator, resamples: int
) -> list[dict[str, Any]]:
    """The guide's measures, of the columns that all frames have."""
    priors = population.priors
    age, sex, level = (priors.roles.get(role) for role in ("age", "sex", "schooling"))
    women = [state for state, gender in priors.conventions.gender.items() if gender == "feminine"]
    rows = []
    if age is not None and all(age in frame for frame in frames):
        if len(frames) > 2:
            mean = float(numbers(frames[2], age, _TASK).mean())
        else:
            ages = population.marginal(age)
            mean = float(ages.probabilities() @ np.array(ages.domain[age], dtype=np.float64))
        first, second, years = _cells([numbers(frame, age, _TASK) for frame in frames[:2]])
        ages_of = np.array(years, dtype=np.float64)
        measure = _Measure("age_distance", age, lambda found: np.abs(found @ ages_of - mean), _no_floor)
        rows.append(_compared(measure, first, second, rng, resamples))
    if sex is not None and women and all(sex in frame for frame in frames[:2]):
        first, second, states = _cells([frame[sex] for frame in frames[:2]])
        is_woman = np.array([state in women for state in states], dtype=np.float64)
        measure = _Measure("sex_balance", sex, lambda found: np.abs(found @ is_woman - 0.5), _no_floor)
        rows.append(_compared(measure, first, second, rng, resamples))
    if level is not None and all(level in frame for frame in frames[:2]):
        first, second, _ = _cells([frame[level] for frame in frames[:2]], priors.conventions.schooling.ladder)
        measure = _Measure(
            "education_gini", level, lambda found: np.apply_along_axis(gini_of, -1, found), _no_floor
        )
        rows.append(_compared(measure, first, second, rng, resamples))
    return rows


def _no_floor(_: int) -> float:
    return float("nan")


def _cells(columns: Sequence[pd.Series], states: Sequence[Any] = ()) -> tuple[Floats, Floats, list[Any]]:
    """Count the values of two columns, over all values of both and `states`."""
    counts = [column.astype(object).value_counts() for column in columns]
    cells = sorted({*states}.union(*(one.index for one in counts)))
    first, second = (np.asarray(one.reindex(cells, fill_value=0), dtype=np.float64) for one in counts)
    return first, second, cells


def _by_tuple(counts: pd.Series) -> pd.Series:
    """Index by tuples, whatever the number of columns."""
    keys = [key if isinstance(key, tuple) else (key,) for key in counts.index]
    return pd.Series(counts.to_numpy(dtype=float), index=pd.Index(keys, tupleize_cols=False))


def _compared(
    measure: _Measure, first: Floats, second: Floats, rng: np.random.Generator, resamples: int
) -> dict[str, Any]:
    row: dict[str, Any] = {"measure": measure.name, "attribute": measure.attribute}
    drawn, values = [], []
    for name, counts in (("before", first), ("after", second)):
        n = int(counts.sum())
        if not n:
            raise AnalysisError(f"{_TASK}: the dataset {name!r} has no value of {measure.attribute}")
        value = float(measure.statistic(counts / n))
        found = 2 * value - measure.statistic(rng.multinomial(n, counts / n, size=resamples) / n)
        values.append(value)
        drawn.append(found)
        low, high = np.maximum(np.percentile(found, _ENDS), 0.0)
        row |= {
            name: value,
            f"{name}_low": float(low),
            f"{name}_high": float(high),
            f"{name}_floor": measure.floor(n),
        }
    low, high = np.percentile(drawn[1] - drawn[0], _ENDS)
    verdict = "lower" if high < 0 else "higher" if low > 0 else "no clear change"
    return row | {
        "change": values[1] - values[0],
        "change_low": float(low),
        "change_high": float(high),
        "verdict": verdict,
    }
