"""Conflict: a smallest set of a row's facts that is impossible in the model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from census_personas.foundation.arrays import Mask
from census_personas.generator.population.known_facts import KnownFacts


def conflicts(facts: KnownFacts, possible: Callable[[KnownFacts], Mask]) -> list[tuple[str, ...]]:
    """Return, for every row, a minimal set of columns whose values exclude each other.

    Leaves out facts one at a time, for all rows at once; a fact stays out if the rest is still impossible.

    Args:
        facts: impossible rows.
        possible: returns which rows are possible.
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
