"""Conflict: the smallest part of what a row says that no one of the model can be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from census_personas.foundation.arrays import Mask
from census_personas.generator.population.known_facts import KnownFacts


def conflicts(facts: KnownFacts, possible: Callable[[KnownFacts], Mask]) -> list[tuple[str, ...]]:
    """Columns that exclude each other, for every row: of none of them could the row do without.

    Facts are left out one at a time, for all rows at once, and stay out where the rest is impossible still.

    Args:
        facts: rows that are impossible.
        possible: which rows are not.
    """
    names = [fact.column for fact in facts.facts]
    if not len(facts.cells):
        return []
    kinds, group = np.unique(facts.cells, axis=0, return_inverse=True)
    cells = kinds.copy()
    for place in range(len(names)):
        rows = np.flatnonzero(cells[:, place] >= 0)
        if not len(rows):
            continue
        fewer = cells[rows].copy()
        fewer[:, place] = -1
        still = rows[~possible(facts.only(fewer))]
        cells[still, place] = -1
    return [
        tuple(n for n, cell in zip(names, cells[kind], strict=True) if cell >= 0) for kind in group.ravel()
    ]
