"""Fidelity: how far a dataset's tables lie from the census, beside what a perfect sample would show."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from persona_engine.census_priors.marginal import Marginal

if TYPE_CHECKING:
    import pandas as pd


DRAWS = 64  # perfect samples drawn for the floor
STRICT = 3.09  # standard deviations above the floor that one perfect sample in a thousand exceeds
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fidelity:
    """One table of a dataset beside the census.

    Attributes:
        attributes: of the table.
        rows: rows counted.
        tvd: total variation distance, half the sum of absolute differences of shares.
        srmse: root mean squared difference of cells divided by the mean cell (Müller and Axhausen 2011, "Population
            synthesis for microsimulation").
        tae: total absolute error in persons, the sum of absolute differences of counts.
        floor: mean distance (tvd) of perfect multinomial samples of so many rows.
        limit: distance that one perfect sample in a thousand exceeds.
        unknown: share of rows with a value that the table does not have; they count as misplaced.
    """

    attributes: tuple[str, ...]
    rows: int
    tvd: float
    srmse: float
    tae: float
    floor: float
    limit: float
    unknown: float

    @property
    def passes(self) -> bool:
        """Whether chance explains the distance."""
        return self.tvd <= self.limit

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "attributes": list(self.attributes), "passes": self.passes}


def fidelity(frame: pd.DataFrame, census: Marginal, rng: np.random.Generator) -> Fidelity:
    """Compare the rows' table over the census table's attributes with it.

    Raises:
        KeyError: the frame lacks one of the attributes.
        ValueError: the frame has no rows.
    """
    if frame.empty:
        raise ValueError("fidelity: the dataset has no rows; nothing can be compared")
    cells = _cells(frame, census)
    known = cells[cells >= 0]
    expected = census.probabilities().ravel()
    observed = np.bincount(known, minlength=len(expected)) / len(frame)
    difference = observed - expected
    unknown = 1 - len(known) / len(frame)
    floor, limit = noise(expected, len(frame), rng)
    tvd = float(np.abs(difference).sum() + unknown) / 2
    return Fidelity(
        attributes=census.domain.attributes,
        rows=len(frame),
        tvd=tvd,
        srmse=float(np.sqrt(np.mean(difference**2)) / np.mean(expected)),
        tae=2 * tvd * len(frame),
        floor=floor,
        limit=limit,
        unknown=unknown,
    )


def noise(expected: Shares, rows: int, rng: np.random.Generator) -> tuple[float, float]:
    """Mean distance of perfect samples of `rows`, and the one that a sample in a thousand exceeds."""
    draws = rng.multinomial(rows, expected / expected.sum(), size=DRAWS) / rows
    distances = np.abs(draws - expected).sum(axis=1) / 2
    return floor_and_limit(distances)


def floor_and_limit(distances: Shares) -> tuple[float, float]:
    """Mean of the distances of perfect samples, and the one that a sample in a thousand exceeds: 1 at most, as all."""
    return float(distances.mean()), min(1.0, float(distances.mean() + STRICT * distances.std(ddof=1)))


def _cells(frame: pd.DataFrame, census: Marginal) -> npt.NDArray[np.int64]:
    """Flat cell of each row in the table, -1 where a value is unknown. Ages beyond the last state belong to it."""
    flat = np.zeros(len(frame), dtype=np.int64)
    lost = np.zeros(len(frame), dtype=bool)
    for attribute in census.domain:
        states = census.domain[attribute]
        values = frame[attribute]
        if isinstance(states[-1], int):
            values = values.clip(upper=states[-1])
        known = {state: code for code, state in enumerate(states)}
        category = values.astype("category").cat
        codes = np.array([*(known.get(value, -1) for value in category.categories), -1])[category.codes]
        lost |= codes < 0
        flat = flat * len(states) + np.maximum(codes, 0)
    return np.where(lost, -1, flat)
