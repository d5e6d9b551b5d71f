"""Elimination: passes the evidence of many people, each with their own, to the network's core at once.

The algorithm is that of `conditioning`: every node with evidence on or below it is multiplied by its children's
messages and summed out, last child first. There, one condition holds for everybody and messages span whole tables;
here, messages span only a person's open states, and people with the same relevant evidence share a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import Floats, Indices, Integers, Mask
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node
from census_personas.generator.sampling.leaf_columns import LeafColumns
from census_personas.generator.sampling.open_states import Known
from census_personas.generator.sampling.people_grid import CELLS, Grid, Spread, boxes


@dataclass(frozen=True, slots=True)
class Conditional:
    """A node under evidence.

    Attributes:
        node: the node.
        messages: messages about its child from the evidence below.
        changed: people whose child does not follow the node's own table.
    """

    node: Node
    messages: tuple[Grid, ...]
    changed: Mask


@dataclass(frozen=True, slots=True)
class Elimination:
    """Messages of people's evidence about each node's child and about the core.

    Attributes:
        conditionals: child -> the node under the evidence.
        messages: messages about the core.
    """

    conditionals: Mapping[str, Conditional]
    messages: tuple[Grid, ...]


def eliminate(network: Network, columns: Mapping[str, LeafColumns], known: Known) -> Elimination:
    """Compute the messages of people's evidence to the core.

    Args:
        network: the model.
        columns: the leaves.
        known: the open states of each person; every attribute has at least one.
    """
    live = [leaf_grid(columns[name], known) for name in known.leaves if columns[name].leaf.parents]
    conditionals = {}
    for node in reversed(network.nodes):
        mine = [grid for grid in live if any(network.gives(node, name) for name in grid.scope)]
        live = [grid for grid in live if not any(grid is other for other in mine)]
        present_bits = np.zeros(len(known), dtype=np.int64)
        for bit, grid in enumerate(mine):
            present_bits += (grid.kinds >= 0).astype(np.int64) << bit
        changed = restricted(node, known) | (present_bits > 0)
        for bits in np.unique(present_bits[changed]).tolist():
            people = np.flatnonzero(changed & (present_bits == bits))
            present = [grid for bit, grid in enumerate(mine) if bits >> bit & 1]
            live.append(_summed_out(network, node, present, known, people))
        conditionals[node.child] = Conditional(node, tuple(mine), changed)
    return Elimination(conditionals, tuple(live))


def restricted(node: Node, known: Known) -> Mask:
    """Return people whose evidence excludes child states that the refined attribute allows."""
    own = known.of(node.child)
    full = np.ones_like(own.sets)
    if node.refines is None:
        return np.asarray((own.sets != full).any(axis=1)[own.ids])
    codes = known.hierarchy.codes(node.child, node.refines)
    above = known.of(node.refines)
    pairs, group = np.unique(np.stack([own.ids, above.ids], axis=1), axis=0, return_inverse=True)
    cut = (own.sets[pairs[:, 0]] != above.sets[pairs[:, 1]][:, codes]).any(axis=1)
    return np.asarray(cut[group.ravel()])


def leaf_grid(columns: LeafColumns, known: Known) -> Grid:
    """Compute the likelihood of the evidence on a leaf, over its parents."""
    leaf = columns.leaf
    states = known.leaves[leaf.child]
    people = np.flatnonzero(states.ids >= 0)
    grid = Grid.empty(known, leaf.parents, (leaf.child,), people)
    most = max(8 * CELLS // columns.count, 1)
    for top in range(0, len(grid.first), most):
        some = grid.first[top : top + most]
        sets, group = np.unique(states.ids[some], return_inverse=True)
        likelihood = columns.likelihood([states.sets[number] for number in sets])
        place = np.zeros(len(known), dtype=np.int64)
        place[some] = group.ravel()
        for box in boxes(known, some, leaf.parents):
            rows = leaf.rows[tuple(box.codes[name] for name in leaf.parents)]
            owner = place[box.people].reshape(-1, *[1] * len(leaf.parents))
            grid.write(box, likelihood[owner, rows])
    return grid


def _summed_out(
    network: Network, node: Node, messages: Sequence[Grid], known: Known, people: Indices
) -> Grid:
    """Multiply a node's table by the messages about its child, and sum over the child's open states."""
    hierarchy = network.hierarchy
    others = [
        name
        for grid in messages
        for name in grid.scope
        if not network.gives(node, name)
        and not (node.refines is not None and hierarchy.refines(node.refines, name))
    ]
    parents = hierarchy.finest((*node.parents, *others))
    scope = parents if node.refines is None else (*parents, node.refines)
    sources = (node.child, *(name for grid in messages for name in grid.sources))
    grid = Grid.empty(known, scope, sources, people)
    own = known.of(node.child)
    for box in boxes(known, grid.first, parents, node.child, same_child=node.refines is not None):
        weights = table_weights(node, box.codes, hierarchy)
        weights = times(weights, messages, box.people, box.codes)
        sizes = (*box.sizes, box.codes[node.child].shape[-1])
        whole = np.ascontiguousarray(np.broadcast_to(weights, sizes), dtype=np.float64)
        if node.refines is None:
            grid.write(box, whole.sum(axis=-1))
        else:
            first = own.ids[box.people[0]]
            states = own.states[first][: own.widths[first]]
            runs = hierarchy.codes(node.child, node.refines)[states]
            starts = np.concatenate([[0], np.flatnonzero(np.diff(runs)) + 1])
            grid.write(box, np.add.reduceat(whole, starts, axis=-1))
    return grid


def table_weights(node: Node, codes: Spread, hierarchy: Hierarchy) -> Floats:
    """Look up P(child | parents) in a node's table; the codes of the child are on the last axis.

    The attribute that the child refines is ignored.
    """
    child = codes[node.child]
    position, certain = node.rows(codes, hierarchy)
    row: Integers = np.zeros([1] * child.ndim, dtype=np.int64)
    for index, size in zip(position, node.table.shape[:-1], strict=True):
        row = row * size + index
    states = node.table.shape[-1]
    if child.shape[-1] == states:
        weights = node.table.reshape(-1, states).take(row[..., 0], axis=0)
    else:
        weights = node.table.ravel().take(row * states + child)
    if (certain >= 0).any():
        weights = np.where(certain < 0, weights, certain == child)
    return weights.astype(np.float64)


def times(weights: Floats, grids: Iterable[Grid], people: Indices, codes: Spread) -> Floats:
    """Multiply weights by the grids' values for people."""
    factors = (grid.at(people, codes) for grid in grids)
    return reduce(np.multiply, [values for values in factors if values is not None], weights)
