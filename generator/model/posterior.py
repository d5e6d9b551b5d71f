"""Posterior: P(fact | the other facts of a record) under the fitted model, summed over unknown attributes.

Unknown core attributes are summed over exactly. A fact that depends on other unknown attributes, as an industry depends
on the occupation, is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod

import numpy as np

from census_personas.foundation.arrays import Codes, Floats
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node

_BLOCK = 2048  # rows at a time: a hidden attribute multiplies them


class Posterior:
    """Computes P(fact | other known facts) for many people."""

    def __init__(self, network: Network) -> None:
        """Wrap a network; nothing is computed yet."""
        self._network = network
        self._hierarchy = network.hierarchy

    def cells(self, names: Sequence[str], fact: str) -> int:
        """Count the cells to sum for one person: states of the fact times those of all hidden attributes."""
        asked = self._hierarchy.root(fact)
        others = [name for name in names if self._hierarchy.root(name) != asked]
        return prod(len(self._hierarchy.domain[name]) for name in (asked, *self._hidden(others, asked)))

    def given(self, codes: Mapping[str, Codes], fact: str) -> Floats:
        """Compute P(fact | the other facts), one row per person; NaN where these exclude each other."""
        hierarchy = self._hierarchy
        asked = hierarchy.root(fact)
        others = {name: c for name, c in codes.items() if hierarchy.root(name) != hierarchy.root(fact)}
        hidden = {name: self._possible(name, others) for name in self._hidden(others, asked)}
        widths = np.stack(
            [(states >= 0).sum(axis=1) for states in (*hidden.values(), others[next(iter(others))][:, None])]
        )
        # Rows with equally many hidden states share an array: few rows have several possible fields of degree.
        _, kind = np.unique(widths, axis=1, return_inverse=True)
        joint = np.zeros((widths.shape[1], len(hierarchy.domain[asked])))
        for group in range(int(kind.max()) + 1):
            rows = np.flatnonzero(kind.ravel() == group)
            for start in range(0, len(rows), _BLOCK):
                part = rows[start : start + _BLOCK]
                allowed = {
                    name: states[part, : widths[i, part[0]]]
                    for i, (name, states) in enumerate(hidden.items())
                }
                joint[part] = self._joint({name: c[part] for name, c in others.items()}, asked, allowed)
        member = hierarchy.codes(asked, fact)[:, None] == np.arange(len(hierarchy.domain[fact]))[None, :]
        joint = joint @ member
        with np.errstate(invalid="ignore"):
            return np.asarray(joint / joint.sum(axis=1, keepdims=True), dtype=np.float64)

    def _hidden(self, codes: Iterable[str], asked: str) -> list[str]:
        return [
            name
            for name in self._network.core_attributes
            if name != asked and not any(self._hierarchy.refines(known, name) for known in codes)
        ]

    def _joint(self, codes: Mapping[str, Codes], asked: str, allowed: Mapping[str, Codes]) -> Floats:
        """Compute P(known facts, asked) by person and state, summed over the `allowed` hidden states."""
        rows, axes = len(next(iter(codes.values()))), 2 + len(allowed)
        spread = {name: c.reshape(rows, *[1] * (axes - 1)) for name, c in codes.items()}
        spread[asked] = np.arange(len(self._hierarchy.domain[asked])).reshape(1, -1, *[1] * len(allowed))
        for axis, (name, states) in enumerate(allowed.items(), start=2):
            spread[name] = states.reshape(
                rows, *(states.shape[1] if at == axis else 1 for at in range(1, axes))
            )
        core = tuple(self._hierarchy.view(name, spread) for name in self._network.core_attributes)
        weights: Floats = self._network.core[core].astype(np.float64)
        for node in self._network.nodes:
            if self._applies(node, spread):
                weights = weights * node.probability(spread, self._hierarchy)
        whole = np.broadcast_to(weights, (rows, *weights.shape[1:]))
        return np.asarray(whole.sum(axis=tuple(range(2, axes))), dtype=np.float64)

    def _possible(self, name: str, codes: Mapping[str, Codes]) -> Codes:
        """Return the states of a hidden attribute that the known facts allow, one row per person, padded with -1."""
        states = np.arange(len(self._hierarchy.domain[name]))
        rows = len(next(iter(codes.values())))
        allowed = np.ones((rows, len(states)), dtype=bool)
        for view in codes:
            if self._hierarchy.refines(name, view):
                allowed &= self._hierarchy.codes(name, view)[None, :] == codes[view][:, None]
        for node in self._network.nodes:
            known = self._hierarchy.source(node.child, codes)
            if known and node.certain is not None and node.certain[0] == name:
                child, certain = self._hierarchy.view(node.child, codes), node.certain[1]
                allowed &= (certain < 0)[None, :] | (certain[None, :] == child[:, None])
        first = np.argsort(~allowed, axis=1, kind="stable")[:, : max(int(allowed.sum(axis=1).max()), 1)]
        states_of: Codes = np.where(np.take_along_axis(allowed, first, axis=1), first, -1)
        return states_of

    def _applies(self, node: Node, spread: Mapping[str, Codes]) -> bool:
        """Return whether a node's child and everything it depends on are known, hidden or asked for."""
        return all(self._hierarchy.source(name, spread) for name in (node.child, *node.conditions))
