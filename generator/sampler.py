"""Sampler: a network compiled to cumulative tables, drawn by inversion in numpy blocks.

Inversion (a sorted cumulative table and a bisection inside one row) is as fast here as alias tables and keeps
two things they lose: a table recompiled under evidence costs one cumulative sum, and draws are monotone in
their uniforms, which stratified sampling needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from persona_engine.census_priors.hierarchy import Hierarchy
from persona_engine.generator.conditioning import Conditioned
from persona_engine.generator.leaves import Leaf
from persona_engine.generator.network import Network, Node
from persona_engine.generator.randomness import uniforms

Codes = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]
Uniform = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CoreStep:
    """The core joint: cumulative probabilities of its possible cells and a guide into them.

    Attributes:
        attributes: attributes of a cell.
        codes: int32, shape (attributes, cells).
        cumulative: float64, ascending, the last one 1.
        guide: first cell whose cumulative probability exceeds i / len(guide), for every i.
    """

    attributes: tuple[str, ...]
    codes: npt.NDArray[np.int16]
    cumulative: npt.NDArray[np.float64]
    guide: Codes

    @classmethod
    def compile(cls, attributes: tuple[str, ...], joint: npt.NDArray[np.floating]) -> CoreStep:
        """Compile a joint array; its sum need not be 1."""
        flat = joint.ravel().astype(np.float64)
        cells = np.flatnonzero(flat > 0)
        cumulative = np.cumsum(flat[cells])
        cumulative /= cumulative[-1]
        cumulative[-1] = 1.0
        size = 1 << max(int(np.ceil(np.log2(len(cells)))), 1)
        guide = np.searchsorted(cumulative, np.arange(size + 1) / size, side="right").astype(np.int32)
        codes = np.array(np.unravel_index(cells, joint.shape), dtype=np.int16)
        return cls(attributes, codes, cumulative, np.minimum(guide, len(cells) - 1).astype(np.int32))

    def draw(self, u: Uniform) -> dict[str, Codes]:
        """Codes of every core attribute for uniforms u."""
        slot = (u * (len(self.guide) - 1)).astype(np.int64)
        low, high = self.guide[slot].astype(np.int64), self.guide[slot + 1].astype(np.int64)
        for _ in range(3):
            low += (self.cumulative[low] <= u) & (low < high)
        late = np.flatnonzero(self.cumulative[low] <= u)
        low[late] = np.searchsorted(self.cumulative, u[late], side="right")
        return {name: self.codes[i].take(low).astype(np.int32) for i, name in enumerate(self.attributes)}


@dataclass(frozen=True, slots=True)
class TableStep:
    """One conditional: rows of cumulative probabilities, chosen by the codes of the parents.

    Attributes:
        child: attribute that is drawn.
        lookups: parent -> its code's part of the row number.
        cumulative: concatenated rows, ascending within each run.
        firsts, lengths: where a run starts within its row and how long it is, by the state of `refines`;
            or, for `ragged` rows, by row.
        width: states in a row; 0 for ragged rows.
        states: child code of every entry of ragged rows.
        refines: the parent that chooses the run.
        certain: parent and the child code that it makes certain (-1: draw).
    """

    child: str
    lookups: Mapping[str, Index]
    cumulative: npt.NDArray[np.floating]
    firsts: Index
    lengths: Index
    width: int
    states: Codes | None = None
    refines: str | None = None
    certain: tuple[str, Codes] | None = None

    def draw(self, codes: Mapping[str, Codes], u: Uniform) -> Codes:
        """Child codes for uniforms u, given the codes of every earlier attribute."""
        if self.certain is None:
            return self._draw(codes, u)
        parent, values = self.certain
        result = values[codes[parent]]
        rows = np.flatnonzero(result < 0)
        needed = {*self.lookups, *([self.refines] if self.refines else [])}
        result[rows] = self._draw({name: codes[name][rows] for name in needed}, u[rows])
        return result

    def _draw(self, codes: Mapping[str, Codes], u: Uniform) -> Codes:
        row = np.zeros(len(u), dtype=np.int64)
        for parent, part in self.lookups.items():
            row += part[codes[parent]]
        if self.states is not None:
            first, length = self.firsts[row], self.lengths[row]
            found = bisect(self.cumulative, first, length, u)
            return self.states[first + found]
        run = 0 if self.refines is None else codes[self.refines]
        first, length = self.firsts[run], self.lengths[run]
        found = bisect(self.cumulative, row * self.width + first, length, u)
        return (found + first).astype(np.int32)


def bisect(
    cumulative: npt.NDArray[np.floating], first: Index, length: Index | np.int64, u: Uniform
) -> Index:
    """Number of entries at or below u in each run cumulative[first : first + length], less than length."""
    found = np.zeros(len(u), dtype=np.int64)
    step = 1 << int(np.max(length, initial=1)).bit_length() - 1
    last = length - 1
    while step:
        probe = found + step
        inside = probe <= last
        at = first + np.minimum(probe, last) - 1
        found += step * (inside & (cumulative[at] <= u))
        step >>= 1
    return found


def compile_node(node: Node, hierarchy: Hierarchy) -> TableStep:
    """Cumulative rows of a node's table."""
    states = node.table.shape[-1]
    if node.refines is None:
        groups = np.zeros(states, dtype=np.int32)
    else:
        groups = hierarchy.codes(node.child, node.refines)
    firsts = np.flatnonzero(np.diff(groups, prepend=-1)).astype(np.int64)
    lengths = np.diff(np.append(firsts, states)).astype(np.int64)
    cumulative = np.cumsum(node.table, axis=-1, dtype=np.float64)
    if node.refines is not None:
        before = np.where(firsts > 0, np.take(cumulative, firsts - 1, axis=-1), 0.0)
        cumulative -= np.take(before, groups, axis=-1)
        totals = np.take(np.take(cumulative, firsts + lengths - 1, axis=-1), groups, axis=-1)
        np.divide(cumulative, totals, out=cumulative, where=totals > 0)
    lookups, stride = {}, 1
    for axis in range(len(node.parents) - 1, -1, -1):
        parent = node.parents[axis]
        positions = node.axis_codes(parent, len(hierarchy.domain[parent]))
        lookups[parent] = positions.astype(np.int64) * stride
        stride *= node.table.shape[axis]
    flat = np.ascontiguousarray(cumulative.astype(np.float32)).ravel()
    refines = node.refines
    return TableStep(
        node.child, lookups, flat, firsts, lengths, states, refines=refines, certain=node.certain
    )


