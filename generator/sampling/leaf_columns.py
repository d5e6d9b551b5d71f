"""Leaf columns: a leaf's table sorted by state, for the likelihood of evidence by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from census_personas.foundation.arrays import AnyFloats, Floats, Integers, Integers32, Mask
from census_personas.generator.model.leaves import Leaf


@dataclass(frozen=True, slots=True)
class LeafColumns:
    """The entries of a leaf's table, in the order of their states.

    Attributes:
        leaf: the leaf.
        starts: where the entries of each state begin, and the end of the last.
        rows: row of each entry.
        shares: probability of each entry.
    """

    leaf: Leaf
    starts: Integers
    rows: Integers32
    shares: AnyFloats

    @classmethod
    def of(cls, leaf: Leaf) -> LeafColumns:
        """Sort a leaf's table by state."""
        table = leaf.table
        order = np.argsort(table.indices, kind="stable")
        rows = np.repeat(np.arange(len(table.indptr) - 1, dtype=np.int32), np.diff(table.indptr))
        counts = np.bincount(table.indices, minlength=len(table.states))
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(leaf, starts, rows[order], table.probabilities[order])

    @property
    def count(self) -> int:
        """Number of rows of the table."""
        return len(self.leaf.table.indptr) - 1

    def likelihood(self, sets: Sequence[Integers]) -> Floats:
        """Compute P(a state of the set | row), shape (sets, rows of the table)."""
        states = np.concatenate([*sets, np.zeros(0, dtype=np.int64)])
        owner = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
        lengths = self.starts[states + 1] - self.starts[states]
        ends = np.cumsum(lengths)
        entry = np.arange(ends[-1] if len(ends) else 0) + np.repeat(
            self.starts[states] - ends + lengths, lengths
        )
        cells = np.repeat(owner, lengths) * self.count + self.rows[entry]
        found = np.bincount(cells, weights=self.shares[entry], minlength=len(sets) * self.count)
        return np.asarray(found.reshape(len(sets), self.count), dtype=np.float64)

    def support(self, sets: Sequence[Integers], axis: int) -> Mask:
        """Return the parent states under which a set is possible, shape (sets, states of the parent)."""
        rows = np.moveaxis(self.leaf.rows, axis, 0)
        reach = np.zeros((self.count, rows.shape[0]), dtype=bool)
        for state, own in enumerate(rows):
            reach[np.unique(own), state] = True
        found = np.zeros((len(sets), rows.shape[0]), dtype=bool)
        for number, states in enumerate(sets):
            mine = [self.rows[self.starts[s] : self.starts[s + 1]] for s in states]
            found[number] = reach[np.unique(np.concatenate(mine))].any(axis=0)
        return found
