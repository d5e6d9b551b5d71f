"""Fidelity: how far a dataset's tables lie from what they should be, beside what chance makes."""

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
PARTS = 3  # tests of a table: its distance, its cells, and sets of them
RARELY = 0.25  # of what chance makes
SIDES = ("with what goes with it", "with what hardly goes with it")


@dataclass(frozen=True, slots=True)
class Cell:
    """The cell of a table, or the set of cells (see `company`), that chance explains least.

    Attributes:
        states: what the cell is of, attribute by attribute.
        rows: rows counted in it.
        expected: rows that a perfect sample has on average.
        p: probability of a count so far off, or further, in any cell (or set) of a perfect sample's table.
    """

    states: tuple[str, ...]
    rows: int
    expected: float
    p: float


@dataclass(frozen=True, slots=True)
class Fidelity:
    """One table of a dataset beside what it should be.

    Attributes:
        attributes: of the table.
        rows: rows counted.
        tvd: total variation distance, half the sum of absolute differences of shares.
        srmse: root mean squared difference of cells divided by the mean cell (Müller and Axhausen 2011, "Population
            synthesis for microsimulation").
        tae: total absolute error in persons, the sum of absolute differences of counts.
        floor: mean distance (tvd) of perfect samples of so many rows.
        spread: what bounds how distances of perfect samples vary (`chance.widest`).
        unknown: share of rows with a value that the table does not have; they count as misplaced.
        cell: the cell that deviates most.
        tests: tests that are counted together with this one.
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
        """Probability of such a distance, or of such a cell, in a perfect sample; of this table alone."""
        if not self.floor:  # everybody is in one cell
            return float(self.tvd < _ROUNDING)
        distance = probability_beyond(self.tvd - self.floor, self.floor, self.spread, self.rows)
        return min(1.0, PARTS * min(distance, self.cell.p))

    @property
    def limit(self) -> float:
        """Distance that perfect samples exceed with the share of `FAMILY` that this table has; 1 at most.

        0 where everybody is in one cell, as a condition may have it.
        """
        if not self.floor:
            return 0.0
        level = FAMILY / (self.tests * PARTS)
        return min(1.0, self.floor + excess_of(level, self.floor, self.spread, self.rows))

    @property
    def passes(self) -> bool:
        """Whether chance explains the distance, and every cell."""
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
    """Compare the rows' table over the attributes of `expected` with it.

    Raises:
        KeyError: the frame lacks one of the attributes.
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
    """Sets of cells of a table of two attributes: each state with those of the other that go with it, or hardly do.

    A state goes with another where the two meet more often than by chance, and hardly does where they meet less often
    than `RARELY` of it. The people in such sets become fewer or more when a group is drawn as anybody else, however
    thin its cells are. The sets are the model's, whatever the data show, so that their counts are binomial. They are
    made for the states of the attribute that has fewer.
    """
    share = expected.probabilities()
    if share.ndim != len(SIDES):
        return ()
    alone = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    axis = int(np.argmin(share.shape))
    name = tuple(expected.domain)[axis]
    flat, found = np.arange(share.size).reshape(share.shape), []
    for side, chosen in zip(SIDES, (share > alone, share < RARELY * alone), strict=True):
        for code, state in enumerate(expected.domain[name]):
            cells = np.take(flat, code, axis)[np.take(chosen, code, axis)]
            if len(cells):
                found.append(((str(state), side), cells.astype(np.int64)))
    return tuple(found)


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
    """Compare counts of cells with those expected.

    Args:
        attributes: of the table.
        counts: rows in each cell.
        trials: rows that might be in each cell.
        shares: probability of each cell for one of these.
        rows: of the sample; those that are in no cell are unknown.
        spread: see `chance.widest`.
        states: names a cell.
        sets: names of sets of cells, of which the same rows may be in each, and their cells.
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
