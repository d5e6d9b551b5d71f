"""Node: one conditional table P(child | parents), and the ways to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import AnyCodes, AnyFloats, Codes, Codes32, Floats, Floats32


@dataclass(frozen=True, slots=True)
class Node:
    """P(child | parents).

    Attributes:
        child: attribute of the node.
        parents: attributes of the table's leading axes.
        table: float32, shape (*parents, child); every row sums to 1 within each state of `refines`, or, if the
            child refines none, in all. Rows of parents that cannot occur are zero.
        refines: the parent that is a coarser view of the child, if there is one; it needs no axis, because the
            child's states within one of its states are adjacent.
        certain: a parent, and the child's code by the parent's code, -1 where the table decides; the axis of this
            parent has only the states for which the table decides.
    """

    child: str
    parents: tuple[str, ...]
    table: Floats32
    refines: str | None = None
    certain: tuple[str, Codes32] | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every attribute that the child depends on: the parents, and the refined one."""
        return (*self.parents, *([self.refines] if self.refines is not None else []))

    def axis_codes(self, parent: str, states: int) -> Codes32:
        """Return the axis position of every state of a parent; -1 where the child is certain."""
        if self.certain is None or self.certain[0] != parent:
            return np.arange(states, dtype=np.int32)
        return open_positions(self.certain[1])

    def probability(self, codes: Mapping[str, Codes], hierarchy: Hierarchy) -> Floats:
        """Compute P(child | parents) of people.

        Args:
            codes: of the child and of its `conditions`, or of finer attributes; the arrays broadcast.
            hierarchy: of the attributes.

        Returns:
            Float64 in the shape that the codes broadcast to; 0 where the parents exclude the child.
        """
        child = hierarchy.view(self.child, codes)
        index, certain = self.rows(codes, hierarchy)
        drawn = certain < 0
        possible = drawn | (certain == child)
        if self.refines is not None:
            inside = hierarchy.codes(self.child, self.refines)[child]
            possible = possible & (inside == hierarchy.view(self.refines, codes))
        return np.asarray(np.where(drawn, self.table[(*index, child)], 1.0) * possible, dtype=np.float64)

    def distribution(self, codes: Mapping[str, Codes], hierarchy: Hierarchy) -> Floats:
        """Compute P(every state of the child | parents) of people, shape (people, states), float64.

        Args:
            codes: of the child's `conditions`, or of finer attributes; shape (people,) each.
            hierarchy: of the attributes.
        """
        index, certain = self.rows(codes, hierarchy)
        weights = self.table[tuple(index)].astype(np.float64)
        fixed = np.flatnonzero(certain >= 0)
        weights[fixed] = 0.0
        weights[fixed, certain[fixed]] = 1.0
        if self.refines is not None:
            inside = hierarchy.codes(self.child, self.refines)
            weights = weights * (inside[None, :] == hierarchy.view(self.refines, codes)[:, None])
        return weights

    def rows(self, codes: Mapping[str, Codes], hierarchy: Hierarchy) -> tuple[list[Codes], Codes]:
        """Return the table row of people, and the child code that their parents make certain (-1: none).

        Where the child is certain, there is no row, and the position along that axis is 0.
        """
        index = []
        certain = np.array([-1], dtype=np.int64)
        for parent in self.parents:
            states = hierarchy.view(parent, codes)
            position = self.axis_codes(parent, len(hierarchy.domain[parent]))[states]
            index.append(np.maximum(position, 0).astype(np.int64, copy=False))
            if self.certain is not None and self.certain[0] == parent:
                certain = self.certain[1][states].astype(np.int64)
        return index, certain

    def certain_axis(self, parents: Sequence[str], hierarchy: Hierarchy) -> tuple[int, Codes32] | None:
        """Return the axis that makes the child certain, and the child code by its states (-1: drawn).

        None if no parent makes the child certain, or if that parent has no finer view among `parents`.
        """
        if self.certain is None:
            return None
        parent, values = self.certain
        axis = next((i for i, fine in enumerate(parents) if hierarchy.refines(fine, parent)), None)
        return None if axis is None else (axis, values[hierarchy.codes(parents[axis], parent)])

    def positions(self, parents: Sequence[str], hierarchy: Hierarchy) -> tuple[list[int], list[Codes32]]:
        """Return for each axis of the table which of `parents` decides it, and the position by its states."""
        order = [
            next(i for i, fine in enumerate(parents) if hierarchy.refines(fine, n)) for n in self.parents
        ]
        codes = [
            self.axis_codes(name, len(hierarchy.domain[name]))[hierarchy.codes(parents[at], name)]
            for at, name in zip(order, self.parents, strict=True)
        ]
        return order, codes

    def over(self, parents: Sequence[str], hierarchy: Hierarchy) -> AnyFloats:
        """Return the table over other parents: its own, finer views of them, and any further ones.

        The axis of a parent that makes the child certain has the drawn states only. Axes of further parents have
        length 1.
        """
        table: AnyFloats = self.table
        if tuple(parents) == self.parents:
            return table
        order, codes = self.positions(parents, hierarchy)
        if len(set(order)) < len(order):
            return _diagonal(table, order, codes, len(parents))
        asked = [own[own >= 0] for own in codes]
        for axis in sorted(
            range(len(asked)), key=lambda axis: len(asked[axis]) / table.shape[axis]
        ):  # few first
            table = taken(table, asked[axis], axis)
        table = np.transpose(table, [*np.argsort(order), table.ndim - 1])
        shape = [1] * len(parents) + [table.shape[-1]]
        for at, size in zip(sorted(order), table.shape[:-1], strict=True):
            shape[at] = size
        return table.reshape(shape)

    def joint(self, parents: Sequence[str], weights: AnyFloats, hierarchy: Hierarchy) -> AnyFloats:
        """Compute P(parents, child), including states that make the child certain.

        Args:
            parents: those of the table, finer views of them, and any further ones.
            weights: P(parents), one axis per parent, and a last one for the attribute that the child refines, if any;
                ones give P(child | parents) itself.
            hierarchy: of the attributes.
        """
        table = self.over(parents, hierarchy)
        if self.refines is not None:
            return np.asarray(np.take(weights, hierarchy.codes(self.child, self.refines), axis=-1) * table)
        made_certain = self.certain_axis(parents, hierarchy)
        if made_certain is None:
            return np.asarray(weights[..., None] * table)
        axis, values = made_certain
        result = np.zeros((*weights.shape, table.shape[-1]), dtype=weights.dtype)
        drawn = np.compress(values < 0, weights, axis=axis)[..., None] * table
        np.moveaxis(result, axis, 0)[values < 0] = np.moveaxis(drawn, axis, 0)
        for code in np.flatnonzero(values >= 0):
            np.moveaxis(result, axis, 0)[code, ..., values[code]] = np.moveaxis(weights, axis, 0)[code]
        return result


def open_positions(certain: Codes32) -> Codes32:
    """Return the position of every parent state among those for which the table decides; -1 for the others."""
    drawn = certain < 0
    return np.where(drawn, np.cumsum(drawn) - 1, -1).astype(np.int32)


def taken(table: AnyFloats, index: AnyCodes, axis: int) -> AnyFloats:
    """Take some states of an axis; the result is a view if they are adjacent."""
    first, count = (int(index[0]), len(index)) if len(index) else (0, 0)
    if np.array_equal(index, np.arange(first, first + count)):
        return table[(slice(None),) * axis + (slice(first, first + count),)]
    return table.take(index, axis=axis)


def _diagonal(table: AnyFloats, order: Sequence[int], codes: Sequence[Codes32], axes: int) -> AnyFloats:
    """Read a table where two of its parents are views of one attribute: only at states that agree."""
    index = []
    for at, own in zip(order, codes, strict=True):
        shared = [other for place, other in zip(order, codes, strict=True) if place == at]
        drawn = np.all([other >= 0 for other in shared], axis=0)
        shape = [1] * axes
        shape[at] = -1
        index.append(own[drawn].reshape(shape))
    return table[tuple(index)]
