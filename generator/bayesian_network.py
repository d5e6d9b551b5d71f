"""Bayesian network: the fitted model as a genuine pgmpy `DiscreteBayesianNetwork`. The only pgmpy importer.

The core joint becomes its chain of conditionals, a coarser view a deterministic child of the finer attribute.
A node that refines a parent (single years in an age band, occupations in a group) becomes one variable for
each state of the parent: the value that a person of that state has. Together with the parent it says the same
as the node, at the node's size; pgmpy's dense tables would need the parent's size times as much.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pgmpy.factors.discrete import TabularCPD
from pgmpy.models import DiscreteBayesianNetwork

from persona_engine.generator.network import Network, Node, certain_axis

Array = npt.NDArray[np.float64]


def to_pgmpy(network: Network) -> DiscreteBayesianNetwork:
    """Build the pgmpy model; `check_model()` holds.

    Rows of parents that cannot occur, which a table must fill with something, have the child's distribution
    over all rows.
    """
    writer = _Writer(network)
    for position in range(len(network.core_attributes)):
        writer.add_core(position)
    for node in network.nodes:
        for parent in (*node.parents, *([node.refines] if node.refines else [])):
            writer.add_view(parent)
        if node.refines is None:
            writer.add_node(node)
        else:
            writer.add_refinement(node)
    model = DiscreteBayesianNetwork()
    model.add_nodes_from([cpd.variable for cpd in writer.cpds])
    model.add_edges_from([(parent, cpd.variable) for cpd in writer.cpds for parent in cpd.variables[1:]])
    model.add_cpds(*writer.cpds)
    return model


def refined_name(child: str, state: object) -> str:
    """Name of the variable that gives the child within one state of the parent it refines."""
    return f"{child}_in_{state}"


class _Writer:
    """Collects CPDs, each variable once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.cpds: list[TabularCPD] = []
        self._known: set[str] = set()

    def _states(self, attribute: str) -> list[str]:
        return [str(state) for state in self.network.hierarchy.domain[attribute]]

    def _add(self, variable: str, states: list[str], parents: Sequence[str], table: Array) -> None:
        """`table` has the parents' axes first, the variable's last."""
        totals = table.sum(axis=-1, keepdims=True)
        overall = table.reshape(-1, table.shape[-1]).sum(axis=0)
        filled = np.where(totals > 0, table / np.where(totals > 0, totals, 1.0), overall / overall.sum())
        self.cpds.append(
            TabularCPD(
                variable,
                len(states),
                np.ascontiguousarray(filled.reshape(-1, len(states)).T),
                evidence=list(parents) or None,
                evidence_card=[len(self._states(parent)) for parent in parents] or None,
                state_names={variable: states, **{parent: self._states(parent) for parent in parents}},
            )
        )
        self._known.add(variable)

    def add_core(self, position: int) -> None:
        """P(attribute | the core attributes before it)."""
        names = self.network.core_attributes[: position + 1]
        self._add(names[-1], self._states(names[-1]), names[:-1], self.network.joint(names))

    def add_view(self, attribute: str) -> None:
        """A deterministic child of the next finer attribute, if it is not there yet."""
        if attribute in self._known:
            return
        finer = self.network.hierarchy.finer[attribute]
        self.add_view(finer)
        codes = self.network.hierarchy.codes(finer, attribute)
        table = np.eye(len(self._states(attribute)))[codes]
        self._add(attribute, self._states(attribute), [finer], table)

    def add_node(self, node: Node) -> None:
        """P(child | parents), states that make the child certain included."""
        table = np.asarray(node.table, dtype=np.float64)
        if node.certain is not None:
            axis, values = certain_axis(node, node.parents, self.network.hierarchy)
            shape = [*table.shape]
            shape[axis] = len(values)
            whole = np.zeros(shape)
            view = np.moveaxis(whole, axis, 0)
            view[values < 0] = np.moveaxis(table, axis, 0)
            for code in np.flatnonzero(values >= 0):
                view[code, ..., values[code]] = 1.0
            table = whole
        self._add(node.child, self._states(node.child), node.parents, table)

    def add_refinement(self, node: Node) -> None:
        """One variable for each state of the refined parent."""
        parent = node.refines or ""
        codes = self.network.hierarchy.codes(node.child, parent)
        states = np.array(self._states(node.child), dtype=object)
        for code, state in enumerate(self._states(parent)):
            inside = codes == code
            part = np.asarray(node.table[..., inside], dtype=np.float64)
            self._add(refined_name(node.child, state), states[inside].tolist(), node.parents, part)
