"""Figures: the figures of a report, computed from tables.

The same functions serve a dataset and the census, so that both can be shown side by side. Each takes counts by role and
returns plain values for JSON and the template.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.conventions import Schooling
from census_personas.census_priors.domain import State
from census_personas.census_priors.marginal import Marginal
from census_personas.foundation.arrays import Indices
from census_personas.generator.report.tabulation import Counts

AGE_EDGES = (18, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85)
"""First ages of age bands in a country where adults are 18 or older."""


def edges_from(adult: int) -> tuple[int, ...]:
    """Return the first ages of age bands, given the age of adults."""
    return (adult, *(edge for edge in AGE_EDGES if edge > adult))


def band(age: int, edges: Sequence[int] = AGE_EDGES) -> str:
    """Return the age band of a report: five years from 25 on, open-ended at 85."""
    start = max((edge for edge in edges if edge <= age), default=None)
    if start is None:
        return f"under {edges[0]}"
    if start == edges[-1]:
        return f"{start}+"
    return f"{start}-{edges[edges.index(start) + 1] - 1}"


def bands(edges: Sequence[int] = AGE_EDGES) -> list[str]:
    """Return all bands of adults, youngest first."""
    return [band(edge, edges) for edge in edges]


def within_ends(
    figures: Sequence[dict[str, Any] | None], edges: Sequence[int] = AGE_EDGES
) -> tuple[list[str], list[dict[str, Any] | None]]:
    """Return the bands from the first to the last occupied one, and figures cut to them.

    Each figure has a `dataset` and a `census`, one of which may be None, with a list of shares by band for each group.
    """
    shares = [
        row for figure in figures if figure for shown in figure.values() if shown for row in shown.values()
    ]
    occupied = [i for i in range(len(edges)) if any(row[i] for row in shares)] or [0, len(edges) - 1]
    kept = slice(occupied[0], occupied[-1] + 1)

    def cut(shown: dict[str, list[float]] | None) -> dict[str, list[float]] | None:
        return {group: row[kept] for group, row in shown.items()} if shown else shown

    return bands(edges)[kept], [
        {name: cut(shown) for name, shown in figure.items()} if figure else None for figure in figures
    ]


def age_pyramid(age_sex: Counts[Any], edges: Sequence[int] = AGE_EDGES) -> dict[str, list[float]]:
    """Compute the share of each age band among all, by sex, youngest band first."""
    table = _by_band(age_sex, edges)
    return {sex: _shares(table[sex], float(age_sex.sum())) for sex in sorted(table.columns, reverse=True)}


def marital_by_age(
    age_marital: Counts[Any], order: Sequence[State] = (), edges: Sequence[int] = AGE_EDGES
) -> dict[str, list[float]]:
    """Compute the share of each marital status in each age band, youngest first; statuses follow `order`."""
    table = _by_band(age_marital, edges)
    totals = table.sum(axis=1)
    return {
        str(status): [float(n / all_) if all_ else 0.0 for n, all_ in zip(table[status], totals, strict=True)]
        for status in sorted(table, key=lambda status: order.index(status) if status in order else len(order))
    }


def degrees_by_region(
    age_schooling_region: Counts[Any], schooling: Schooling, top: int = 15, least: int = 0
) -> list[dict[str, Any]]:
    """Return the regions with the largest share of degrees among people old enough (`schooling.complete`).

    Regions with fewer than `least` such people are left out, because chance would put them first or last; so are empty
    regions. `error` is the standard error of the share. Reports call the region `state`.
    """
    counts = age_schooling_region[age_schooling_region.index.get_level_values("age") >= schooling.complete]
    if counts.empty:
        return []
    holders = counts.index.get_level_values("schooling").isin(schooling.degrees)
    people = counts.groupby(level="region").sum()
    people = people[(people >= least) & (people > 0)]
    degrees = counts[holders].groupby(level="region").sum().reindex(people.index, fill_value=0)
    share = (degrees / people).sort_values(ascending=False, kind="stable").head(top)
    return [
        {
            "state": str(region),
            "share": float(value),
            "error": float(np.sqrt(value * (1 - value) / number)),
            "people": float(number),
        }
        for region, value, number in zip(share.index, share, people[share.index], strict=True)
    ]


def top_occupations(
    occupation_age: Counts[Any], without: Collection[str], top: int = 10
) -> list[dict[str, Any]]:
    """Return the most common occupations: count, and mean, median and standard deviation of age."""
    held = occupation_age[~occupation_age.index.get_level_values("occupation").isin(list(without))]
    sizes = held.groupby(level="occupation").sum().sort_values(ascending=False, kind="stable").head(top)
    return [
        {"occupation": str(name), "people": float(size), **age_moments(held.xs(name, level="occupation"))}
        for name, size in sizes.items()
    ]


def age_moments(by_age: Counts[Any]) -> dict[str, float]:
    """Compute mean, median and sample standard deviation of age (0 for one person) from counts by age."""
    counts = by_age.groupby(level="age").sum().sort_index()
    ages, weights = counts.index.to_numpy(dtype=float), counts.to_numpy(dtype=float)
    total = weights.sum()
    if not total:
        return {}
    mean = float(ages @ weights / total)
    # The mean of the two middle ages, as in pandas.
    middle = [np.searchsorted(weights.cumsum(), total / 2, side=side) for side in ("left", "right")]
    median = float(ages[middle].mean())
    deviation = float(np.sqrt(weights @ (ages - mean) ** 2 / max(total - 1, 1)))
    return {"mean_age": mean, "median_age": median, "std_age": deviation}


def likeliest(marginal: Marginal, top: int | None = None) -> list[list[Any]]:
    """Return the non-empty cells of a table, most probable first, as states and probability."""
    shares = marginal.probabilities().ravel()
    order = np.argsort(-shares, kind="stable")[:top]
    return [[*states, float(shares[cell])] for cell, states in _named(marginal, order) if shares[cell] > 0]


def _named(marginal: Marginal, cells: Indices) -> Iterator[tuple[int, list[State]]]:
    codes = np.unravel_index(cells, marginal.domain.shape)
    for cell, *code in zip(cells, *codes, strict=True):
        yield (
            int(cell),
            [marginal.domain[name][int(c)] for name, c in zip(marginal.domain, code, strict=True)],
        )


def _by_band(counts: Counts[Any], edges: Sequence[int]) -> pd.DataFrame:
    """Sum counts by age and one other attribute to age bands by states of the other."""
    other = next(name for name in counts.index.names if name != "age")
    frame = counts.rename("n").reset_index()
    frame["band"] = [band(int(age), edges) for age in frame["age"]]
    table = frame.pivot_table(
        index="band", columns=other, values="n", aggfunc="sum", fill_value=0, observed=True
    )
    table.columns = table.columns.astype(str)
    return table.reindex(bands(edges), fill_value=0)


def _shares(values: Sequence[float] | pd.Series[Any], total: float) -> list[float]:
    return [float(value) / total if total else 0.0 for value in values]
