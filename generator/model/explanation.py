"""Explanation: the parts of a model as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from census_personas.census_priors.priors import Priors
from census_personas.generator.model.fitting import informs
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node


def explanation(priors: Priors, network: Network, leaves: Sequence[Leaf]) -> dict[str, Any]:
    """List core, children and leaves with their parents, tables and distances, and the assumed independences.

    `distance` is the largest total variation distance between a part and one of its tables. `independences` holds the
    sentences that the locale declares; the graph implies them all: given its parents, each attribute is independent of
    the other attributes before it.
    """
    tables = [tuple(names) for _, names in priors.tables]
    core = network.core_attributes
    informing = [names for names in tables if informs(names, core, priors.hierarchy)]
    return {
        "locale": priors.locale,
        "title": priors.declaration.title,
        "core": {"attributes": list(core), "cells": int(network.core.size)},
        "nodes": [_node(node, tables, priors, network) for node in network.nodes],
        "leaves": [
            {"child": leaf.child, "parents": list(leaf.parents), "states": len(leaf.table.states)}
            for leaf in leaves
        ],
        "parameters": int(network.core.size + sum(node.table.size for node in network.nodes)),
        "core_tables": len(informing),
        "tables": [list(names) for names in tables],
        "distances": dict(network.distances),
        "modelled": {area: list(names) for area, names in priors.declaration.modelled.items()},
        "independences": list(priors.declaration.independences),
    }


def _node(node: Node, tables: Sequence[tuple[str, ...]], priors: Priors, network: Network) -> dict[str, Any]:
    hierarchy = priors.hierarchy
    parents = [*node.parents, *([node.refines] if node.refines else [])]
    scope = (*node.parents, node.child)
    informing = [
        names
        for names in tables
        if informs(names, scope, hierarchy) and any(hierarchy.refines(node.child, name) for name in names)
    ]
    return {
        "child": node.child,
        "parents": parents,
        "cells": int(node.table.size),
        "tables": len(informing),
        "distance": float(network.distances[node.child]),
        "certain": {} if node.certain is None else {node.certain[0]: int((node.certain[1] >= 0).sum())},
    }
