"""Raking weights: weights of people with which their margins are those of the census, or of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from census_personas.census_priors.build import raking
from census_personas.foundation.arrays import Floats, Integers
from census_personas.generator.analysis.groups import (
    GUIDE_EDGES,
    AnalysisError,
    Place,
    columns_by,
    described,
    group_labels,
    population_of,
    require_rows,
)
from census_personas.generator.analysis.reference_shares import CENSUS, Target, read_shares

_TASK = "rake_weights"
_ROUNDS = 1_000
_TOLERANCE = 1e-8
_MISSED = 1e-4  # total variation distance of a margin beyond which weights are refused

Margins = Sequence[str | tuple[str, ...]] | Mapping[str | tuple[str, ...], Target]


@dataclass(frozen=True, slots=True)
class RakedWeights:
    """Weights of people.

    Attributes:
        weights: weight of each person, with the frame's index; their mean is 1.
        effective_size: Kish's effective sample size (see `effective_size`).
        design_effect: people divided by `effective_size`: how much weighting raises the variance of a mean.
        margins: one row per group of each margin: `margin`, `group`, `people`, `share` (unweighted), `target`,
            `weighted` (the share under the weights).
    """

    weights: pd.Series
    effective_size: float
    design_effect: float
    margins: pd.DataFrame


def rake_weights(
    frame: pd.DataFrame,
    margins: Margins,
    *,
    initial: Sequence[float] | pd.Series | None = None,
    locale: Place = "en_US",
    edges: Sequence[int] = GUIDE_EDGES,
) -> RakedWeights:
    """Weight people so that their margins are the wanted ones, by iterative proportional fitting.

    Of all weights with these margins, raking finds those that are closest to the initial ones in the sense of
    Kullback and Leibler (Deming and Stephan 1940, Annals of Mathematical Statistics 11:427).

    ```python
    raked = rake_weights(survey, ["sex", "age", ("region", "schooling")])
    rake_weights(survey, {"sex": {"Female": 0.51, "Male": 0.49}, "age": "census"})
    ```

    Args:
        frame: one row per person.
        margins: columns, or tuples of columns, whose shares should be those of the census; or a mapping from them to
            `census` or a table.
        initial: weights to begin with, such as those of a survey's design; 1 each by default.
        locale: the population behind `census`.
        edges: first ages of the bands, where the target is the census; a table brings its own.

    Raises:
        AnalysisError: a column is missing or has missing cells, a wanted group is empty, the frame has a group that a
            table lacks, or no weights have all margins at once.
    """
    require_rows(frame, _TASK)
    population = population_of(locale)
    age = population.priors.roles.get("age") or "age"
    wanted = margins if isinstance(margins, Mapping) else dict.fromkeys(margins, CENSUS)
    if not wanted:
        raise AnalysisError(f"{_TASK}: no margin is named; give one, such as 'sex'")
    weights = _initial(frame, initial)
    targets, tables = [], []
    for by, target in wanted.items():
        names = columns_by(by)
        shares, used = read_shares(target, names, population, _TASK, age=age, edges=edges)
        labels = group_labels(frame, names, _TASK, age=age, edges=used)
        cells = _cells(labels, names, shares)
        targets.append(raking.Target(" x ".join(names), cells, shares.to_numpy(dtype=float) * len(frame)))
        tables.append([", ".join(group) for group in shares.index])
    raked = raking.rake(weights, targets, rounds=_ROUNDS, tolerance=_TOLERANCE)
    for margin in targets:
        if (missed := margin.miss(raked)) > _MISSED:
            raise AnalysisError(
                f"{_TASK}: no weights have all margins; {margin.name} misses its target by {missed:.4f} "
                "(total variation distance); merge its small groups, or leave out a margin"
            )
    size = effective_size(raked)
    return RakedWeights(
        weights=pd.Series(raked, index=frame.index, name="weight"),
        effective_size=size,
        design_effect=len(frame) / size,
        margins=pd.concat(
            [_margin(target, groups, raked) for target, groups in zip(targets, tables, strict=True)],
            ignore_index=True,
        ),
    )


def effective_size(weights: npt.ArrayLike) -> float:
    """Compute Kish's effective sample size, (sum of weights) squared / sum of squared weights (Kish 1965).

    A weighted mean of so many equally weighted people would have about the same variance. It is the number of weights
    if they are equal, and less otherwise.

    Raises:
        AnalysisError: there is no positive weight, or one is negative or no number.
    """
    values = np.asarray(weights, dtype=np.float64)
    if not values.size or not np.isfinite(values).all() or (values < 0).any() or not values.sum():
        raise AnalysisError("effective_size: weights must be numbers, at least 0 and not all 0")
    return float(values.sum() ** 2 / (values**2).sum())


def _initial(frame: pd.DataFrame, initial: Any) -> Floats:
    if initial is None:
        return np.ones(len(frame))
    values = np.asarray(initial, dtype=np.float64)
    if values.shape != (len(frame),):
        raise AnalysisError(
            f"{_TASK}: initial has {values.size} weights, and the frame has {len(frame)} rows"
        )
    effective_size(values)
    return np.asarray(values * len(values) / values.sum(), dtype=np.float64)


def _cells(labels: pd.DataFrame, names: Sequence[str], shares: pd.Series) -> Integers:
    if (missing := labels.isna().any(axis=1)).any():
        raise AnalysisError(
            f"{_TASK}: {int(missing.sum())} rows have no value in {', '.join(names)}; complete or drop them"
        )
    groups = pd.MultiIndex.from_frame(labels)
    cells = shares.index.get_indexer(groups)
    if (cells < 0).any():
        unknown = groups[cells < 0][0]
        raise AnalysisError(
            f"{_TASK}: the frame has {described(names, unknown)}, which the target lacks; recode or drop these rows"
        )
    counts = np.bincount(cells, minlength=len(shares))
    if (empty := (counts == 0) & (shares.to_numpy() > 0)).any():
        at = int(np.argmax(empty))
        raise AnalysisError(
            f"{_TASK}: nobody in the frame is {described(names, shares.index[at])}, {100 * shares.iloc[at]:.2g} % of "
            "the target; merge the group with another, or add such people with `augment`"
        )
    return cells.astype(np.int64)


def _margin(target: raking.Target, groups: Sequence[str], weights: Floats) -> pd.DataFrame:
    people = np.bincount(target.cells, minlength=len(groups))
    weighted = np.bincount(target.cells, weights=weights, minlength=len(groups))
    return pd.DataFrame(
        {
            "margin": target.name,
            "group": groups,
            "people": people,
            "share": people / people.sum(),
            "target": target.persons / target.persons.sum(),
            "weighted": weighted / weighted.sum(),
        }
    )
