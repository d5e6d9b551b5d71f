"""Contradiction: refuses two tables if one has people in a state where the other has none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.generator.model.fitting import FitError, Margin

LEAST = 1e-6
"""Largest share of people that a table may have in a state where another table has none."""


def refuse_contradictions(
    margins: Sequence[Margin], axes: Sequence[int], scope: Sequence[str], hierarchy: Hierarchy
) -> None:
    """Refuse two tables if the zeros of one would silently remove a state of the other.

    Args:
        margins: constraints on one array.
        axes: the axes to check.
        scope: attributes of all its axes.
        hierarchy: of the locale.

    Raises:
        FitError: naming the two tables, attribute, state and remedy.
    """
    for axis in axes:
        with_axis = [(m, *_states(m, axis)) for m in margins if axis in m.axes]
        for (denying, none, codes), (other, some, finer) in permutations(with_axis, 2):
            denied = (none <= 0)[codes]
            held = np.array([(denied | (finer != code)).all() for code in range(len(some))])
            lost = held & (some > LEAST)
            if lost.any():
                fine = int(np.flatnonzero(finer == int(np.argmax(lost)))[0])
                state = hierarchy.domain[scope[axis]][fine]
                raise FitError(
                    f"tables: {denying.name} has nobody with {scope[axis]}={state}, but {other.name} has "
                    f"{some[int(np.argmax(lost))]:.3g} of the people there; add cells to {denying.name}, or declare "
                    f"under `model` that nobody has it: zeros: [{{{scope[axis]}: [{state}]}}]"
                )


def _states(margin: Margin, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each table state on an axis, and the table's code for every state of the array."""
    position = margin.axes.index(axis)
    summed = tuple(i for i in range(margin.wanted.ndim) if i != position)
    return margin.wanted.sum(axis=summed), margin.codes[position]
