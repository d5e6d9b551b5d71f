"""Alias: a table from which one look-up draws a weighted cell, however many cells there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from census_personas.foundation.arrays import AnyFloats, Integers32, Words
from census_personas.foundation.randomness import Fractions

Cells = Integers32
FULL = float(2**32 - 1)
HALF = np.uint64(32)


@dataclass(frozen=True, slots=True)
class AliasTable:
    """Equally likely slots, a power of two; each is one cell's up to a threshold and another's beyond (Walker 1977).

    Attributes:
        slots: for each slot the threshold, a fraction of 2^32, in the high half, and the other slot in the low one.
        cells: the cell of every slot; None if cells are slots.
        bits: of the number of slots, as a power of two.
    """

    slots: Words
    cells: Integers32 | None
    bits: int

    @classmethod
    def of(cls, weights: AnyFloats) -> AliasTable:
        """The table of cells with these weights, of which one at least is above 0; their sum need not be 1.

        Slots with less than their share are topped up from those with more, both in their order, by sums alone
        (the sweep of Hübschle-Schneider and Sanders 2022, section 4.1): the slot that tops another up is found by
        where its running excess passes the other's running lack.
        """
        possible = weights > 0
        kept = None if possible.all() else np.flatnonzero(possible).astype(np.int32)
        size = len(weights) if kept is None else len(kept)
        bits = max((size - 1).bit_length(), 1)
        count = 1 << bits
        share = np.zeros(count)
        share[:size] = weights if kept is None else weights.take(kept)
        share *= count / share.sum()
        rich = np.flatnonzero(share >= 1)
        lack = np.zeros(count + 1)  # of all slots before each
        np.maximum(1.0 - share, 0.0, out=lack[1:])
        np.cumsum(lack, out=lack)
        excess = np.cumsum(share[rich] - 1.0)
        ends = np.searchsorted(lack[:-1], excess)  # where the slots that each rich one tops up end
        ends[-1] = count
        share[rich] = 1.0 + excess - lack[ends]
        share[rich[-1]] = 1.0
        slots = np.empty((count, 2), dtype="<u4")
        slots[:, 0] = np.repeat(rich.astype(np.uint32), np.diff(ends, prepend=0))
        slots[rich, 0] = np.append(rich[1:], rich[-1])
        share *= FULL
        share += 0.5
        np.clip(share, 0.5, FULL + 0.5, out=slots[:, 1], casting="unsafe")
        return cls(slots.view("<u8").ravel(), kept, bits)

    def draw(self, which: Fractions, share: Fractions) -> Cells:
        """Cells, from a number that chooses the slot and one that chooses within it."""
        slot = which >> np.uint32(32 - self.bits)
        entry = self.slots.take(slot.view(np.int32), mode="clip")
        chosen = entry.astype(np.uint32)
        entry >>= HALF
        slot ^= chosen
        slot *= share < entry
        chosen ^= slot
        found = chosen.view(np.int32)
        return found if self.cells is None else self.cells.take(found, mode="clip")
