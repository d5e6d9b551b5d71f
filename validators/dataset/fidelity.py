"""Fidelity: the distance of a dataset's tables from the expected ones, with the distance that chance explains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from census_personas.census_priors.marginal import Marginal
from census_personas.foundation.arrays import Floats, Integers
from census_personas.validators.dataset.chance import (
    cell_probabilities,
    excess_of,
    mean_distance,
    probability_beyond,
    widest,
)
from census_personas.validators.dataset.multiple_testing import FAMILY, significant

if TYPE_CHECKING:
    import pandas as pd

Shares = Floats
Counts = Integers
Positions = Integers
_ROUNDING = 1e-9
PARTS = 3  # tests of a table: its distance, its cells, and sets of cells
RARELY = 0.25  # of the share under independence; see `company`
SIDES = ("with what goes with it", "with what hardly goes with it")


@dataclass(frozen=True, slots=True)
class Cell:
    """The cell of a table, or the set of cells (see `company`), with the smallest p value.

    Attributes:
        states: state of each attribute.
        rows: number of rows in it.
        expected: mean number of rows in a perfect sample.
        p: probability that any cell (or set) of a perfect sample's table deviates at least as much.
    """

    states: tuple[str, ...]
    rows: int
    expected: float
    p: float


@dataclass(frozen=True, slots=True)
class Fidelity:
    """One table of a dataset compared with the expected table.

    Attributes:
        attributes: attributes of the table.
        rows: number of rows.
        tvd: total variation distance, half the sum of absolute differences of shares.
        srmse: root mean squared difference of cells divided by the mean cell (Müller and Axhausen 2011, "Population
            synthesis for microsimulation").
        tae: total absolute error in rows, the sum of absolute differences of counts.
        floor: mean TVD of perfect samples of the same size.
        spread: bound on the variance in perfect samples (`chance.widest`).
        unknown: share of rows with a value that the table does not have; they count as misplaced.
        cell: the cell or set of cells that deviates most.
        tests: number of tests that share the chance of a mark.
    """

    attributes: tuple[str, ...]
    rows: int
    tvd: float
    srmse: float
    tae: float
    floor: float
    spread: float
    unknown: float
    cell: Cell
    tests: int = 1

    @property
    def p(self) -> float:
        """Probability of such a distance, or of such a cell, in a perfect sample; uncorrected."""
        if not self.floor:  # the expected table has one cell
            return float(self.tvd < _ROUNDING)
        distance = probability_beyond(self.tvd - self.floor, self.floor, self.spread, self.rows)
        return min(1.0, PARTS * min(distance, self.cell.p))

    @property
    def limit(self) -> float:
        """Distance that a perfect sample exceeds with probability `FAMILY` / (tests x parts); at most 1.

        0 if the expected table has one cell, as under some conditions.
        """
        if not self.floor:
            return 0.0
        level = FAMILY / (self.tests * PARTS)
        return min(1.0, self.floor + excess_of(level, self.floor, self.spread, self.rows))

    @property
    def passes(self) -> bool:
        """Whether chance explains the distance and all cells."""
        return not significant(self)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **asdict(self),
            "attributes": list(self.attributes),
            "cell": {**asdict(self.cell), "states": list(self.cell.states)},
            "limit": self.limit,
            "p": self.p,
            "passes": self.passes,
        }


def fidelity(frame: pd.DataFrame, expected: Marginal) -> Fidelity:
    """Compare the table of the frame's rows with an expected table over the same attributes.

    Raises:
        KeyError: the frame lacks an attribute.
        ValueError: the frame has no rows.
    """
    if frame.empty:
        raise ValueError("fidelity: the dataset has no rows; nothing can be compared")
    cells = _cells(frame, expected)
    known = cells[cells >= 0]
    shares = expected.probabilities().ravel()
    domain = expected.domain

    def states(cell: int) -> tuple[str, ...]:
        codes = np.unravel_index(cell, domain.shape)
        return tuple(str(domain[name][int(code)]) for name, code in zip(domain, codes, strict=True))

    counts = np.bincount(known, minlength=len(shares)).astype(np.int64)
    trials = np.full(len(shares), len(frame))
    return compared(
        domain.attributes, counts, trials, shares, len(frame), widest(shares), states, company(expected)
    )


def company(expected: Marginal) -> tuple[tuple[tuple[str, ...], Positions], ...]:
    """Return sets of cells of a two-way table that reveal a lost association; empty for other tables.

    For each state of the attribute with fewer states there are two sets: the states of the other attribute that occur
    with it more often than under independence, and those that occur with it less often than `RARELY` of that. The
    counts of these sets change when a group is drawn like everybody else, even if each of its cells is thin. The sets
    follow from the model and not from the data, so their counts are binomial.
    """
    share = expected.probabilities()
    if share.ndim != len(SIDES):
        return ()
    alone = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    axis = int(np.argmin(share.shape))
    name = tuple(expected.domain)[axis]
    flat, sets = np.arange(share.size).reshape(share.shape), []
    for side, chosen in zip(SIDES, (share > alone, share < RARELY * alone), strict=True):
        for code, state in enumerate(expected.domain[name]):
            cells = np.take(flat, code, axis)[np.take(chosen, code, axis)]
            if len(cells):
                sets.append(((str(state), side), cells.astype(np.int64)))
    return tuple(sets)


def compared(
    attributes: tuple[str, ...],
    counts: Counts,
    trials: Counts,
    shares: Shares,
    rows: int,
    spread: float,
    states: Callable[[int], tuple[str, ...]],
    sets: Sequence[tuple[tuple[str, ...], Positions]] = (),
) -> Fidelity:
    """Compare counts of cells with the expected counts.

    Args:
        attributes: attributes of the table.
        counts: number of rows in each cell.
        trials: number of rows that can be in each cell.
        shares: probability of each cell for such a row.
        rows: number of rows of the sample; those in no cell count as unknown.
        spread: see `chance.widest`.
        states: returns the states of a cell.
        sets: sets of cells with equal `trials`: name and cells of each.
    """
    difference = counts - trials * shares
    unknown = 1 - float(counts.sum()) / rows
    tae = float(np.abs(difference).sum()) + unknown * rows
    return Fidelity(
        attributes=attributes,
        rows=rows,
        tvd=tae / 2 / rows,
        srmse=float(np.sqrt(np.mean(difference**2)) / np.mean(trials * shares)),
        tae=tae,
        floor=mean_distance(trials, shares) / rows,
        spread=spread,
        unknown=unknown,
        cell=_furthest(counts, trials, shares, states, sets),
    )


def _furthest(
    counts: Counts,
    trials: Counts,
    shares: Shares,
    states: Callable[[int], tuple[str, ...]],
    sets: Sequence[tuple[tuple[str, ...], Positions]],
) -> Cell:
    size = len(counts)
    counts = np.append(counts, [counts[cells].sum() for _, cells in sets]).astype(np.int64)
    trials = np.append(trials, [trials[cells[0]] for _, cells in sets]).astype(np.int64)
    shares = np.append(shares, [shares[cells].sum() for _, cells in sets])
    alone = cell_probabilities(counts, trials, np.clip(shares, 0.0, 1.0))
    possible = trials * shares > 0
    alone[:size] *= max(int(possible[:size].sum()), 1)
    alone[size:] *= max(int(possible[size:].sum()), 1)
    cell = int(np.argmin(alone))
    return Cell(
        states=states(cell) if cell < size else sets[cell - size][0],
        rows=int(counts[cell]),
        expected=float(trials[cell] * shares[cell]),
        p=min(1.0, float(alone[cell])),
    )


def _cells(frame: pd.DataFrame, census: Marginal) -> Integers:
    """Return the flat cell of each row, -1 for unknown values; ages beyond the last state count as the last."""
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
