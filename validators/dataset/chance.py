"""Chance: distances and cell counts of random samples from a known distribution.

All formulas hold for independent rows whose mean shares are the expected ones: for identically distributed rows, and
for rows with quotas, which vary less (Hoeffding 1956, Annals of Mathematical Statistics 27:713). Nothing is
simulated, so limits hold for probabilities as small as one in a million.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrc, gammaln, xlog1py, xlogy  # type: ignore[import-untyped]

from census_personas.foundation.arrays import Floats


def mean_distance(trials: npt.ArrayLike, shares: Floats) -> float:
    """Compute the mean of half the sum of |count - expected count| over cells, in rows.

    De Moivre's formula for the mean absolute deviation of a binomial (Diaconis and Zabell 1991, Statistical Science
    6:284) is applied to each cell; the means of dependent cells add up as well.

    Args:
        trials: number of rows that can be in each cell.
        shares: probability of each cell for such a row.
    """
    trials, shares = np.broadcast_arrays(np.asarray(trials, dtype=np.float64), shares)
    inside = (shares > 0) & (shares < 1) & (trials > 0)
    n, p = trials[inside], shares[inside]
    k = np.floor(n * p) + 1
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return float((k * np.exp(choose + xlogy(k, p) + xlog1py(n - k + 1, -p))).sum())


def widest(shares: Floats) -> float:
    """Return a bound on the variance p (1 - p) of a row's membership in any set of cells; at most 1/4."""
    largest = float(shares.max(initial=0.0))
    return largest * (1 - largest) if largest > 1 / 2 else 1 / 4


def probability_beyond(excess: float, floor: float, spread: float, rows: int) -> float:
    """Return a bound on the probability of a total variation distance of at least `floor` + `excess`.

    The distance is the largest deviation of any set of cells, thus the supremum of an empirical process. The bound is
    the smaller of McDiarmid's (1989, Surveys in Combinatorics 148) and Klein and Rio's (2005, Annals of Probability
    33:1060), which is sharper if nearly all people are in one cell.

    Args:
        excess: distance beyond the mean.
        floor: mean distance.
        spread: see `widest`.
        rows: number of rows of the sample.
    """
    if excess <= 0:
        return 1.0
    variance = 2 * (spread + 2 * floor) + 3 * excess
    return math.exp(-rows * excess**2 * max(2.0, 1 / variance))


def excess_of(probability: float, floor: float, spread: float, rows: int) -> float:
    """Return the distance beyond the mean that is exceeded with at most this probability (inverse of the above)."""
    nats = -math.log(probability) / rows
    variance = 2 * (spread + 2 * floor)
    return min(math.sqrt(nats / 2), (3 * nats + math.sqrt(9 * nats**2 + 4 * nats * variance)) / 2)


def cell_probabilities(counts: npt.NDArray[Any], trials: npt.ArrayLike, shares: Floats) -> Floats:
    """Return two-sided binomial p values of the counts: the smaller tail doubled."""
    below, above = bdtr(counts, trials, shares), bdtrc(counts - 1, trials, shares)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(below, above)), dtype=np.float64)
