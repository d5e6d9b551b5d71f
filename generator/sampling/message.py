"""Message: the weights that evidence gives to joint states of some attributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import AnyFloats, Codes32
from census_personas.generator.model.node import taken


@dataclass(frozen=True, slots=True)
class Message:
    """P(evidence below | attributes) up to a common factor, one axis per attribute."""

    attributes: tuple[str, ...]
    values: AnyFloats

    def places(self, scope: Sequence[str], hierarchy: Hierarchy) -> tuple[list[int], list[Codes32]]:
        """Return for each attribute the position in `scope` that decides it, and its code by those states."""
        axes = [
            next(place for place, fine in enumerate(scope) if hierarchy.refines(fine, name))
            for name in self.attributes
        ]
        codes = [hierarchy.codes(scope[at], name) for at, name in zip(axes, self.attributes, strict=True)]
        return axes, codes

    def over(self, scope: Sequence[str], hierarchy: Hierarchy) -> AnyFloats:
        """Return the values over a scope; axes outside the message have length 1."""
        axes, codes = self.places(scope, hierarchy)
        sizes = [len(codes[axes.index(axis)]) if axis in axes else 1 for axis in range(len(scope))]
        if len(set(axes)) < len(axes):  # two views of one attribute: keep states that agree
            grid = np.ix_(*(np.arange(size) for size in sizes))
            return self.values[tuple(code[grid[axis]] for axis, code in zip(axes, codes, strict=True))]
        values = self.values
        for axis, code in enumerate(codes):
            values = taken(values, code, axis)
        return np.transpose(values, np.argsort(axes)).reshape(sizes)


def scaled(messages: Iterable[Message]) -> tuple[list[Message], float]:
    """Scale messages to a largest value of 1, so that products stay in range; return the total factor too."""
    found, scale = [], 1.0
    for message in messages:
        largest = float(message.values.max()) or 1.0
        values = (message.values / largest).astype(np.float32, copy=False)
        found.append(Message(message.attributes, values))
        scale *= largest
    return found, scale
