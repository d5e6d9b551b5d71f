"""Bayesian network: the fitted model as a pgmpy `DiscreteBayesianNetwork`. The only module that imports pgmpy.

The core joint becomes its chain of conditionals, a coarser view a deterministic child of the finer attribute.
A node that refines a parent (single years in an age band, occupations in a group) becomes one variable per
state of the parent: the child's value for a person in that state. These variables and the parent together hold
the node's distribution at the node's own size; one dense pgmpy table would be larger by the number of parent
states. A child of such a node is also split into one variable per state, and a further variable selects among
them by the state of the refined parent.

BIF files separate names by spaces, commas and brackets, without quotes. Names of states therefore keep only ASCII
letters, digits and `_.-~+`; any other character is percent-encoded as in URLs, so that a written model can be read
again. `urllib.parse.unquote` restores the state.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

import numpy as np
from pgmpy.factors.discrete import TabularCPD
from pgmpy.models import DiscreteBayesianNetwork

from census_personas.foundation.arrays import Floats
from census_personas.generator.model.fitting import FitError
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node


def to_pgmpy(network: Network) -> DiscreteBayesianNetwork:
    """Build the pgmpy model; `check_model()` holds.

    A table needs a distribution even for combinations of parents that cannot occur; these rows hold the child's
    distribution over all rows.
    """
    writer = _Writer(network)
    for position in range(len(network.core_attributes)):
        writer.add_core(position)
    for node in network.nodes:
        if node.refines is None:
            writer.add_node(node)
        else:
            writer.add_refinement(node)
    model = DiscreteBayesianNetwork()
    model.add_nodes_from([cpd.variable for cpd in writer.cpds])
    model.add_edges_from([(parent, cpd.variable) for cpd in writer.cpds for parent in cpd.variables[1:]])
    model.add_cpds(*writer.cpds)
    return model


def encoded(state: object) -> str:
    """Encode a state, or part of a variable's name, for the export; `urllib.parse.unquote` decodes it.

    Raises:
        FitError: the state is an empty string, which a network file cannot hold.
    """
    name = quote(str(state), safe="+")
    if not name:
        raise FitError(
            "a state is an empty string, which a network file cannot hold; give it a name, such as none"
        )
    return name


def refined_name(child: str, state: object) -> str:
    """Return the name of the variable for the child within one state of the parent that it refines."""
    return f"{child}_in_{encoded(state)}"


_MISREAD = re.compile(r"(?:table|default)[0-9eE.+-]")
"""Parts of a name that pgmpy's BIF reader would parse as a row of numbers."""


class _Writer:
    """Collects CPDs, each variable once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.cpds: list[TabularCPD] = []
        self._variables: dict[str, list[str]] = {}

    def _states(self, attribute: str) -> list[str]:
        return [encoded(state) for state in self.network.hierarchy.domain[attribute]]

    def _add(self, variable: str, states: list[str], parents: Sequence[str], table: Floats) -> None:
        """`table` has the parents' axes first, the variable's last; parents are variables."""
        totals = table.sum(axis=-1, keepdims=True)
        overall = table.reshape(-1, table.shape[-1]).sum(axis=0)
        self._check_name(variable)
        filled = np.where(totals > 0, table / np.where(totals > 0, totals, 1.0), overall / overall.sum())
        self._variables[variable] = states
        self.cpds.append(
            TabularCPD(
                variable,
                len(states),
                np.ascontiguousarray(filled.reshape(-1, len(states)).T),
                evidence=list(parents) or None,
                evidence_card=[len(self._variables[parent]) for parent in parents] or None,
                state_names={name: self._variables[name] for name in (variable, *parents)},
            )
        )

    def _check_name(self, variable: str) -> None:
        same = next((name for name in self._variables if name.casefold() == variable.casefold()), None)
        if same is not None:
            raise FitError(
                f"{variable}: differs from {same} by case alone, which readers of network files ignore; "
                "rename the attribute or state"
            )
        if misread := _MISREAD.search(variable):
            raise FitError(
                f"{variable}: readers of network files parse {misread[0]!r} in a name as numbers; rename the "
                "attribute or state"
            )

    def _add_child(self, variable: str, states: list[str], parents: Sequence[str], table: Floats) -> None:
        """Add a child whose parents may be split into one variable per state, as refining nodes are."""
        hidden = next((axis for axis, name in enumerate(parents) if not self._add_view(name)), None)
        if hidden is None:
            self._add(variable, states, parents, table)
            return
        hierarchy = self.network.hierarchy
        node = next(n for n in self.network.nodes if n.child in hierarchy.chain(parents[hidden]))
        coarse = node.refines or ""
        runs = hierarchy.codes(node.child, coarse)
        codes = hierarchy.codes(node.child, parents[hidden])
        previous = ""
        for code, state in enumerate(self._states(coarse)):
            part = np.take(table, codes[runs == code], axis=hidden)
            through = [*parents[:hidden], f"{node.child}_in_{state}", *parents[hidden + 1 :]]
            self._add_child(f"{variable}_of_{coarse}_{state}", states, through, part)
            previous = self._choose(variable, states, coarse, code, previous)

    def _choose(self, variable: str, states: list[str], coarse: str, code: int, previous: str) -> str:
        """Add a variable that equals this state's variable where `coarse` has this state, else the one previous it."""
        names = self._states(coarse)
        here = f"{variable}_of_{coarse}_{names[code]}"
        if not previous:
            return here
        chosen = variable if code == len(names) - 1 else f"{variable}_up_to_{coarse}_{names[code]}"
        same = np.eye(len(states))
        table = np.repeat(same[:, None, None, :], len(names), axis=1).repeat(len(states), axis=2)
        table[:, code] = same[None, :, :]
        self._add(chosen, states, [previous, coarse, here], table)
        return chosen

    def add_core(self, position: int) -> None:
        """Add P(attribute | the core attributes previous it)."""
        names = self.network.core_attributes[: position + 1]
        self._add(names[-1], self._states(names[-1]), names[:-1], self.network.joint(names))

    def _add_view(self, attribute: str) -> bool:
        """Add a coarser view as a deterministic child of the next finer one; return False if there is none."""
        if attribute in self._variables:
            return True
        finer = self.network.hierarchy.finer.get(attribute)
        if finer is None or not self._add_view(finer):
            return False
        codes = self.network.hierarchy.codes(finer, attribute)
        table = np.eye(len(self._states(attribute)))[codes]
        self._add(attribute, self._states(attribute), [finer], table)
        return True

    def add_node(self, node: Node) -> None:
        """Add P(child | parents), including parent states that make the child certain."""
        people = np.ones([self.network.size(parent) for parent in node.parents])
        table = np.asarray(node.joint(node.parents, people, self.network.hierarchy), dtype=np.float64)
        self._add_child(node.child, self._states(node.child), node.parents, table)

    def add_refinement(self, node: Node) -> None:
        """Add one variable for each state of the refined parent."""
        parent = node.refines or ""
        self._add_view(parent)
        codes = self.network.hierarchy.codes(node.child, parent)
        states = np.array(self._states(node.child), dtype=object)
        for code, state in enumerate(self._states(parent)):
            inside = codes == code
            part = np.asarray(node.table[..., inside], dtype=np.float64)
            name = f"{node.child}_in_{state}"
            self._add_child(name, states[inside].tolist(), node.parents, part)
