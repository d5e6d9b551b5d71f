"""Pruning: reduces the network to what a query needs, and merges states that the query does not distinguish.

A joint table grows with the states of every attribute that connects the asked ones; a query for two groups of
occupations need not compute all 531 of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from census_personas.census_priors.domain import Domain
from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import AnyIntegers
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node

Classes = AnyIntegers


def reduced(
    network: Network, asked: Iterable[str], classes: Mapping[str, Classes]
) -> tuple[Network, dict[str, Classes]]:
    """Return the network that `asked` attributes need.

    Args:
        network: the whole model.
        asked: attributes of the query.
        classes: for some of them, the class of every state; states of one class may be merged.

    Returns:
        The network without children that nothing asked for depends on, and the class of every state that the merged

    """
    hierarchy = network.hierarchy
    needed = set(asked)
    kept: list[Node] = []
    for node in reversed(network.nodes):
        if any(network.gives(node, name) for name in needed):
            needed |= {*node.conditions}
            kept.append(node)
    kept.reverse()
    result = replace(network, nodes=tuple(kept))
    merged: dict[str, Classes] = {}
    for node in kept:
        used = {name for other in kept for name in (*other.parents, other.refines) if name is not None}
        views = {name for name in (*used, *asked) if hierarchy.refines(node.child, name)} - {node.child}
        if node.refines is not None:
            views = {name for name in views if not hierarchy.refines(node.refines, name)}
        if node.child in classes and node.child not in used and not views:
            result, merged[node.child] = _merged(result, node, classes[node.child])
    return result, merged


def _merged(network: Network, node: Node, classes: Classes) -> tuple[Network, Classes]:
    """Merge the child's states of one class, unless a direct view distinguishes them."""
    hierarchy = network.hierarchy
    direct = [name for name, finer in hierarchy.finer.items() if finer == node.child]
    keys = np.stack([classes, *(hierarchy.maps[name] for name in direct)])
    _, first, group = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    if len(first) == len(classes):
        return network, classes
    order = np.argsort(
        first
    )  # by first appearance: states within one state of the refined parent stay adjacent
    group, first = np.argsort(order)[group.ravel()], first[order]
    indicator = (group[:, None] == np.arange(len(first))[None, :]).astype(np.float32)
    certain = node.certain
    if certain is not None:
        codes = np.where(certain[1] < 0, -1, group[certain[1]]).astype(np.int32)
        certain = (certain[0], codes)
    smaller = replace(node, table=node.table @ indicator, certain=certain)
    states = {**hierarchy.domain.states, node.child: tuple(range(len(first)))}
    maps = {name: codes[first] if name in direct else codes for name, codes in hierarchy.maps.items()}
    nodes = tuple(smaller if other is node else other for other in network.nodes)
    coarser = Hierarchy(Domain(states), hierarchy.finer, maps)
    return replace(network, hierarchy=coarser, nodes=nodes), classes[first]
