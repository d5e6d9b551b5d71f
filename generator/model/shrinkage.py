"""Shrinkage: estimates how much of a table's interactions is noise, and removes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats

POOLED = 32
"""Degrees of freedom from the whole table that steady the factor of each state (see `shrink`)."""


def rake(table: Floats, margins: Sequence[Floats], rounds: int = 30) -> Floats:
    """Scale a table until summing out axis i gives `margins[i]` (kept as an axis of length 1)."""
    table = table.copy()
    for _ in range(rounds):
        for axis, want in enumerate(margins):
            have = table.sum(axis=axis, keepdims=True)
            table *= np.divide(want, have, out=np.zeros_like(have), where=have > 0)
    return table


def shrink(table: Floats, persons: float, design_effect: float, along: int | None = None) -> Floats:
    """Return the probabilities of a table, each order of interaction shrunk by its share of noise.

    From the lowest order up: without an interaction, its likelihood-ratio statistic G² = 2 n Σ p log(p / p₀) against
    the interaction-free fit p₀ is about `design_effect` x its degrees of freedom. The share that noise explains,
    λ = min(1, design_effect x df / G²), is the weight of p₀: the empirical-Bayes estimate with one shrinkage factor
    per table (as in James and Stein 1961). The result is raked to its own shrunk margins, so that tables of one source
    agree on common margins, and no cell is zero merely because a sample missed it.

    Along one axis each state may have its own factor, because some occupations depend on the place and others do not:
    its share of the statistic, 2 n Σ (p log(p / p₀) - p + p₀), is compared with its own degrees of freedom. Both get
    `POOLED` degrees of freedom of the whole table added, which steadies the factor of states with few.

    Args:
        table: probabilities of any number of axes.
        persons: sample size; 0 for a census, which is not shrunk.
        design_effect: variance of the survey over simple random sampling, >= 1.
        along: the axis whose states have their own factors; None for one factor.
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
    weight = np.round(noise, 9)  # the last bit of a logarithm depends on the processor; rows must not
    mixed = (1 - weight) * table + weight * free
    return mixed if table.ndim == 2 and along is None else rake(mixed, margins)


def _without(along: int | None, axis: int) -> int | None:
    """Return the number of axis `along` after `axis` is summed out; None if they are the same."""
    return None if along is None or along == axis else along - (axis < along)


def _noise(table: Floats, free: Floats, persons: float, design_effect: float) -> float:
    """Estimate the share of an interaction that noise explains."""
    inside = (table > 0) & (free > 0)
    statistic = 2 * persons * float((table[inside] * np.log(table[inside] / free[inside])).sum())
    freedom = float(np.prod([size - 1 for size in table.shape]))
    return min(1.0, design_effect * freedom / max(statistic, 1e-12))


def _noise_along(table: Floats, free: Floats, persons: float, design_effect: float, along: int) -> Floats:
    """Estimate `_noise` by state of an axis; the others have length 1."""
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
    """Return the axis of a table that holds the last child it informs; None in a table of the core."""
    refines = priors.hierarchy.refines
    for node in reversed(priors.declaration.model.conditionals):
        for axis, name in enumerate(names):
            if refines(node.child, name) and not any(refines(parent, name) for parent in node.parents):
                return axis
    return None
