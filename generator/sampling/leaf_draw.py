"""Leaf draw: conditional tables of names, places and traits, compiled for drawing by inversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from census_personas.foundation.arrays import AnyCodes, Indices, Integers32
from census_personas.foundation.randomness import Fractions
from census_personas.foundation.threads import cores, each
from census_personas.generator.model.leaves import Leaf, Rows
from census_personas.generator.sampling.conditional_draw import Lookup, row_number
from census_personas.generator.sampling.conditioning import Weights
from census_personas.generator.sampling.guide_table import LAST, Thresholds, smallest
from census_personas.generator.sampling.on_demand import OnDemand

SHARE = 4
"""Approximate number of row entries per guide entry."""


@dataclass(frozen=True, slots=True)
class RaggedStep:
    """A leaf: rows of thresholds of different lengths, with the child code beside every entry.

    Attributes:
        child: attribute that is drawn.
        lookups: parent -> what its code adds to the number of a combination of parents.
        rows: row of every combination of parents.
        thresholds: concatenated rows, ascending within each (see `steps`).
        states: child code of every entry.
        guide: for every row and equal part of the number range, the first entry whose threshold reaches the start of
            the part; and one more value at the end of the row.
        firsts: where the guide of each row starts.
        shifts: low bits of a number that the guide of each row ignores.
        kind: dtype of the codes.
        made: computes rows when a draw first needs them.
    """

    child: str
    lookups: Mapping[str, Lookup]
    rows: Rows
    thresholds: Thresholds
    states: Integers32
    guide: Integers32
    firsts: Integers32
    shifts: npt.NDArray[np.uint32]
    kind: np.dtype[np.integer]
    made: OnDemand

    def draw(self, codes: Mapping[str, AnyCodes], numbers: Fractions) -> AnyCodes:
        """Draw child codes for numbers, given the codes of every earlier attribute."""
        row = self.rows.take(row_number(self.lookups, codes, len(numbers), self.firsts.dtype), mode="clip")
        self.made.reach(row)
        part = (numbers >> self.shifts.take(row, mode="clip")).astype(np.int64)
        part += self.firsts.take(row, mode="clip")
        low = self.guide.take(part, mode="clip")
        part += 1
        high = self.guide.take(part, mode="clip")
        going = np.flatnonzero(low < high)
        while len(going):  # bisection
            below, above, number = low.take(going), high.take(going), numbers.take(going)
            middle = (below + above) >> 1
            beyond = self.thresholds.take(middle, mode="clip") < number
            below, above = np.where(beyond, middle + 1, below), np.where(beyond, above, middle)
            low[going], high[going] = below, above
            going = going.compress(below < above)
        return self.states.take(low, mode="clip").astype(self.kind)

    def whole(self) -> None:
        """Compute every row in advance."""
        self.made.whole()


def compile_leaf(leaf: Leaf, weights: Weights | None = None) -> RaggedStep:
    """Compile a leaf; rows are computed on demand, states weighted by `weights` or a mask of allowed states."""
    starts, states, shares = leaf.entries(weights)
    lengths = np.diff(starts)
    bits = np.maximum(np.frexp(lengths // SHARE)[1], 1).astype(np.uint32)
    firsts = np.concatenate(([0], np.cumsum((1 << bits.astype(np.int64)) + 1)))
    thresholds = np.zeros(len(states), dtype=np.uint32)
    guide = np.zeros(int(firsts[-1]), dtype=np.int32)

    def compile_rows(rows: Indices) -> None:
        for row in rows:
            entries = slice(starts[row], starts[row + 1])
            sums = np.cumsum(shares[entries], dtype=np.float64)
            if not len(sums) or not sums[-1] > 0:
                continue
            sums *= LAST / sums[-1]
            np.add(sums, 0.5, out=thresholds[entries], casting="unsafe")
            edges = np.arange(1 << bits[row], dtype=np.uint32) << np.uint32(32 - bits[row])
            edges = np.append(np.maximum(edges, 1), np.uint32(LAST))
            guide[firsts[row] : firsts[row + 1]] = starts[row] + np.searchsorted(thresholds[entries], edges)

    def make(asked: Indices) -> None:
        each(compile_rows, np.array_split(asked, min(8 * cores(), len(asked))))

    lookups: dict[str, Lookup] = {
        parent: int(np.prod(leaf.rows.shape[axis + 1 :], dtype=np.int64))
        for axis, parent in enumerate(leaf.parents)
    }
    return RaggedStep(
        leaf.child,
        lookups,
        leaf.rows.ravel(),
        thresholds,
        states,
        guide,
        firsts[:-1].astype(np.int32),
        np.uint32(32) - bits,
        smallest(len(leaf.table.states)),
        OnDemand(len(lengths), make),
    )
