"""Product: a conditional table times the evidence on its child, computed only for needed rows.

Under five conditions the product of a table and its messages may have a hundred million cells, of which a million
rows use only a few. The message to the parents needs every cell once and stores none; a draw multiplies only the rows
that it uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from math import ceil
from typing import Any

import numpy as np

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import AnyFloats, AnyIntegers, Codes32, Indices
from census_personas.foundation.threads import each
from census_personas.generator.model.node import Node, open_positions, taken
from census_personas.generator.sampling.message import Message

States = Indices
SLABS, MOST_SLABS = 8, 64
"""Slabs that suffice: the first axis with so many states is cut, because cutting later axes is slower; and the most
slabs, beyond which overhead dominates."""


@dataclass(frozen=True, slots=True)
class Factor:
    """Weights of a child's states, in rows that the parents select.

    Attributes:
        values: float32, shape (rows, states of the child that evidence allows).
        adds: for some axes of the product's parents, what each state of the parent adds to the row number.
    """

    values: AnyFloats
    adds: tuple[tuple[int, States], ...]

    @classmethod
    def of(
        cls, values: AnyFloats, axes: Sequence[int], codes: Sequence[AnyIntegers], states: States
    ) -> Factor:
        """Build a factor from a table whose last axis is the child's, the others indexed by these codes."""
        rows = taken(values, states, values.ndim - 1).astype(np.float32, order="C", copy=False)
        strides = [int(np.prod(values.shape[axis + 1 : -1], dtype=np.int64)) for axis in range(len(axes))]
        adds = tuple((at, code.astype(np.intp) * s) for at, code, s in zip(axes, codes, strides, strict=True))
        return cls(rows.reshape(int(np.prod(rows.shape[:-1])), len(states)), adds)

    @classmethod
    def of_message(
        cls, message: Message, scope: Sequence[str], states: States, hierarchy: Hierarchy
    ) -> Factor:
        """Build a factor from a message about the last attribute of a scope."""
        axes, codes = message.places(scope, hierarchy)
        last = len(scope) - 1
        own = [place for place, axis in enumerate(axes) if axis == last]
        rest = [place for place, axis in enumerate(axes) if axis != last]
        values = np.transpose(message.values, [*rest, *own])
        index: tuple[Any, ...] = (..., *(codes[place] for place in own))
        values = values[index]
        return cls.of(values, [axes[place] for place in rest], [codes[place] for place in rest], states)

    def rows(self, codes: Sequence[States]) -> States:
        """Return the row for codes of all parents, which broadcast; unused axes have length 1."""
        found = np.zeros([1] * max((code.ndim for code in codes), default=0), dtype=np.intp)
        for axis, adds in self.adds:
            found = found + adds.take(codes[axis])
        return found

    def at(self, rows: States, run: slice) -> AnyFloats:
        """Return the weights of a run of states in some rows."""
        if run == slice(0, self.values.shape[1]):
            return self.values.take(rows, axis=0)
        return self.values[rows, run]


