"""Comparison of a dataset with the census, and of two datasets, table by table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from persona_engine.census_priors.marginal import Array, Marginal
from persona_engine.generator.tabulation import Counts, Tabulation


@dataclass(frozen=True, slots=True)
class Comparison:
    """One table of a dataset beside the census.

    Attributes:
        table: attributes of the table.
        tvd: total variation distance, half the sum of absolute differences of shares.
        floor: the distance that a perfect sample of so many rows shows on average.
        limit: a perfect sample stays below it 19 times out of 20.
        unknown: share of rows with a state that the census does not know.
    """

    table: tuple[str, ...]
    tvd: float
    floor: float
    limit: float
    unknown: float

    @property
    def agrees(self) -> bool:
        """Whether the distance is no larger than chance explains."""
        return self.tvd <= self.limit and not self.unknown

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "table": list(self.table), "agrees": self.agrees}


def compare(counted: Tabulation, table: Sequence[str], census: Marginal) -> Comparison:
    """Compare one table of a dataset, which must not be empty, with the census."""
    found, unknown = counted.cells(table, census.domain)
    shares = found / counted.rows
    expected = census.probabilities()
    lost = unknown / counted.rows
    floor, limit = noise(expected, counted.rows)
    tvd = float(np.abs(shares - expected).sum() + lost) / 2
    return Comparison(tuple(table), tvd, floor, limit, lost)


def noise(expected: Array, rows: int) -> tuple[float, float]:
    """Mean and 95 % point of the distance that a multinomial sample of `rows` shows.

    A cell's count is binomial; where fewer than about five are expected, the mean absolute deviation is taken
    exactly for a Poisson count (de Moivre: 2 exp(-m) m^(k+1) / k!, k = floor(m)), else from the normal limit
    sqrt(2 v / pi). The 95 % point adds 1.645 standard deviations, cells taken as independent.
    """
    shares = expected.ravel()
    shares = shares[shares > 0]
    mean, variance = shares * rows, shares * (1 - shares) * rows
    normal = np.sqrt(2 * variance / np.pi)
    whole = np.floor(np.minimum(mean, 20))
    factorials = np.cumprod([1.0, *range(1, 21)])[whole.astype(int)]
    poisson = 2 * np.exp(-mean) * mean ** (whole + 1) / factorials
    deviation = np.where(mean < 5, poisson, normal)
    spread = np.maximum(variance - deviation**2, 0).sum()
    return float(deviation.sum() / rows / 2), float((deviation.sum() + 1.645 * np.sqrt(spread)) / rows / 2)


def distance(one: Counts[Any], other: Counts[Any]) -> float:
    """Total variation distance of two datasets' tables over the same attributes."""
    first, second = (counts.rename(index=str) / counts.sum() for counts in (one, other))
    return float(first.sub(second, fill_value=0).abs().sum() / 2)
