"""Reference shares: the share that each group of people should have, from the census or a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.domain import DomainError, first_of
from census_personas.generator.analysis.groups import AnalysisError, columns_by, described, require_columns
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.population.population import Population
from census_personas.generator.report.figures import band, bands

CENSUS = "census"
"""A target: the population's own shares."""
WEIGHTS = ("share", "weight", "count", "people", "n")
"""Names of the column of a table that holds its weights."""
Target = str | pd.DataFrame | pd.Series | Mapping[Any, float]
"""`census`, or a table: a frame with the columns of the groups and one of weights, a series, or a mapping."""


def read_shares(
    target: Target,
    by: str | Sequence[str],
    population: Population,
    task: str,
    *,
    age: str,
    edges: Sequence[int],
) -> tuple[pd.Series, tuple[int, ...]]:
    """Read the shares of groups, and the bands of age that they use.

    Args:
        target: `census`, or a table; its labels of age are bands such as `18-29` and `75+`, which decide `edges`.
        by: columns of the groups.
        population: computes the shares of the census.
        task: for messages.
        age: the column whose numbers become bands.
        edges: first ages of the bands, for the census.

    Returns:
        Shares that sum to 1, indexed by one level per column, and the first ages of the bands.

    Raises:
        AnalysisError: the target cannot be read, or the population has no such attribute.
    """
    names = columns_by(by)
    if isinstance(target, str):
        if target != CENSUS:
            raise AnalysisError(f"{task}: target={target!r} is neither {CENSUS!r} nor a table")
        return census_shares(population, names, task, age=age, edges=edges), tuple(edges)
    table = _of_table(target, names, task)
    total = float(table.sum())
    if not np.isfinite(total) or total <= 0 or (table < 0).any():
        raise AnalysisError(f"{task}: the target's weights must be numbers, at least 0 and not all 0")
    if age in names:
        edges = _edges(table.index.get_level_values(age).unique().tolist(), age, task)
    return (table / total).sort_index(), tuple(edges)


def census_shares(
    population: Population, names: Sequence[str], task: str, *, age: str, edges: Sequence[int]
) -> pd.Series:
    """Return the population's share of each group, without empty groups.

    Raises:
        AnalysisError: the population has no such attribute.
    """
    try:
        frame = population.marginal(list(names)).to_pandas()
    except EvidenceError as error:
        raise AnalysisError(f"{task}: {error}") from error
    for name in names:
        if name == age:
            frame[name] = [band(int(year), edges) for year in frame[name]]
        else:
            frame[name] = frame[name].astype(object).map(str)
    shares = frame.groupby(list(names))["weight"].sum()
    return _levels(shares[shares > 0], names)


def _of_table(
    target: pd.DataFrame | pd.Series | Mapping[Any, float], names: Sequence[str], task: str
) -> pd.Series:
    if isinstance(target, pd.DataFrame):
        require_columns(target, names, f"{task}: target")
        rest = [column for column in target.columns if column not in names]
        weight = next((name for name in WEIGHTS if name in rest), rest[0] if len(rest) == 1 else None)
        if weight is None:
            raise AnalysisError(
                f"{task}: the target has no column of weights; name one of its columns {', '.join(WEIGHTS)}"
            )
        table = target.set_index(list(names))[weight]
    else:
        table = target if isinstance(target, pd.Series) else pd.Series(dict(target), dtype=object)
    if table.index.nlevels != len(names):
        raise AnalysisError(
            f"{task}: the target's groups have {table.index.nlevels} values each, and `by` names {', '.join(names)}"
        )
    weights = pd.to_numeric(table.astype(object), errors="coerce").astype(float)
    weights.index = pd.MultiIndex.from_arrays(
        [weights.index.get_level_values(level).map(str) for level in range(len(names))], names=list(names)
    )
    if weights.index.has_duplicates:
        twice = weights.index[weights.index.duplicated()][0]
        raise AnalysisError(f"{task}: the target has {described(names, twice)} twice; give each group once")
    return weights


def _levels(shares: pd.Series, names: Sequence[str]) -> pd.Series:
    """Index by a level per column, also where there is one column."""
    if shares.index.nlevels == 1:
        shares.index = pd.MultiIndex.from_arrays([shares.index], names=list(names))
    return shares


def _edges(labels: Sequence[str], age: str, task: str) -> tuple[int, ...]:
    """Read the first ages of bands such as `18-29` and `75+`."""
    try:
        edges = tuple(sorted(first_of(label) for label in labels))
    except DomainError as error:
        raise AnalysisError(f"{task}: {age}: {error}") from error
    if set(bands(edges)) != set(labels):
        raise AnalysisError(
            f"{task}: the target's bands of {age} must follow each other and end with an open one, such as "
            f"{', '.join(bands(edges))}; it has {', '.join(labels)}"
        )
    return edges
