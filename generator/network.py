"""Network: the fitted model as arrays: a dense core joint and conditionals that hang on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from persona_engine.census_priors.hierarchy import Hierarchy
from persona_engine.generator.fitting import Array, Dense, FitError, coarsen

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Node:
    """P(child | parents).

    Attributes:
        child: attribute that the node gives.
        parents: attributes of the table's leading axes.
        table: float32, shape (*parents, child); every row sums to 1 within each state of `refines`, or, if the
            child refines none, in all. Rows of parents that cannot occur are zero.
        refines: the parent that is a coarser view of the child, if there is one; it has no axis, because the
            child's states of one of its states lie together.
        certain: parent -> child code by parent code, -1 where the table decides; such parents keep their axis
            only for the states that the table decides.
    """

    child: str
    parents: tuple[str, ...]
    table: Dense
    refines: str | None = None
    certain: tuple[str, Codes] | None = None

    def axis_codes(self, parent: str, states: int) -> Codes:
        """Axis position of every state of a parent; -1 where the child is certain."""
        if self.certain is None or self.certain[0] != parent:
            return np.arange(states, dtype=np.int32)
        open_states = self.certain[1] < 0
        return np.where(open_states, np.cumsum(open_states) - 1, -1).astype(np.int32)


@dataclass(frozen=True)
class Network:
    """A fitted core joint and its nodes, in sampling order.

    Attributes:
        hierarchy: the domain and its coarsenings.
        core_attributes: axes of `core`.
        core: float32 joint probabilities.
        nodes: conditionals; parents of each are in the core, its views, or earlier children.
        distances: largest total variation distance to a table, by core or child.
    """

    hierarchy: Hierarchy
    core_attributes: tuple[str, ...]
    core: Dense
    nodes: tuple[Node, ...]
    distances: Mapping[str, float]

    def size(self, attribute: str) -> int:
        """Number of states of an attribute."""
        return len(self.hierarchy.domain[attribute])

    def joint(self, attributes: Sequence[str]) -> Array:
        """P(attributes), axes in the order given, float64.

        Raises:
            FitError: an attribute is not in the model, or the attributes together with the parents that tie
                them need more than `MOST_CELLS` cells.
        """
        node = self._last_child(attributes)
        if node is None:
            return self._view(self.core, self.core_attributes, attributes)
        return self._view(*self._with_child(node, attributes), attributes)

    def _last_child(self, attributes: Sequence[str]) -> Node | None:
        for node in reversed(self.nodes):
            if any(self.gives(node, name) for name in attributes):
                return node
        unknown = [name for name in attributes if not self._in_core(name)]
        if unknown:
            known = ", ".join((*self.core_attributes, *(node.child for node in self.nodes)))
            raise FitError(f"{unknown[0]!r} is no attribute of the model; it has {known}")
        return None

    def gives(self, node: Node, name: str) -> bool:
        """Whether a node decides an attribute, by itself and not by the coarser view that it refines."""
        by_parent = node.refines is not None and self.hierarchy.refines(node.refines, name)
        return self.hierarchy.refines(node.child, name) and not by_parent and not self._in_core(name)

    def _in_core(self, name: str) -> bool:
        return any(self.hierarchy.refines(core, name) for core in self.core_attributes)

    def _with_child(self, node: Node, attributes: Sequence[str]) -> tuple[Dense, tuple[str, ...]]:
        """P(parents, further attributes, child) and its axes."""
        others = [name for name in attributes if not self.gives(node, name) and name != node.refines]
        if node.refines is not None:
            others = [name for name in others if not self.hierarchy.refines(node.refines, name)]
        parents = self.hierarchy.finest((*node.parents, *others))
        scope = (*parents, node.child)
        cells = self.hierarchy.domain.project(scope).size
        if cells > MOST_CELLS:
            raise FitError(
                f"{', '.join(attributes)}: a joint over {', '.join(scope)} would have {cells:,} cells"
            )
        table = over(node, parents, self.hierarchy)
        if node.refines is not None:
            coarse = self.hierarchy.codes(node.child, node.refines)
            joint = self.joint((*parents, node.refines)).astype(np.float32)
            return np.take(joint, coarse, axis=-1) * table, scope
        joint = self.joint(parents).astype(np.float32)
        if node.certain is None:
            return joint[..., None] * table, scope
        return self._with_certain(node, parents, joint, table), scope

    def _with_certain(
        self, node: Node, parents: Sequence[str], joint: Dense, table: npt.NDArray[np.floating]
    ) -> Dense:
        axis, values = certain_axis(node, parents, self.hierarchy)
        result = np.zeros((*joint.shape, table.shape[-1]), dtype=np.float32)
        drawn = np.compress(values < 0, joint, axis=axis)[..., None] * table
        np.moveaxis(result, axis, 0)[values < 0] = np.moveaxis(drawn, axis, 0)
        for code in np.flatnonzero(values >= 0):
            np.moveaxis(result, axis, 0)[code, ..., values[code]] = np.moveaxis(joint, axis, 0)[code]
        return result

    def open_parents(self, node: Node) -> Array:
        """P(parents) of a node, for the parent states that its table decides."""
        joint = self.joint(node.parents)
        if node.certain is None:
            return joint
        axis, values = certain_axis(node, node.parents, self.hierarchy)
        return np.compress(values < 0, joint, axis=axis)

    def _view(
        self, array: npt.NDArray[np.floating], scope: Sequence[str], attributes: Sequence[str]
    ) -> Array:
        """Sum an array over `scope` to `attributes`, each in the scope or a coarser view of one that is."""
        fine = [next(s for s in scope if self.hierarchy.refines(s, name)) for name in attributes]
        axes = sorted({scope.index(name) for name in fine})
        summed = tuple(axis for axis in range(array.ndim) if axis not in axes)
        small = array.sum(axis=summed, dtype=np.float64 if array.size < SMALL else array.dtype)
        kept = [scope[axis] for axis in axes]
        codes = [self.hierarchy.codes(f, name) for f, name in zip(fine, attributes, strict=True)]
        sizes = [self.size(name) for name in attributes]
        if len(kept) == len(fine):
            return coarsen(np.transpose(small, [kept.index(name) for name in fine]), codes, sizes)
        grid = np.indices(small.shape)
        cells = np.ravel_multi_index(
            [code[grid[kept.index(f)]] for f, code in zip(fine, codes, strict=True)], sizes
        )
        summed_up = np.bincount(cells.ravel(), weights=small.ravel(), minlength=int(np.prod(sizes)))
        return np.asarray(summed_up.reshape(sizes), dtype=np.float64)


SMALL = 1 << 22
"""Arrays below this size are summed in float64; above it numpy's pairwise float32 sums are as good and faster."""
MOST_CELLS = 1 << 27


