"""Completer: draws the unknown facts of many people together, each conditioned on that person's known facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from census_personas.foundation.arrays import AnyCodes, Floats, Indices, Integers
from census_personas.foundation.randomness import UNIT, Fractions
from census_personas.foundation.threads import each
from census_personas.generator.model.network import Network
from census_personas.generator.sampling.elimination import Elimination, eliminate, times
from census_personas.generator.sampling.evidence_draw import draw_child, draw_leaf, pick
from census_personas.generator.sampling.leaf_columns import LeafColumns
from census_personas.generator.sampling.open_states import Known
from census_personas.generator.sampling.people_grid import boxes, kinds_of
from census_personas.generator.sampling.sampler import CodesByAttribute, Sampler

MOST_CELLS = 1 << 21
"""Joint states processed together, over all people; bounds memory."""
CORE = "core"


@dataclass(frozen=True)
class Drawn:
    """Completed people.

    Attributes:
        codes: attribute -> code of each row.
        probability: P(known facts) of each person; 0 where the model excludes them, and the codes are meaningless.
    """

    codes: Mapping[str, AnyCodes]
    probability: Floats


@dataclass(frozen=True)
class Completer:
    """Draws unknown attributes of people exactly from their conditional distribution.

    Attributes:
        sampler: the model's own sampler, which draws attributes that the evidence does not affect.
        columns: its leaves.
    """

    sampler: Sampler
    columns: Mapping[str, LeafColumns]

    @property
    def network(self) -> Network:
        """The fitted model."""
        return self.sampler.network

    def probability(self, known: Known) -> Floats:
        """Compute P(known facts) of each person."""
        probability = np.zeros(len(known))

        def weigh(people: Indices) -> None:
            some = known.of_people(people)
            for row_of, weights, _ in self._core(some, eliminate(self.network, self.columns, some)):
                here = np.flatnonzero(row_of >= 0)
                probability[people[here]] = weights.sum(axis=1)[row_of[here]]

        each(weigh, self._chunks(known))
        return probability

    def draw(self, known: Known, people: Indices, numbers: Callable[[str], Fractions]) -> Drawn:
        """Draw all attributes of rows.

        Args:
            known: what is known of each person.
            people: the person whose evidence each row has.
            numbers: function from a stream to the number of each row.
        """
        sampler = self.sampler
        sizes = {name: len(known.of(name).sets[0]) for name in self.network.core_attributes}
        sizes |= {part.child: part.states for part in sampler.parts}
        codes = {name: np.zeros(len(people), dtype=np.int64) for name in sizes}
        probability = np.zeros(len(known))
        order = np.argsort(people, kind="stable")
        bounds = np.searchsorted(people[order], np.arange(len(known) + 1))
        streams = {
            name: numbers(name) for name in (CORE, f"{CORE}/share", *(part.child for part in sampler.parts))
        }

        def fill(chunk: Indices) -> None:
            rows = order[np.concatenate([np.arange(bounds[p], bounds[p + 1]) for p in chunk])]
            owner = np.repeat(np.arange(len(chunk)), bounds[chunk + 1] - bounds[chunk])
            some = known.of_people(chunk)
            eliminated = eliminate(self.network, self.columns, some)
            uniform = _doubles(streams[CORE][rows], streams[f"{CORE}/share"][rows])
            drawn, probability[chunk] = self._draw_core(some, eliminated, owner, uniform)
            met = np.flatnonzero(probability[chunk][owner] > 0)
            rows, owner = rows[met], owner[met]
            drawn = CodesByAttribute(self.network.hierarchy, {n: c[met] for n, c in drawn.items()})
            for part in sampler.parts:
                fractions = streams[part.child][rows]
                if part.child in eliminated.conditionals:
                    node = eliminated.conditionals[part.child]
                    drawn[part.child] = draw_child(node, part.step, some, owner, drawn, fractions)
                else:
                    drawn[part.child] = draw_leaf(
                        self.columns[part.child], part.step, some, owner, drawn, fractions
                    )
            for name, column in codes.items():
                column[rows] = drawn[name]

        each(fill, self._chunks(known))
        return Drawn(codes, probability)

    def _chunks(self, known: Known) -> list[Indices]:
        """Split people into chunks whose messages and joint states fit in memory."""
        cells = np.ones(len(known))
        eliminated = [node.child for node in self.network.nodes]
        for name in self.network.core_attributes:
            cells *= _widths(known, name)
        for node in self.network.nodes:
            span = np.ones(len(known))
            for name in node.conditions:
                span *= _widths(known, name)
            cells += span
        # Sort people by the numbers of open states, so that they share arrays, then by the evidence itself, so that
        # they share messages.
        widths = [_widths(known, name) for name in (*self.network.core_attributes, *eliminated)]
        order = np.lexsort([known.ids(name) for name in self.network.core_attributes] + widths[::-1])
        parts = np.floor(np.cumsum(cells[order]) / MOST_CELLS).astype(np.int64)
        return np.split(order, np.flatnonzero(np.diff(parts)) + 1)

    def _core(
        self, known: Known, eliminated: Elimination
    ) -> Iterator[tuple[Integers, Floats, tuple[int, ...]]]:
        """Compute the weights of the core cells that are open to people, box by box.

        Yields:
            The row of each person (-1: in another box), the weights by row and cell, and the open states of each
            attribute.
        """
        names = self.network.core_attributes
        sources = [name for grid in eliminated.messages for name in grid.sources]
        first, kind = kinds_of(known, (*names, *sources), np.arange(len(known)))
        kind_of_first = np.zeros(len(known), dtype=np.int64)
        kind_of_first[first] = np.arange(len(first))
        core = self.network.core
        for box in boxes(known, first, names, whole=True):
            place: Integers = np.zeros(1, dtype=np.int64)
            for name, size in zip(names, core.shape, strict=True):
                place = place * size + box.codes[name]
            weights = core.ravel().take(place).astype(np.float64)
            weights = times(weights, eliminated.messages, box.people, box.codes)
            row_of = np.full(len(first), -1, dtype=np.int64)
            row_of[kind_of_first[box.people]] = np.arange(len(box.people))
            yield row_of[kind], np.ascontiguousarray(weights).reshape(len(box.people), -1), box.shape

    def _draw_core(
        self, known: Known, eliminated: Elimination, owner: Indices, uniform: Floats
    ) -> tuple[dict[str, AnyCodes], Floats]:
        """Draw the core attributes of each row, and return the probability of each person."""
        names = self.network.core_attributes
        codes: dict[str, AnyCodes] = {name: np.zeros(len(owner), dtype=np.int64) for name in names}
        probability = np.zeros(len(known))
        for row_of, weights, shape in self._core(known, eliminated):
            here = np.flatnonzero(row_of >= 0)
            probability[here] = weights.sum(axis=1)[row_of[here]]
            rows = np.flatnonzero(row_of[owner] >= 0)
            cell = pick(weights, row_of[owner[rows]], uniform[rows])
            for name, place in zip(names, np.unravel_index(cell, shape), strict=True):
                states = known.of(name)
                codes[name][rows] = states.states[states.ids[owner[rows]], place]
        return codes, probability


def _widths(known: Known, name: str) -> Integers:
    states = known.of(name)
    return states.widths[states.ids]


def _doubles(high: Fractions, low: Fractions) -> Floats:
    """Combine two 32-bit numbers into uniform numbers in [0, 1) of 53 bits."""
    words = (high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64)
    return np.asarray((words >> np.uint64(11)).astype(np.float64) * UNIT)
