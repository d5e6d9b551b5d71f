"""ConditionalTable: P(child | parents) in rows, for children with many states (names, postcodes)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import TableError
from census_personas.foundation.arrays import AnyFloats, Integers, Integers32, Objects


@dataclass(frozen=True, slots=True)
class ConditionalTable:
    """One probability row per combination of parent states, as compressed sparse rows.

    Row r belongs to the parent cell with C-order index r over `parents`. Its states are
    `states[indices[indptr[r]:indptr[r + 1]]]`, with `probabilities` that sum to 1. An empty row means that
    the parent combination cannot occur.

    Attributes:
        child: attribute of the table.
        parents: domain of the parents, in axis order.
        states: states of the child, as an array of strings.
        indptr: int64, shape (parents.size + 1,).
        indices: int32, positions in `states`, ascending within a row.
        probabilities: float64 (or float32), same shape as `indices`.
    """

    child: str
    parents: Domain
    states: Objects
    indptr: Integers
    indices: Integers32
    probabilities: AnyFloats

    def __post_init__(self) -> None:
        """Reject rows that are not distributions."""
        if len(self.indptr) != self.parents.size + 1:
            raise TableError(
                f"{self.child}: {len(self.indptr) - 1} rows for {self.parents.size} parent cells"
            )
        if not np.isfinite(self.probabilities).all() or (self.probabilities < 0).any():
            raise TableError(f"{self.child}: probabilities must be finite and >= 0")
        filled = np.flatnonzero(np.diff(self.indptr))
        sums = np.add.reduceat(self.probabilities.astype(np.float64), self.indptr[:-1][filled])
        if len(filled) and not np.allclose(sums, 1.0, atol=1e-4):
            row = int(filled[np.argmax(np.abs(sums - 1.0))])
            raise TableError(
                f"{self.child}: probabilities of parent cell {row} sum to {sums.max():.6f}, not 1"
            )

    def row(self, cell: int) -> tuple[Integers32, AnyFloats]:
        """Return state positions and probabilities of one parent cell."""
        part = slice(int(self.indptr[cell]), int(self.indptr[cell + 1]))
        return self.indices[part], self.probabilities[part]
