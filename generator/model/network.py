"""Network: the fitted model as arrays: a dense core joint and the conditional tables that depend on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from census_personas.census_priors.domain import Domain
from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import AnyFloats, Floats, Floats32
from census_personas.generator.model.fitting import FitError, coarsen
from census_personas.generator.model.node import Node


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
    core: Floats32
    nodes: tuple[Node, ...]
    distances: Mapping[str, float]

    def size(self, attribute: str) -> int:
        """Number of states of an attribute."""
        return len(self.hierarchy.domain[attribute])

    def joint(self, attributes: Sequence[str]) -> Floats:
        """Compute P(attributes), axes in the given order, float64.

        If the table with all connecting parents would exceed `SLICE_CELLS`, it is summed slice by slice over the core.

        Raises:
            FitError: an attribute is not in the model, or even one slice needs more than `MOST_CELLS` cells.
        """
        node = self._last_child(attributes)
        if node is None:
            return self._view(self.core, self.core_attributes, attributes)
        if self.hierarchy.domain.project(self._scope(node, attributes)).size > SLICE_CELLS:
            cut = self._cut()
            if cut is not None:
                return self._joint_by_slices(cut, attributes)
        return self._view(*self._with_child(node, attributes), attributes)

    def at(self, attribute: str, code: int) -> Network:
        """Return the part of the model, not normalised, where a core attribute has one state.

        The attribute and its views keep only that state.
        """
        hierarchy = self.hierarchy
        views = {name: hierarchy.codes(attribute, name)[code] for name in self._views(attribute)}
        states = {
            name: (values[views[name]],) if name in views else values
            for name, values in hierarchy.domain.states.items()
        }
        maps = {name: np.zeros(1, np.int32) if name in views else m for name, m in hierarchy.maps.items()}
        nodes = []
        for node in self.nodes:
            table = node.table
            for axis, parent in enumerate(node.parents):
                if parent in views:
                    table = np.take(table, [views[parent]], axis=axis)
            nodes.append(replace(node, table=table))
        core = np.take(self.core, [code], axis=self.core_attributes.index(attribute))
        return replace(
            self, hierarchy=Hierarchy(Domain(states), hierarchy.finer, maps), core=core, nodes=tuple(nodes)
        )

    def _views(self, attribute: str) -> list[str]:
        return [name for name in self.hierarchy.domain if self.hierarchy.refines(attribute, name)]

    def _cut(self) -> str | None:
        """Return the largest core attribute that no child refines and that makes no child certain."""
        bound = {node.certain[0] for node in self.nodes if node.certain is not None}
        free = [
            name
            for name in self.core_attributes
            if name not in self.hierarchy.finer and not bound & set(self._views(name)) and self.size(name) > 1
        ]
        return max(free, key=self.size, default=None)

    def _joint_by_slices(self, cut: str, attributes: Sequence[str]) -> Floats:
        result = np.zeros([self.size(name) for name in attributes])
        for code in range(self.size(cut)):
            index: list[slice] = [slice(None)] * len(attributes)
            for axis, name in enumerate(attributes):
                if self.hierarchy.refines(cut, name):
                    at = int(self.hierarchy.codes(cut, name)[code])
                    index[axis] = slice(at, at + 1)
            result[tuple(index)] += self.at(cut, code).joint(attributes)
        return result

    def _last_child(self, attributes: Sequence[str]) -> Node | None:
        for node in reversed(self.nodes):
            if any(self.gives(node, name) for name in attributes):
                return node
        unknown = [name for name in attributes if not self._in_core(name)]
        if unknown:
            known = ", ".join((*self.core_attributes, *(node.child for node in self.nodes)))
            raise FitError(f"{unknown[0]!r} is not an attribute of the model; it has {known}")
        return None

    def gives(self, node: Node, name: str) -> bool:
        """Return whether a node itself decides an attribute, not the coarser view that it refines."""
        by_parent = node.refines is not None and self.hierarchy.refines(node.refines, name)
        return self.hierarchy.refines(node.child, name) and not by_parent and not self._in_core(name)

    def _in_core(self, name: str) -> bool:
        return any(self.hierarchy.refines(core, name) for core in self.core_attributes)

    def _scope(self, node: Node, attributes: Sequence[str]) -> tuple[str, ...]:
        """Return the node's parents and the other attributes of the query, then its child."""
        others = [name for name in attributes if not self.gives(node, name) and name != node.refines]
        if node.refines is not None:
            others = [name for name in others if not self.hierarchy.refines(node.refines, name)]
        return (*self.hierarchy.finest((*node.parents, *others)), node.child)

    def _with_child(self, node: Node, attributes: Sequence[str]) -> tuple[Floats32, tuple[str, ...]]:
        """Compute P(parents, further attributes, child), and name its axes."""
        scope = self._scope(node, attributes)
        parents = scope[:-1]
        cells = self.hierarchy.domain.project(scope).size
        if cells > MOST_CELLS:
            raise FitError(
                f"{', '.join(attributes)}: a joint over {', '.join(scope)} would have {cells:,} cells"
            )
        known = parents if node.refines is None else (*parents, node.refines)
        joint = node.joint(parents, self.joint(known).astype(np.float32), self.hierarchy)
        return joint.astype(np.float32, copy=False), scope

    def open_parents(self, node: Node) -> Floats:
        """Compute P(parents) of a node, for the parent states whose child the table decides."""
        joint = self.joint(node.parents)
        certain = node.certain_axis(node.parents, self.hierarchy)
        if certain is None:
            return joint
        axis, values = certain
        return np.compress(values < 0, joint, axis=axis)

    def _view(self, array: AnyFloats, scope: Sequence[str], attributes: Sequence[str]) -> Floats:
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


SMALL = 1 << 24
"""Arrays below this size are summed in float64; above it numpy's pairwise float32 sums are as good and faster."""
SLICE_CELLS = 1 << 24
MOST_CELLS = 1 << 27
