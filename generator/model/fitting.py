"""Fitting: iterative proportional fitting of a dense array to census tables."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.census_priors.marginal import Marginal
from census_personas.foundation.arrays import AnyFloats, Floats, Floats32, Integers32
from census_personas.foundation.errors import PersonasError

TOLERANCE = 1e-4
MAX_ROUNDS = 60
DISAGREEMENT = 0.02
"""Least tolerated distance to a table, even if tables agree: each table is smoothed by itself, which moves it."""

log = logging.getLogger(__name__)


class FitError(PersonasError, ValueError):
    """Tables that no distribution satisfies; the message names those that disagree."""


@dataclass(frozen=True, slots=True)
class Margin:
    """One table as a constraint on an array: the axes it sums to, how their states map, and its target values.

    Attributes:
        name: the table, for messages.
        axes: axes of the array, ascending.
        codes: per axis, the table's code for every state of the array's axis.
        wanted: probabilities, axes in the order of `axes`.
        persons: effective sample size; 0 for a full count.
        priority: of its source; the highest decides margins that tables share.
    """

    name: str
    axes: tuple[int, ...]
    codes: tuple[Integers32, ...]
    wanted: Floats
    persons: float = 0.0
    priority: int = 0

    def project(self, array: AnyFloats) -> Floats:
        """Sum the array to the table's cells."""
        summed = tuple(axis for axis in range(array.ndim) if axis not in self.axes)
        return coarsen(array.sum(axis=summed) if summed else array, self.codes, self.wanted.shape)

    def scale(self, array: Floats32, ratio: Floats) -> None:
        """Multiply every cell of the array by its table cell's ratio, in place."""
        fine = ratio.astype(np.float32)
        shape = [1] * array.ndim
        for position, (axis, code) in enumerate(zip(self.axes, self.codes, strict=True)):
            if not _is_identity(code, fine.shape[position]):
                fine = fine.take(code, axis=position)
            shape[axis] = fine.shape[position]
        array *= fine.reshape(shape)


def coarsen(array: AnyFloats, codes: Sequence[Integers32], shape: Sequence[int]) -> Floats:
    """Sum states of each axis that share a code; code -1 drops the state.

    Sums are taken by numpy in a fixed order. A product with a matrix of indicators would be one of the BLAS, whose last

    """
    result: AnyFloats = array
    for axis, (code, size) in enumerate(zip(codes, shape, strict=True)):
        if _is_identity(code, size):
            continue
        result = _sum_states(result, code, size, axis)
    return np.asarray(result, dtype=np.float64)


def _sum_states(array: AnyFloats, code: Integers32, size: int, axis: int) -> AnyFloats:
    order = np.argsort(code, kind="stable")
    order = order[code[order] >= 0]
    if not np.array_equal(order, np.arange(len(code))):
        array = array.take(order, axis=axis)
    starts = np.searchsorted(code[order], np.arange(size))
    filled = np.flatnonzero(np.diff(starts, append=len(order)))
    summed: AnyFloats = np.add.reduceat(array, starts[filled], axis=axis)
    if len(filled) == size:
        return summed
    whole = np.zeros((*array.shape[:axis], size, *array.shape[axis + 1 :]), dtype=array.dtype)
    whole[(slice(None),) * axis + (filled,)] = summed
    return whole


def _is_identity(code: Integers32, size: int) -> bool:
    return len(code) == size and bool((code == np.arange(size)).all())


def margin_of(
    table: Marginal,
    wanted: Floats,
    attributes: Sequence[str],
    hierarchy: Hierarchy,
    persons: float = 0.0,
    priority: int = 0,
) -> Margin:
    """Turn a table into a constraint on an array with these attributes as axes."""
    pairs = []
    for position, name in enumerate(table.domain):
        axis, fine = next((i, a) for i, a in enumerate(attributes) if hierarchy.refines(a, name))
        pairs.append((axis, position, hierarchy.codes(fine, name)))
    pairs.sort(key=lambda pair: pair[0])
    order = [position for _, position, _ in pairs]
    return Margin(
        "-".join(table.domain),
        tuple(axis for axis, _, _ in pairs),
        tuple(codes for _, _, codes in pairs),
        np.transpose(wanted, order),
        persons,
        priority,
    )


def informs(table: Sequence[str], attributes: Sequence[str], hierarchy: Hierarchy) -> bool:
    """Return whether each attribute of a table is one of `attributes` or a coarser view of one, all different."""
    fine = [next((a for a in attributes if hierarchy.refines(a, name)), None) for name in table]
    return None not in fine and len(set(fine)) == len(fine)


def fit(array: Floats32, margins: Sequence[Margin], place: str, agreement: float = 0.0) -> float:
    """Scale `array` in place until it matches every margin (iterative proportional fitting).

    Zeros of the array stay zero: they are the structural zeros. Table cells that the array cannot reach from the
    start are ignored; cells that other tables empty count as missed.

    Args:
        array: non-negative start, the least informative distribution that is allowed.
        margins: constraints, normalised to the same total as each other.
        place: what is being fitted, for messages.
        agreement: total variation distance that the locale declares tables to differ by at most.

    Returns:
        The largest total variation distance between a margin and its table.

    Raises:
        FitError: a table is missed by more than `agreement` and `DISAGREEMENT`; the worst are named.
    """
    misses: dict[str, float] = {}
    reached = [margin.project(array) > 0 for margin in margins]
    previous = np.inf
    for number in range(MAX_ROUNDS):
        for margin, inside in zip(margins, reached, strict=True):
            have = margin.project(array)
            misses[margin.name] = 0.5 * float(np.abs(have - margin.wanted)[inside].sum())
            margin.scale(array, np.divide(margin.wanted, have, out=np.zeros_like(have), where=have > 0))
        worst = max(misses.values())
        if worst < TOLERANCE or (number > 5 and worst > 0.99 * previous):
            break
        previous = worst
    log.debug("%s: %d rounds, largest distance to a table %.2g", place, number + 1, worst)
    if worst > max(agreement, DISAGREEMENT):
        named = sorted(misses, key=lambda name: -misses[name])[:3]
        shown = ", ".join(f"{name} (missed by {misses[name]:.3f})" for name in named)
        raise FitError(
            f"{place}: tables disagree, no distribution matches them all: {shown}; correct them, or declare in "
            f"priors.yaml the `priority` of the source that decides, or a larger `agreement`"
        )
    return worst
