"""Conditioning: passes messages of evidence from the leaves to the core, for exact ancestral sampling.

Evidence lists the states that each attribute may take. Every node with evidence on or below it is multiplied by the
messages of its children and summed out, last child first (variable elimination in reverse sampling order, Zhang and
Poole 1994). The products are the conditional tables of the conditioned model, up to a factor. No row is rejected, and
the sum at the core is the probability of the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import AnyFloats, Floats, Mask
from census_personas.foundation.threads import computed_once
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node
from census_personas.generator.sampling.message import Message, scaled
from census_personas.generator.sampling.product import Product

Weights = Mask | Floats
Evidence = Mapping[str, Weights]


@dataclass(frozen=True)
class Conditioned:
    """A network given evidence.

    Attributes:
        base: the unconditioned network.
        core: the conditioned core joint; it sums to 1.
        products: child -> the conditional that differs from the unconditioned one.
        allowed: weight of each state of each leaf that has evidence.
        probability: P(evidence); for soft evidence, the mean weight.
        fixed: children and leaves for which evidence allows one state, and its code.
    """

    base: Network
    core: AnyFloats
    products: Mapping[str, Product] = field(default_factory=dict)
    allowed: Evidence = field(default_factory=dict)
    probability: float = 1.0
    fixed: Mapping[str, int] = field(default_factory=dict)

    @computed_once
    def network(self) -> Network:
        """The conditioned model with every table multiplied out; drawing does not need it."""
        nodes = tuple(
            self.products[node.child].conditional() if node.child in self.products else node
            for node in self.base.nodes
        )
        return replace(self.base, core=self.core, nodes=nodes)


def condition(
    network: Network, leaves: Sequence[Leaf], evidence: Evidence, factors: Sequence[Message] = ()
) -> Conditioned:
    """Condition the network on evidence about core attributes, children and leaves.

    Args:
        network: the unconditioned model.
        leaves: attributes outside the network.
        evidence: allowed states by attribute, as masks over the states of the core, a child or a leaf; or, for
            soft evidence, a weight for every state.
        factors: further weights over joint states of network attributes.

    Returns:
        The conditioned model; if the evidence is impossible, its `probability` and its core are 0.
    """
    allowed = {leaf.child: evidence[leaf.child] for leaf in leaves if leaf.child in evidence}
    below = [
        Message(leaf.parents, leaf.likelihood(allowed[leaf.child]))
        for leaf in leaves
        if leaf.child in allowed
    ]
    messages, scale = scaled((*factors, *below))
    products: dict[str, Product] = {}
    for node in reversed(network.nodes):
        mine = [m for m in messages if any(network.gives(node, name) for name in m.attributes)]
        messages = [m for m in messages if not any(m is other for other in mine)]
        if node.child in evidence:
            mine.append(Message((node.child,), evidence[node.child].astype(np.float32)))
        if mine:
            products[node.child] = _product(network, node, mine, evidence)
            message, largest = scaled([products[node.child].message()])
            messages += message
            scale *= largest
    core = _core(network, messages, evidence)
    total = float(core.sum(dtype=np.float64))
    if total > 0:
        core /= np.float32(total)
    fixed = {
        name: int(np.flatnonzero(weights)[0])
        for name, weights in evidence.items()
        if name not in network.core_attributes and np.count_nonzero(weights) == 1
    }
    return Conditioned(network, core, products, allowed, total * scale, fixed)


def _core(network: Network, messages: Sequence[Message], evidence: Evidence) -> AnyFloats:
    """Multiply the core joint by messages and evidence."""
    core = np.array(network.core, dtype=np.float32)
    own = [
        Message((name,), evidence[name].astype(np.float32))
        for name in network.core_attributes
        if name in evidence
    ]
    for message in (*messages, *own):
        core *= message.over(network.core_attributes, network.hierarchy)
    return core


def _product(network: Network, node: Node, messages: Sequence[Message], evidence: Evidence) -> Product:
    """Build the product of a node's table and messages, over all parents that these need."""
    hierarchy = network.hierarchy
    others = [
        name
        for message in messages
        for name in message.attributes
        if not network.gives(node, name)
        and not (node.refines is not None and hierarchy.refines(node.refines, name))  # it needs no axis
    ]
    parents = hierarchy.finest((*node.parents, *others))
    left = [np.flatnonzero(possible(name, evidence, hierarchy)) for name in (*parents, node.child)]
    above = next((other for other in network.nodes if other.child == node.refines), None)
    return Product.with_messages(node, parents, left, messages, hierarchy, above)


def possible(attribute: str, evidence: Evidence, hierarchy: Hierarchy) -> Mask:
    """Return the states that evidence allows an attribute, directly or through coarser and finer attributes."""
    allowed = np.ones(len(hierarchy.domain[attribute]), dtype=np.bool_)
    for name, weights in evidence.items():
        if name not in hierarchy.domain:
            continue
        if hierarchy.refines(name, attribute):
            allowed &= np.bincount(hierarchy.codes(name, attribute), weights > 0, len(allowed)) > 0
        elif hierarchy.refines(attribute, name):
            allowed &= weights[hierarchy.codes(attribute, name)] > 0
    return allowed
