"""Reconciliation: makes overlapping tables agree on the margins they share, before the fit.

Two surveys, or two years of one, give slightly different margins of the same attributes, and no distribution matches
them all. Tables of the highest priority decide each shared margin. Among equals it becomes their mean, weighted by
effective sample size: the inverse-variance (generalised least squares) estimate, because variances of shares are
inversely proportional to the sample size. A full count has no variance: samples that share a margin with one adopt its
margin. Full counts that differ within the agreement are averaged evenly; those that differ more are left to the fit,
which names them. Each table is then scaled to the shared margins, which keeps its own interactions.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from census_personas.foundation.arrays import Codes32, Floats
from census_personas.generator.model.fitting import DISAGREEMENT, Margin, coarsen

View = tuple[tuple[int, Codes32], ...]
"""Axes of the fitted array, each with a code for every state."""

AGREED = 0.005
"""Distance below which tables count as agreeing: about the fit's own residual."""
ROUNDS = 20

log = logging.getLogger(__name__)


def reconciled(margins: Sequence[Margin], place: str, agreement: float = 0.0) -> list[Margin]:
    """Return the margins, scaled to a common value wherever they share attributes and disagree.

    Args:
        margins: constraints on one array; `persons` is 0 for a full count.
        place: what is being fitted, for messages.
        agreement: total variation distance that the locale declares tables to differ by at most.
    """
    result = list(margins)
    views: list[View] = []
    for one, other in combinations(margins, 2):
        view = _shared(one, other)
        if view and not any(_same(view, known) for known in views):
            views.append(view)
    views.sort(key=len)
    for number in range(ROUNDS):
        first = number == 0
        worst = max((_reconcile(result, view, place, agreement, first=first) for view in views), default=0.0)
        if worst <= AGREED:
            break
    return result


def _reconcile(margins: list[Margin], view: View, place: str, agreement: float, *, first: bool) -> float:
    """Scale in place all margins that have the view to its decided value; return the largest distance before."""
    seen = {i: projected for i, m in enumerate(margins) if (projected := _project(m, view)) is not None}
    if len(seen) < 2:
        return 0.0
    mean, kept = _decided(margins, seen, agreement)
    gaps = {i: _distance(seen[i], mean) for i in seen if i not in kept}
    averaged = any(not margins[i].persons for i in gaps)  # full counts, half as far from their mean as apart
    if max(gaps.values(), default=0.0) <= (AGREED / len(gaps) if averaged else AGREED):
        return 0.0
    if first:
        worst = max(gaps, key=lambda i: gaps[i])
        log.warning(
            "%s: %s differs from overlapping tables by %.3f; reconciled by %s",
            place,
            margins[worst].name,
            gaps[worst],
            _way(margins, seen, averaged=averaged),
        )
    for i in gaps:
        margins[i] = _scaled(margins[i], view, seen[i], mean)
    return max(gaps.values())


def _way(margins: Sequence[Margin], seen: Mapping[int, Floats], *, averaged: bool) -> str:
    if len({margins[i].priority for i in seen}) > 1:
        return "priority"
    return "their mean, as none has a priority" if averaged else "sample size"


def _decided(
    margins: Sequence[Margin], seen: Mapping[int, Floats], agreement: float
) -> tuple[Floats, set[int]]:
    """Return the decided values of a view, and the full counts that stay unchanged."""
    highest = max(margins[i].priority for i in seen)
    deciding = [i for i in seen if margins[i].priority == highest]
    counts = [i for i in deciding if not margins[i].persons]
    weights = None if counts else [margins[i].persons for i in deciding]
    mean = np.average([seen[i] for i in counts or deciding], axis=0, weights=weights)
    mean = mean / mean.sum()
    apart = max((_distance(seen[i], seen[j]) for i, j in combinations(counts, 2)), default=0.0)
    averaged = AGREED < apart <= max(agreement, DISAGREEMENT)
    return mean, set() if averaged else set(counts)


def _distance(values: Floats, mean: Floats) -> float:
    """Compute the total variation distance; `mean` sums to 1."""
    return 0.5 * float(np.abs(values / values.sum() - mean / mean.sum()).sum())


def _shared(one: Margin, other: Margin) -> View:
    """Return on each common axis the coarser of both views, if one is a view of the other."""
    shared = []
    for axis in sorted(set(one.axes) & set(other.axes)):
        a, b = (m.codes[m.axes.index(axis)] for m in (one, other))
        if len(a) != len(b) or (a < 0).any() or (b < 0).any():
            continue
        for fine, coarse in ((a, b), (b, a)):
            if _step(fine, coarse) is not None:
                shared.append((axis, coarse))
                break
    return tuple(shared)


def _step(fine: Codes32, coarse: Codes32) -> Codes32 | None:
    """Return the coarse code of every fine code; None if fine does not decide coarse."""
    if len(fine) != len(coarse) or (fine < 0).any():
        return None
    result = np.zeros(int(fine.max()) + 1, dtype=np.int32)
    result[fine] = coarse
    return result if (result[fine] == coarse).all() else None


def _same(one: View, other: View) -> bool:
    return [axis for axis, _ in one] == [axis for axis, _ in other] and all(
        np.array_equal(a, b) for (_, a), (_, b) in zip(one, other, strict=True)
    )


def _steps(margin: Margin, view: View) -> list[Codes32] | None:
    """Return for each axis of the margin the view's code of its codes: all 0 for axes that the view lacks."""
    steps = [np.zeros(size, dtype=np.int32) for size in margin.wanted.shape]
    for axis, coarse in view:
        if axis not in margin.axes:
            return None
        position = margin.axes.index(axis)
        step = _step(margin.codes[position], coarse)
        if step is None:
            return None
        padded = np.zeros(margin.wanted.shape[position], dtype=np.int32)
        padded[: len(step)] = step
        steps[position] = padded
    return steps


def _project(margin: Margin, view: View) -> Floats | None:
    steps = _steps(margin, view)
    if steps is None:
        return None
    sizes = [int(step.max()) + 1 for step in steps]
    places = [margin.axes.index(axis) for axis, _ in view]
    summed = coarsen(margin.wanted, steps, sizes)
    return np.asarray(summed.reshape([sizes[place] for place in places]), dtype=np.float64)


def _scaled(margin: Margin, view: View, have: Floats, mean: Floats) -> Margin:
    """Scale the margin to the mean on the view, keeping its total."""
    steps = _steps(margin, view) or []
    ratio = np.divide(mean * have.sum(), have, out=np.ones_like(have), where=have > 0)
    places = [margin.axes.index(axis) for axis, _ in view]
    shape = [1] * margin.wanted.ndim
    for place, size in zip(places, ratio.shape, strict=True):
        shape[place] = size
    fine = ratio.reshape(shape)[np.ix_(*steps)]
    return replace(margin, wanted=margin.wanted * fine)
