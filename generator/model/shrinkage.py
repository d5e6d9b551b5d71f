"""Shrinkage: how much of a table's interactions is noise, and the table without it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats

POOLED = 32
"""Degrees of freedom of a whole table that are added to those of each state (see `shrink`)."""


def rake(table: Floats, margins: Sequence[Floats], rounds: int = 30) -> Floats:
    """Scale a table until summing out axis i gives `margins[i]` (kept as an axis of length 1)."""
    table = table.copy()
    for _ in range(rounds):
        for axis, want in enumerate(margins):
            have = table.sum(axis=axis, keepdims=True)
            table *= np.divide(want, have, out=np.zeros_like(have), where=have > 0)
    return table


def shrink(table: Floats, persons: float, design_effect: float, along: int | None = None) -> Floats:
    """Probabilities of a table, each order of interaction shrunk by how much of it is noise.

    From the lowest order up: the interaction's likelihood-ratio statistic G² = 2 n Σ p log(p / p₀) against the
    interaction-free fit p₀ is about `design_effect` x its degrees of freedom when there is none. The share of
    it that noise explains, λ = min(1, design_effect x df / G²), is the weight of p₀: the empirical-Bayes estimate
    with one shrinkage factor a table (as in James and Stein 1961). The result is raked to its own shrunk
    margins, so that tables of one source agree on what they share, and no cell is zero merely because a sample
    missed it.

    Along one axis each state may have a factor of its own, as some of many occupations depend on the place and others
    do not: its share of the statistic, 2 n Σ (p log(p / p₀) - p + p₀), is then set against its own degrees of freedom,
    both with `POOLED` degrees of freedom of the whole table added, which steady the factor of a state with few.

    Args:
        table: probabilities of any number of axes.
        persons: sample size; 0 for a census, which is not shrunk.
        design_effect: variance of the survey over simple random sampling, >= 1.
        along: the axis whose states have factors of their own; none if left out.
    """
    if table.ndim < 2 or not persons:
        return table
    margins = [
        np.expand_dims(shrink(table.sum(axis=axis), persons, design_effect, _without(along, axis)), axis)
        for axis in range(table.ndim)
    ]
    free = rake(np.ones_like(table), margins, rounds=1 if table.ndim == 2 else 30)
    if along is None:
        noise: float | Floats = _noise(table, free, persons, design_effect)
    else:
        noise = _noise_along(table, free, persons, design_effect, along)
    weight = np.round(noise, 9)  # processors differ in the last bit of a logarithm; rows must not
    mixed = (1 - weight) * table + weight * free
    return mixed if table.ndim == 2 and along is None else rake(mixed, margins)


def _without(along: int | None, axis: int) -> int | None:
    """The number of an axis when another is summed out; None if it is that one."""
    return None if along is None or along == axis else along - (axis < along)


def _noise(table: Floats, free: Floats, persons: float, design_effect: float) -> float:
    """Share of an interaction that noise explains."""
    inside = (table > 0) & (free > 0)
    statistic = 2 * persons * float((table[inside] * np.log(table[inside] / free[inside])).sum())
    freedom = float(np.prod([size - 1 for size in table.shape]))
    return min(1.0, design_effect * freedom / max(statistic, 1e-12))


def _noise_along(table: Floats, free: Floats, persons: float, design_effect: float, along: int) -> Floats:
    """`_noise` by state of an axis; the others have length 1."""
    ratio = np.divide(table, free, out=np.ones_like(table), where=(table > 0) & (free > 0))
    cells = 2 * persons * (table * np.log(ratio) - table + free)
    others = tuple(axis for axis in range(table.ndim) if axis != along)
    statistic = cells.sum(axis=others, keepdims=True)
    freedom = float(np.prod([table.shape[axis] - 1 for axis in others]))
    pooled = POOLED * float(statistic.sum()) / max(freedom * (table.shape[along] - 1), 1.0)
    noise: Floats = np.minimum(
        1.0, design_effect * (freedom + POOLED) / np.maximum(statistic + pooled, 1e-12)
    )
    return noise


def child_axis(priors: Priors, names: Sequence[str]) -> int | None:
    """The axis of a table that the last child which it informs gives; None in a table of the core."""
    refines = priors.hierarchy.refines
    for node in reversed(priors.declaration.model.conditionals):
        for axis, name in enumerate(names):
            if refines(node.child, name) and not any(refines(parent, name) for parent in node.parents):
                return axis
    return None