@dataclass(frozen=True, slots=True)
class Product:
    """P(child | parents, evidence) up to a factor per row and run: a table times messages.

    Attributes:
        node: the node of the table.
        parents: attributes that select a row: the node's parents, or finer ones, and those that evidence adds.
        left: for each parent, the states that evidence allows.
        certain: the axis that makes the child certain, and the child's code by its states (-1: drawn).
        settled: the axis that makes the refined attribute certain, and its code by the axis' states (-1: open).
        sizes: number of states of each parent.
        states: the child's states that evidence allows.
        bounds: start of each run in `states`, one run per state of the refined attribute, and the end of the last;
            one run if the child refines nothing.
        factors: factors of the evidence, the smallest first, then the table.
    """

    node: Node
    parents: tuple[str, ...]
    sizes: tuple[int, ...]
    left: tuple[States, ...]
    certain: tuple[int, Codes32] | None
    settled: tuple[int, Codes32] | None
    states: States
    bounds: States
    factors: tuple[Factor, ...]

    @classmethod
    def of(cls, node: Node, hierarchy: Hierarchy) -> Product:
        """Build the product of a node's table alone."""
        left = [np.arange(len(hierarchy.domain[name])) for name in (*node.parents, node.child)]
        return cls.with_messages(node, node.parents, left, (), hierarchy)

    @classmethod
    def with_messages(
        cls,
        node: Node,
        parents: tuple[str, ...],
        left: Sequence[States],
        messages: Sequence[Message],
        hierarchy: Hierarchy,
        above: Node | None = None,
    ) -> Product:
        """Build the product of a node's table and messages about its child.

        Args:
            node: the node.
            parents: attributes that decide the node's parents and the other attributes of the messages.
            left: states that evidence allows for each parent, and for the child.
            messages: messages from the evidence.
            hierarchy: of the attributes.
            above: the node of the refined attribute.
        """
        scope, states = (*parents, node.child), left[-1]
        runs = np.zeros(len(hierarchy.domain[node.child]), dtype=np.int64)
        if node.refines is not None:
            runs = hierarchy.codes(node.child, node.refines).astype(np.int64)
        axes, codes = node.positions(parents, hierarchy)
        table = np.asarray(node.table)
        factors = [Factor.of_message(message, scope, states, hierarchy) for message in messages]
        return cls(
            node,
            parents,
            tuple(len(hierarchy.domain[name]) for name in parents),
            tuple(left[:-1]),
            node.certain_axis(parents, hierarchy),
            None if above is None else above.certain_axis(parents, hierarchy),
            states,
            np.searchsorted(runs[states], np.arange(runs[-1] + 2)),
            (*sorted(factors, key=lambda factor: factor.values.size), Factor.of(table, axes, codes, states)),
        )

    def places(self, axis: int) -> States:
        """Return the position of every parent state among those with rows; -1 where the child is certain."""
        if self.certain is None or self.certain[0] != axis:
            return np.arange(self.sizes[axis])
        return open_positions(self.certain[1]).astype(np.intp)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows along each parent."""
        return tuple(int(self.places(axis).max()) + 1 for axis in range(len(self.parents)))

    def located(self, rows: States) -> list[States]:
        """Return the row of each factor for some rows, numbered in C order over `shape`."""
        places = np.unravel_index(rows, self.shape) if self.parents else ()
        codes = [np.flatnonzero(self.places(axis) >= 0)[place] for axis, place in enumerate(places)]
        return [factor.rows(codes) + np.zeros_like(rows) for factor in self.factors]

    def weights(self, located: Sequence[States], run: slice) -> AnyFloats:
        """Compute the weights of a run of states in some rows, given their places; they need not sum to 1."""
        return _product(factor.at(rows, run) for factor, rows in zip(self.factors, located, strict=True))

    def _inside(self) -> list[States]:
        """Return for each parent the states that evidence allows and that have rows."""
        return [states[self.places(axis)[states] >= 0] for axis, states in enumerate(self.left)]

    def message(self) -> Message:
        """Sum the weights of every row and run: the message of the node, and of all below it, to its parents."""
        sums = np.zeros((*self.sizes, len(self.bounds) - 1), dtype=np.float32)
        for states, runs in self._parts():
            each(partial(self._sum, sums, runs), _slabs(states))
        if self.node.refines is not None:
            return Message((*self.parents, self.node.refines), sums)
        if self.certain is not None:
            self._add_certain(sums, *self.certain)
        return Message(self.parents, sums[..., 0])

    def _parts(self) -> Iterator[tuple[list[States], range]]:
        """Yield states of the parents together with their possible runs."""
        inside, every = self._inside(), range(len(self.bounds) - 1)
        if self.settled is None:
            yield inside, every
            return
        axis, settled = self.settled
        of = settled[inside[axis]]
        for run in np.unique(of).tolist():
            states = [*inside[:axis], inside[axis][of == run], *inside[axis + 1 :]]
            yield states, every if run < 0 else range(run, run + 1)

    def _sum(self, sums: AnyFloats, runs: range, states: Sequence[States]) -> None:
        first, last = int(self.bounds[runs[0]]), int(self.bounds[runs[-1] + 1])
        mesh = np.ix_(*states)
        *others, table = (factor.at(factor.rows(mesh), slice(first, last)) for factor in self.factors)
        said = _product(others)
        box = _box(states)
        for run in runs:
            part = slice(int(self.bounds[run]) - first, int(self.bounds[run + 1]) - first)
            if part.start < part.stop:
                found = np.einsum("...i,...i->...", said[..., part], table[..., part])
                sums[(*box, run)] = found

    def _add_certain(self, sums: AnyFloats, axis: int, values: Codes32) -> None:
        """Add sums for parent states that make the child certain."""
        for state in self.left[axis][values[self.left[axis]] >= 0]:
            column = np.flatnonzero(self.states == values[state])
            if len(column):
                states = [*self.left[:axis], np.array([state]), *self.left[axis + 1 :]]
                run = slice(int(column[0]), int(column[0]) + 1)
                mesh = np.ix_(*states)
                said = _product(factor.at(factor.rows(mesh), run) for factor in self.factors[:-1])
                sums[(*_box(states), 0)] = said[..., 0]

    def conditional(self) -> Node:
        """Return the node multiplied out, with every row and run summing to 1."""
        table = np.zeros((*self.shape, self.node.table.shape[-1]), dtype=np.float32)
        inside = self._inside()
        if all(map(len, inside)) and len(self.states):
            each(partial(self._fill, table), _slabs(inside))
        certain = None if self.certain is None else (self.parents[self.certain[0]], self.certain[1])
        return replace(self.node, parents=self.parents, table=table, certain=certain)

    def _fill(self, table: AnyFloats, states: Sequence[States]) -> None:
        mesh = np.ix_(*states)
        product = self.weights([factor.rows(mesh) for factor in self.factors], slice(0, len(self.states)))
        lengths = np.diff(self.bounds)
        totals = np.add.reduceat(product, self.bounds[:-1][lengths > 0], axis=-1, dtype=np.float64)
        scales = np.divide(1.0, totals, out=np.zeros(totals.shape), where=totals > 0).astype(np.float32)
        places = [self.places(axis)[codes] for axis, codes in enumerate(states)]
        product = product * np.repeat(scales, lengths[lengths > 0], axis=-1)
        table[_box([*places, self.states])] = product


def _product(parts: Iterable[AnyFloats]) -> AnyFloats:
    """Multiply parts in a fixed order, so that a row's result is the same in any batch."""
    return reduce(np.multiply, parts)


def _slabs(states: Sequence[States]) -> list[list[States]]:
    """Cut the states along one axis into slabs that fit the processor's cache; no slab if an axis is empty."""
    if not all(map(len, states)):
        return []
    sizes = [len(kept) for kept in states]
    cut = next((axis for axis, size in enumerate(sizes) if size >= SLABS or size == max(sizes)), None)
    if cut is None:
        return [[]]
    thick = ceil(sizes[cut] / MOST_SLABS)
    parts = [states[cut][top : top + thick] for top in range(0, sizes[cut], thick)]
    return [[*states[:cut], part, *states[cut + 1 :]] for part in parts]


def _box(states: Sequence[States]) -> tuple[Any, ...]:
    """Return an index of these states on each axis: slices if there are no gaps, which numpy assigns faster."""
    if all(len(kept) and kept[-1] - kept[0] + 1 == len(kept) for kept in states):
        return tuple(slice(int(kept[0]), int(kept[-1]) + 1) for kept in states)
    return np.ix_(*states)