def certain_axis(node: Node, parents: Sequence[str], hierarchy: Hierarchy) -> tuple[int, Codes]:
    """Which axis makes the child certain, and the child code by the states of that axis (-1: drawn)."""
    parent, certain = node.certain or ("", np.empty(0, dtype=np.int32))
    axis = next(i for i, fine in enumerate(parents) if hierarchy.refines(fine, parent))
    return axis, certain[hierarchy.codes(parents[axis], parent)]


def over(node: Node, parents: Sequence[str], hierarchy: Hierarchy) -> npt.NDArray[np.floating]:
    """A node's table over other parents: its own, finer views of them, and any further ones.

    The axis of a parent that makes the child certain has the drawn states only. Axes of further parents have
    length 1.
    """
    table: npt.NDArray[np.floating] = node.table
    order = []
    for axis, name in enumerate(node.parents):
        at = next(i for i, fine in enumerate(parents) if hierarchy.refines(fine, name))
        order.append(at)
        if parents[at] != name:
            codes = node.axis_codes(name, len(hierarchy.domain[name]))[hierarchy.codes(parents[at], name)]
            table = np.take(table, codes[codes >= 0], axis=axis)
    table = np.transpose(table, [*np.argsort(order), table.ndim - 1])
    shape = [1] * len(parents) + [table.shape[-1]]
    for at, size in zip(sorted(order), table.shape[:-1], strict=True):
        shape[at] = size
    return table.reshape(shape)
