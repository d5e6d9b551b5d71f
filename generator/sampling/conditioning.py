"""Conditioning: messages of evidence from the leaves to the core, then exact ancestral sampling.

Evidence says which states each attribute may take. Every node that has evidence below or on it is multiplied
by what its children say of it and summed out, last child first (variable elimination in reverse sampling
order, Zhang and Poole 1994); the products, normalised, are the conditionals of the conditioned model.
Nothing is rejected, and the sum at the core is the probability of the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from persona_engine.census_priors.hierarchy import Hierarchy
from persona_engine.generator.model.leaves import Leaf
from persona_engine.generator.model.network import Network, Node, certain_axis, over, taken
from persona_engine.generator.sampling.threads import each

Array = npt.NDArray[np.float64]
Dense = npt.NDArray[np.floating]
Weights = npt.NDArray[np.bool_] | Array
Evidence = Mapping[str, Weights]
States = npt.NDArray[np.intp]
SLABS, MOST_SLABS = 8, 64
"""Slabs that are enough, so that the first axis with so many states is cut, since later ones are slow to cut; and
slabs beyond which their number costs more than their size."""


@dataclass(frozen=True, slots=True)
class Message:
    """P(evidence below | attributes), one axis an attribute."""

    attributes: tuple[str, ...]
    values: Array


@dataclass(frozen=True)
class Conditioned:
    """A network given evidence.

    Attributes:
        network: core and nodes of the conditioned model; its core sums to 1.
        changed: children whose nodes differ from the unconditioned ones.
        allowed: weight of each state of each leaf that has evidence.
        probability: P(evidence); for soft evidence, the mean weight.
        fixed: children and leaves of which evidence leaves one state, and its code.
    """

    network: Network
    changed: frozenset[str]
    allowed: Evidence
    probability: float
    fixed: Mapping[str, int] = field(default_factory=dict)


def condition(
    network: Network, leaves: Sequence[Leaf], evidence: Evidence, factors: Sequence[Message] = ()
) -> Conditioned:
    """The network given evidence on core attributes, children and leaves.

    Args:
        network: the unconditioned model.
        leaves: attributes beside it.
        evidence: allowed states by attribute, as masks over the states of the core, a child or a leaf; or, for
            soft evidence, a weight for every state.
        factors: further weights, over network attributes together.

    Returns:
        The conditioned model; its `probability` is 0 when the evidence is impossible, and its core then zero.
    """
    messages = [
        *factors,
        *(
            Message(leaf.parents, leaf.likelihood(evidence[leaf.child]))
            for leaf in leaves
            if leaf.child in evidence
        ),
    ]
    hierarchy = network.hierarchy
    nodes: list[Node] = []
    for node in reversed(network.nodes):
        mine = [m for m in messages if any(network.gives(node, name) for name in m.attributes)]
        if node.child in evidence:
            mine.append(Message((node.child,), evidence[node.child].astype(np.float64)))
        if not mine:
            nodes.append(node)
            continue
        messages = [m for m in messages if not any(m is other for other in mine)]
        conditioned, message = _eliminate(network, node, mine, evidence)
        nodes.append(conditioned)
        messages.append(message)
    core = network.core.astype(np.float64)
    for message in messages:
        core *= expand(message, network.core_attributes, hierarchy)
    for axis, name in enumerate(network.core_attributes):
        if name in evidence:
            shape = [1] * core.ndim
            shape[axis] = -1
            core *= evidence[name].reshape(shape)
    probability = float(core.sum())
    nodes.reverse()
    changed = frozenset(a.child for a, b in zip(nodes, network.nodes, strict=True) if a is not b)
    allowed = {leaf.child: evidence[leaf.child] for leaf in leaves if leaf.child in evidence}
    if probability > 0:
        core /= probability
    given = replace(network, core=core.astype(np.float32), nodes=tuple(nodes))
    fixed = {
        name: int(np.flatnonzero(weights)[0])
        for name, weights in evidence.items()
        if name not in network.core_attributes and np.count_nonzero(weights) == 1
    }
    return Conditioned(given, changed, allowed, probability, fixed)


def _refined(node: Node, name: str, hierarchy: Hierarchy) -> bool:
    """Whether the parent that the node refines decides an attribute, which then needs no axis."""
    return node.refines is not None and hierarchy.refines(node.refines, name)


def expand(
    message: Message, attributes: Sequence[str], hierarchy: Hierarchy, states: Sequence[States] | None = None
) -> Dense:
    """The message over these attributes, or some states of each; axes that it says nothing of have length 1."""
    axes, codes = [], []
    for name in message.attributes:
        axis = next(i for i, fine in enumerate(attributes) if hierarchy.refines(fine, name))
        seen = hierarchy.codes(attributes[axis], name)
        axes.append(axis)
        codes.append(seen if states is None else seen[states[axis]])
    if len(set(axes)) < len(axes):
        return _diagonal(message, attributes, axes, codes)
    values: Dense = message.values
    for axis in sorted(
        range(values.ndim), key=lambda axis: len(codes[axis]) / values.shape[axis]
    ):  # few first
        values = taken(values, codes[axis], axis)
    values = np.transpose(values, np.argsort(axes))
    shape = [1] * len(attributes)
    for axis, size in zip(sorted(axes), values.shape, strict=True):
        shape[axis] = size
    return values.reshape(shape)


def _diagonal(
    message: Message, attributes: Sequence[str], axes: Sequence[int], codes: Sequence[npt.NDArray[np.int32]]
) -> Array:
    """`expand` where two attributes of the message are views of one: only states that agree remain."""
    kept = sorted(set(axes))
    sizes = [len(codes[axes.index(axis)]) for axis in kept]
    grid = dict(zip(kept, np.indices(sizes), strict=True))
    values = message.values[tuple(code[grid[axis]] for axis, code in zip(axes, codes, strict=True))]
    shape = [1] * len(attributes)
    for axis, size in zip(kept, sizes, strict=True):
        shape[axis] = size
    return np.asarray(values.reshape(shape), dtype=np.float64)


def possible(attribute: str, evidence: Evidence, hierarchy: Hierarchy) -> npt.NDArray[np.bool_]:
    """Which states evidence leaves an attribute, by itself or through its views and what it is a view of."""
    found = np.ones(len(hierarchy.domain[attribute]), dtype=np.bool_)
    for name, weights in evidence.items():
        if name not in hierarchy.domain:
            continue
        if hierarchy.refines(name, attribute):
            found &= np.bincount(hierarchy.codes(name, attribute), weights > 0, len(found)) > 0
        elif hierarchy.refines(attribute, name):
            found &= weights[hierarchy.codes(attribute, name)] > 0
    return found


def _eliminate(
    network: Network, node: Node, messages: Sequence[Message], evidence: Evidence
) -> tuple[Node, Message]:
    """Multiply a node by its messages; return it normalised, and the message to its parents.

    Only states that evidence leaves are computed, the others are zero; a slab at a time, on every core.
    """
    hierarchy = network.hierarchy
    others = [
        n
        for m in messages
        for n in m.attributes
        if not network.gives(node, n) and not _refined(node, n, hierarchy)
    ]
    parents = hierarchy.finest((*node.parents, *others))
    scope = (*parents, node.child)
    left = [np.flatnonzero(possible(name, evidence, hierarchy)) for name in scope]
    drawn, certain = _drawn(node, parents, hierarchy)
    inside = [states[mask[states]] for states, mask in zip(left, drawn, strict=False)] + [left[-1]]
    places = [np.searchsorted(np.flatnonzero(m), s) for m, s in zip(drawn, inside, strict=False)]
    runs = np.zeros(network.size(node.child), dtype=np.int64)
    if node.refines is not None:
        runs = hierarchy.codes(node.child, node.refines).astype(np.int64)
    firsts = np.flatnonzero(np.diff(runs[left[-1]], prepend=-1))
    lengths = np.diff(np.append(firsts, len(left[-1])))
    table = np.zeros((*(int(mask.sum()) for mask in drawn), len(runs)), dtype=np.float32)
    sums = np.zeros((*table.shape[:-1], int(runs[-1]) + 1))
    sizes = [len(states) for states in places]
    cut = next((axis for axis, size in enumerate(sizes) if size >= SLABS or size == max(sizes)), 0)
    thick = ceil(sizes[cut] / MOST_SLABS) if sizes else 1

    def slab(top: int) -> None:
        states, place = list(inside), list(places)
        if places:
            states[cut], place[cut] = states[cut][top : top + thick], place[cut][top : top + thick]
        product = over(node, parents, hierarchy, states)
        for message in messages:
            product = product * expand(message, scope, hierarchy, states).astype(np.float32, order="C")
        totals = np.add.reduceat(product, firsts, axis=-1, dtype=np.float64)
        scales = np.divide(1.0, totals, out=np.zeros(totals.shape), where=totals > 0).astype(np.float32)
        product *= np.repeat(scales, lengths, axis=-1) if len(lengths) > 1 else scales
        table[_box([*place, left[-1]])] = product
        sums[_box([*place, runs[left[-1]][firsts]])] = totals

    if all(map(len, inside)):
        each(slab, range(0, sizes[cut] if sizes else 1, thick))
    conditioned = replace(node, parents=parents, table=table, certain=certain)
    if node.refines is not None:
        return conditioned, Message((*parents, node.refines), sums)
    summed = sums[..., 0]
    if node.certain is not None:
        full = [expand(message, scope, hierarchy) for message in messages]
        summed = _with_certain(node, parents, summed, full, hierarchy)
    return conditioned, Message(parents, summed)


def _box(states: Sequence[States]) -> tuple[Any, ...]:
    """What picks these states of each axis: slices if there are no gaps, which numpy assigns to faster."""
    if all(kept[-1] - kept[0] + 1 == len(kept) for kept in states):
        return tuple(slice(int(kept[0]), int(kept[-1]) + 1) for kept in states)
    return np.ix_(*states)


def _drawn(
    node: Node, parents: Sequence[str], hierarchy: Hierarchy
) -> tuple[list[npt.NDArray[np.bool_]], tuple[str, npt.NDArray[np.int32]] | None]:
    """For every parent the states that the table has, and `certain` in terms of these parents."""
    drawn = [np.ones(len(hierarchy.domain[name]), dtype=np.bool_) for name in parents]
    if node.certain is None:
        return drawn, None
    axis, values = certain_axis(node, parents, hierarchy)
    drawn[axis] = values < 0
    return drawn, (parents[axis], values)


def _with_certain(
    node: Node, parents: Sequence[str], message: Array, full: Sequence[Dense], hierarchy: Hierarchy
) -> Array:
    """Give the message back the states of the parent for which the child is certain."""
    axis, values = certain_axis(node, parents, hierarchy)
    shape = list(message.shape)
    shape[axis] = len(values)
    result = np.zeros(shape)
    index: list[slice | States] = [slice(None)] * len(shape)
    index[axis] = np.flatnonzero(values < 0)
    result[tuple(index)] = message
    for code in np.flatnonzero(values >= 0):
        said = np.ones([1] * len(shape))
        for part in full:
            at = part[..., values[code]] if part.shape[-1] > 1 else part[..., 0]
            said = said * (np.take(at, [code], axis=axis) if at.shape[axis] > 1 else at)
        index[axis] = np.array([code])
        result[tuple(index)] = said
    return result
