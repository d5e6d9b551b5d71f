"""Conditional draw: conditional tables of a network, compiled for drawing by inversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from census_personas.foundation.arrays import AnyCodes, Integers
from census_personas.foundation.randomness import Fractions
from census_personas.generator.sampling.guide_table import Entries, Index, smallest
from census_personas.generator.sampling.product import Product

Lookup = Index | int
"""What each code of a parent adds to the row number: a table by code, or a factor of the code."""


@dataclass(frozen=True, slots=True)
class TableStep:
    """One conditional: runs of thresholds, selected by the codes of the parents and of the refined attribute.

    Attributes:
        child: attribute that is drawn.
        lookups: parent -> its code's part of the row number.
        entries: the states that evidence allows, by row and run.
        kind: dtype of the codes.
        codes: child code of each state that evidence allows; None if it allows all.
        refines: the parent that selects the run.
        certain: a parent, and the child code that each of its states makes certain (-1: draw).
    """

    child: str
    lookups: Mapping[str, Lookup]
    entries: Entries
    kind: np.dtype[np.integer]
    codes: AnyCodes | None
    refines: str | None = None
    certain: tuple[str, Integers] | None = None

    def whole(self) -> None:
        """Compute every run in advance."""
        self.entries.whole()

    def draw(self, codes: Mapping[str, AnyCodes], numbers: Fractions) -> AnyCodes:
        """Draw child codes for numbers, given the codes of every earlier attribute."""
        row = row_number(self.lookups, codes, len(numbers), self.entries.kind)
        run = None if self.refines is None else codes[self.refines]
        if self.certain is None:
            return self._draw(row, run, numbers)
        parent, values = self.certain
        result = values.take(codes[parent], mode="clip")
        drawn = np.flatnonzero(result < 0)
        found = self._draw(row.take(drawn), None if run is None else run.take(drawn), numbers.take(drawn))
        result = result.astype(found.dtype)
        result[drawn] = found
        return result

    def _draw(self, row: Index, run: AnyCodes | None, numbers: Fractions) -> AnyCodes:
        state = self.entries.draw(row, run, numbers)
        return (
            state.astype(self.kind, copy=False) if self.codes is None else self.codes.take(state, mode="clip")
        )


@dataclass(frozen=True, slots=True)
class FixedStep:
    """An attribute for which evidence allows one state."""

    child: str
    code: int
    kind: np.dtype[np.integer]

    def draw(self, _: Mapping[str, AnyCodes], numbers: Fractions) -> AnyCodes:
        """Return the code once per number."""
        return np.full(len(numbers), self.code, dtype=self.kind)


def row_number(
    lookups: Mapping[str, Lookup], codes: Mapping[str, AnyCodes], count: int, kind: np.dtype[np.signedinteger]
) -> Index:
    """Return the row that the parents' codes select."""
    row = np.zeros(count, dtype=kind)
    for parent, part in lookups.items():
        if isinstance(part, int):
            row += codes[parent] if part == 1 else np.multiply(codes[parent], part, dtype=kind)
        else:
            row += part.astype(kind).take(codes[parent], mode="clip")
    return row


def compile_product(product: Product) -> TableStep:
    """Compile a step for the states that evidence allows; thresholds are computed on demand."""
    states = product.node.table.shape[-1]
    kind = smallest(states)
    certain = product.node.certain
    return TableStep(
        product.node.child,
        _lookups(product),
        Entries(product),
        kind,
        None if len(product.states) == states else product.states.astype(kind),
        product.node.refines,
        None if certain is None else (certain[0], certain[1].astype(np.int64)),
    )


def _lookups(product: Product) -> dict[str, Lookup]:
    """Return what each parent's code adds to the row number."""
    lookups: dict[str, Lookup] = {}
    stride = 1
    for axis in reversed(range(len(product.parents))):
        places = product.places(axis)
        plain = bool((places == np.arange(len(places))).all())
        lookups[product.parents[axis]] = stride if plain else places * stride
        stride *= product.shape[axis]
    return lookups
