"""Chance: what samples of a known distribution show, in distances and in single cells.

Every figure holds for independent rows whose shares average to those expected, so for rows drawn alike and for rows
of which some come in exact numbers (a quota): those vary less (Hoeffding 1956, Annals of Mathematical Statistics
27:713). Nothing is simulated, so limits as rare as one in a million are as good as any.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrc, gammaln, xlog1py, xlogy  # type: ignore[import-untyped]

from census_personas.foundation.arrays import Floats


def mean_distance(trials: npt.ArrayLike, shares: Floats) -> float:
    """Mean of half the sum of |count - expected count| over cells, in rows.

    De Moivre's formula for the mean absolute deviation of a binomial (Diaconis and Zabell 1991, Statistical Science
    6:284), cell by cell; means add up however the cells depend.

    Args:
        trials: rows that may be in each cell.
        shares: probability of each cell for such a row.
    """
    trials, shares = np.broadcast_arrays(np.asarray(trials, dtype=np.float64), shares)
    inside = (shares > 0) & (shares < 1) & (trials > 0)
    n, p = trials[inside], shares[inside]
    k = np.floor(n * p) + 1
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return float((k * np.exp(choose + xlogy(k, p) + xlog1py(n - k + 1, -p))).sum())


def widest(shares: Floats) -> float:
    """Bound on the variance of whether a row is in any set of cells: p (1 - p), 1/4 at most."""
    largest = float(shares.max(initial=0.0))
    return largest * (1 - largest) if largest > 1 / 2 else 1 / 4


def probability_beyond(excess: float, floor: float, spread: float, rows: int) -> float:
    """Bound on the probability of a total variation distance of `floor` + `excess` or more.

    The distance is the largest deviation of any set of cells, so it is a supremum of an empirical process; the
    smaller of two bounds on its tail is taken: McDiarmid's (1989, Surveys in Combinatorics 148) and, sharper where
    nearly everybody is in one cell, Klein and Rio's (2005, Annals of Probability 33:1060).

    Args:
        excess: distance beyond the mean.
        floor: mean distance.
        spread: see `widest`.
        rows: of the sample.
    """
    if excess <= 0:
        return 1.0
    variance = 2 * (spread + 2 * floor) + 3 * excess
    return math.exp(-rows * excess**2 * max(2.0, 1 / variance))


def excess_of(probability: float, floor: float, spread: float, rows: int) -> float:
    """Distance beyond the mean that is exceeded with at most this probability: `probability_beyond` inverted."""
    nats = -math.log(probability) / rows
    variance = 2 * (spread + 2 * floor)
    return min(math.sqrt(nats / 2), (3 * nats + math.sqrt(9 * nats**2 + 4 * nats * variance)) / 2)


def cell_probabilities(counts: npt.NDArray[Any], trials: npt.ArrayLike, shares: Floats) -> Floats:
    """Probability of a count so far from the expected one, or further, in each cell: binomial, smaller tail doubled."""
    below, above = bdtr(counts, trials, shares), bdtrc(counts - 1, trials, shares)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(below, above)), dtype=np.float64)
