"""Raking: adjusts weights of donor records until their tables have given margins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from census_personas.foundation.arrays import Floats, Integers


@dataclass(frozen=True, slots=True)
class Target:
    """One target margin: the cell of every donor (-1: outside the table) and persons per cell."""

    name: str
    cells: Integers
    persons: Floats

    def miss(self, weights: Floats) -> float:
        """Compute the total variation distance between the donors' margin and the target, both as shares."""
        inside = self.cells >= 0
        have = np.bincount(self.cells[inside], weights=weights[inside], minlength=len(self.persons))
        return float(0.5 * np.abs(have / have.sum() - self.persons / self.persons.sum()).sum())


def count(cells: Integers, weights: Floats, size: int) -> Floats:
    """Sum weights per cell; records outside the table (-1) are left out."""
    inside = cells >= 0
    return np.bincount(cells[inside], weights=weights[inside], minlength=size).astype(np.float64)


def shares(counts: Floats) -> Floats:
    """Divide counts by the sum of their last axis; zero if that is zero."""
    totals = counts.sum(axis=-1, keepdims=True)
    result: Floats = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    return result


def rake(weights: Floats, targets: Sequence[Target], *, rounds: int = 40, tolerance: float = 1e-4) -> Floats:
    """Fit record weights to margins by iterative proportional fitting (Deming and Stephan 1940).

    Cells without donors are left out of their target. Margins of different years disagree slightly, and the last ones
    are met best, so put the most reliable figures at the end.

    Args:
        weights: initial weight of every donor, >= 0.
        targets: margins, in the order in which a round meets them.
        rounds: at most this many rounds.
        tolerance: stop when the largest miss of a round is below this.

    Returns:
        New weights, same shape.
    """
    weights = weights.copy()
    for _ in range(rounds):
        worst = 0.0
        for target in targets:
            inside = target.cells >= 0
            cells = target.cells[inside]
            have = np.bincount(cells, weights=weights[inside], minlength=len(target.persons))
            ratio = np.divide(target.persons, have, out=np.zeros_like(have), where=have > 0)
            weights[inside] *= ratio[cells]
            reachable = have > 0
            worst = max(
                worst, float(np.abs(have - target.persons)[reachable].sum() / max(target.persons.sum(), 1e-9))
            )
        if worst < tolerance:
            break
    return weights
