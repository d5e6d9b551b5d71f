"""Bayesian network: the fitted model as a genuine pgmpy `DiscreteBayesianNetwork`. The only pgmpy importer.

The core joint becomes its chain of conditionals, a coarser view a deterministic child of the finer attribute.
A node that refines a parent (single years in an age band, occupations in a group) becomes one variable for
each state of the parent: the value that a person of that state has. Together with the parent it says the same
as the node, at the node's size; pgmpy's dense tables would need the parent's size times as much. A child of
such a node is in turn one variable for each state, between which the state of the refined parent then chooses.

Files of a network (BIF) separate names by spaces, commas and brackets, and quote nothing. Names of states hold letters
of ASCII, digits and `_.-~+` here; any other character is percent-encoded as in URLs, so that whatever writes the
model can be read again, and `urllib.parse.unquote` gives the state back.
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

    Rows of parents that cannot occur, which a table must fill with something, have the child's distribution
    over all rows.
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
    """Name of a state, or part of a variable's name, in the export; `urllib.parse.unquote` decodes it.

    Raises:
        FitError: the state is an empty text, which no file can hold.
    """
    name = quote(str(state), safe="+")
    if not name:
        raise FitError(
            "a state is an empty text, which a network file cannot hold; give it a name, such as none"
        )
    return name


def refined_name(child: str, state: object) -> str:
    """Name of the variable that gives the child within one state of the parent it refines."""
    return f"{child}_in_{encoded(state)}"


_MISREAD = re.compile(r"(?:table|default)[0-9eE.+-]")
"""What pgmpy's reader of BIF takes for a row of numbers, within a name."""


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
                f"{variable}: differs from {same} by capitals alone, which readers of network files do not tell apart; "
                "rename the attribute or state"
            )
        if misread := _MISREAD.search(variable):
            raise FitError(
                f"{variable}: readers of network files take {misread[0]!r} within a name for numbers; rename the "
                "attribute or state"
            )

    def _add_given(self, variable: str, states: list[str], parents: Sequence[str], table: Floats) -> None:
        """`_add` where parents may also be attributes that no variable gives by itself."""
        hidden = next((axis for axis, name in enumerate(parents) if not self._add_view(name)), None)
        if hidden is None:
            self._add(variable, states, parents, table)
            return
        hierarchy = self.network.hierarchy
        node = next(n for n in self.network.nodes if n.child in hierarchy.chain(parents[hidden]))
        coarse = node.refines or ""
        runs = hierarchy.codes(node.child, coarse)
        codes = hierarchy.codes(node.child, parents[hidden])
        before = ""
        for code, state in enumerate(self._states(coarse)):
            part = np.take(table, codes[runs == code], axis=hidden)
            through = [*parents[:hidden], f"{node.child}_in_{state}", *parents[hidden + 1 :]]
            self._add_given(f"{variable}_of_{coarse}_{state}", states, through, part)
            before = self._choose(variable, states, coarse, code, before)

    def _choose(self, variable: str, states: list[str], coarse: str, code: int, before: str) -> str:
        """A variable that is the one of this state of `coarse` in this state, else the one before it."""
        names = self._states(coarse)
        here = f"{variable}_of_{coarse}_{names[code]}"
        if not before:
            return here
        chosen = variable if code == len(names) - 1 else f"{variable}_up_to_{coarse}_{names[code]}"
        same = np.eye(len(states))
        table = np.repeat(same[:, None, None, :], len(names), axis=1).repeat(len(states), axis=2)
        table[:, code] = same[None, :, :]
        self._add(chosen, states, [before, coarse, here], table)
        return chosen

    def add_core(self, position: int) -> None:
        """P(attribute | the core attributes before it)."""
        names = self.network.core_attributes[: position + 1]
        self._add(names[-1], self._states(names[-1]), names[:-1], self.network.joint(names))

    def _add_view(self, attribute: str) -> bool:
        """Give a coarser view a variable, a deterministic child of the next finer one; False if none can be had."""
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
        """P(child | parents), states that make the child certain included."""
        people = np.ones([self.network.size(parent) for parent in node.parents])
        table = np.asarray(node.joint(node.parents, people, self.network.hierarchy), dtype=np.float64)
        self._add_given(node.child, self._states(node.child), node.parents, table)

    def add_refinement(self, node: Node) -> None:
        """One variable for each state of the refined parent."""
        parent = node.refines or ""
        self._add_view(parent)
        codes = self.network.hierarchy.codes(node.child, parent)
        states = np.array(self._states(node.child), dtype=object)
        for code, state in enumerate(self._states(parent)):
            inside = codes == code
            part = np.asarray(node.table[..., inside], dtype=np.float64)
            name = f"{node.child}_in_{state}"
            self._add_given(name, states[inside].tolist(), node.parents, part)
