"""Contradiction: refuses tables of which one gives a state people and another gives it none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.generator.model.fitting import FitError, Margin

LEAST = 1e-6
"""Share of people that a table may give to a state that another denies."""


def refuse_contradictions(
    margins: Sequence[Margin], axes: Sequence[int], scope: Sequence[str], hierarchy: Hierarchy
) -> None:
    """Refuse tables of which one would silently take a state away that another has.

    Args:
        margins: constraints on one array.
        axes: the axes of it to look at.
        scope: attributes of all its axes.
        hierarchy: of the locale.

    Raises:
        FitError: naming the two tables, attribute, state and remedy.
    """
    for axis in axes:
        having = [(m, *_states(m, axis)) for m in margins if axis in m.axes]
        for (denying, none, codes), (other, some, finer) in permutations(having, 2):
            denied = (none <= 0)[codes]
            held = np.array([(denied | (finer != code)).all() for code in range(len(some))])
            lost = held & (some > LEAST)
            if lost.any():
                fine = int(np.flatnonzero(finer == int(np.argmax(lost)))[0])
                state = hierarchy.domain[scope[axis]][fine]
                raise FitError(
                    f"tables: {denying.name} has nobody with {scope[axis]}={state}, of whom {other.name} has "
                    f"{some[int(np.argmax(lost))]:.3g} of the people; add the cells to {denying.name}, or declare "
                    f"under `model` that nobody has it: zeros: [{{{scope[axis]}: [{state}]}}]"
                )


def _states(margin: Margin, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Share of each of the table's states on an axis, and the table's code of every state of the array."""
    position = margin.axes.index(axis)
    summed = tuple(i for i in range(margin.wanted.ndim) if i != position)
    return margin.wanted.sum(axis=summed), margin.codes[position]