def compile_leaf(leaf: Leaf, hierarchy: Hierarchy, allowed: npt.NDArray[np.bool_] | None = None) -> TableStep:
    """Cumulative rows of a leaf, restricted to allowed states if any are given."""
    table = leaf.table
    weight = np.asarray(table.probabilities, dtype=np.float64)
    if allowed is not None:
        weight = np.where(allowed[table.indices], weight, 0.0)
    running = np.concatenate(([0.0], np.cumsum(weight)))
    before, after = running[table.indptr[:-1]], running[table.indptr[1:]]
    lengths = np.diff(table.indptr)
    total = np.repeat(after - before, lengths)
    cumulative = np.divide(
        running[1:] - np.repeat(before, lengths), total, out=np.zeros_like(weight), where=total > 0
    )
    lookups = {}
    for axis, parent in enumerate(leaf.parents):
        stride = int(np.prod(leaf.rows.shape[axis + 1 :], dtype=np.int64))
        lookups[parent] = np.arange(len(hierarchy.domain[parent]), dtype=np.int64) * stride
    cells = leaf.rows.ravel().astype(np.int64)
    return TableStep(
        leaf.child, lookups, cumulative, table.indptr[:-1][cells], lengths[cells], 0, states=table.indices
    )


@dataclass(frozen=True)
class Sampler:
    """A compiled network: draws codes of every attribute for any run of rows.

    Attributes:
        hierarchy: the domain; coarser views are looked up from finer codes.
        core: the core joint.
        steps: conditionals and leaves in sampling order.
    """

    hierarchy: Hierarchy
    core: CoreStep
    steps: tuple[TableStep, ...]

    @classmethod
    def compile(cls, network: Network, leaves: tuple[Leaf, ...]) -> Sampler:
        """Compile everything a network and its leaves give."""
        hierarchy = network.hierarchy
        steps = (
            *(compile_node(node, hierarchy) for node in network.nodes),
            *(compile_leaf(leaf, hierarchy) for leaf in leaves),
        )
        return cls(hierarchy, CoreStep.compile(network.core_attributes, network.core), steps)

    def given(self, conditioned: Conditioned, leaves: tuple[Leaf, ...]) -> Sampler:
        """The sampler of the conditioned model; steps that evidence leaves alone are shared."""
        network = conditioned.network
        nodes = {node.child: node for node in network.nodes}
        beside = {leaf.child: leaf for leaf in leaves}
        steps = []
        for step in self.steps:
            if step.child in conditioned.changed:
                step = compile_node(nodes[step.child], self.hierarchy)
            elif step.child in conditioned.allowed:
                step = compile_leaf(beside[step.child], self.hierarchy, conditioned.allowed[step.child])
            steps.append(step)
        core = CoreStep.compile(network.core_attributes, network.core)
        return Sampler(self.hierarchy, core, tuple(steps))

    def draw(self, seed: int, start: int, count: int) -> dict[str, Codes]:
        """Codes of rows `start` up to `start + count`, a function of (sampler, seed, row) row by row."""
        codes = _Codes(self.hierarchy, self.core.draw(uniforms(seed, "core", start, count)))
        for step in self.steps:
            codes[step.child] = step.draw(codes, uniforms(seed, step.child, start, count))
        return dict(codes)


class _Codes(dict[str, Codes]):
    """Codes by attribute; a coarser view of one that is there is looked up when it is asked for."""

    def __init__(self, hierarchy: Hierarchy, codes: Mapping[str, Codes]) -> None:
        super().__init__(codes)
        self._hierarchy = hierarchy

    def __missing__(self, attribute: str) -> Codes:
        fine = next(name for name in self._hierarchy.chain(attribute)[1:] if name in self)
        codes = self._hierarchy.codes(fine, attribute)[self[fine]]
        self[attribute] = codes
        return codes
