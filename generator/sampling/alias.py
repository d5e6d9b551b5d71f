"""Alias: a table that draws a weighted cell in one look-up, however many cells there are."""

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
    """Equally likely slots, a power of two; a threshold divides each between two cells (Walker 1977).

    Attributes:
        slots: for each slot the threshold, a fraction of 2^32, in the high half, and the other slot in the low one.
        cells: the cell of every slot; None if slots are numbered like cells.
        bits: base-2 logarithm of the number of slots.
    """

    slots: Words
    cells: Integers32 | None
    bits: int

    @classmethod
    def of(cls, weights: AnyFloats) -> AliasTable:
        """Build the table for these weights; at least one is above 0, and their sum need not be 1.

        Slots below their share are filled from those above, both in order, by running sums (the sweep of
        Hübschle-Schneider and Sanders 2022, section 4.1): a slot fills another where its running excess passes
        the other's running lack.
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
        ends = np.searchsorted(lack[:-1], excess)  # end of the slots that each rich slot fills
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
        """Draw cells, from one number that selects the slot and one that selects within it."""
        slot = which >> np.uint32(32 - self.bits)
        entry = self.slots.take(slot.view(np.int32), mode="clip")
        chosen = entry.astype(np.uint32)
        entry >>= HALF
        slot ^= chosen
        slot *= share < entry
        chosen ^= slot
        cell = chosen.view(np.int32)
        return cell if self.cells is None else self.cells.take(cell, mode="clip")
