"""Known facts: the evidence of a frame's rows, as the states that each attribute may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import AnyIntegers, Indices, Integers, Mask
from census_personas.foundation.threads import computed_once
from census_personas.generator.sampling.leaf_columns import LeafColumns
from census_personas.generator.sampling.open_states import Known, LeafStates, OpenStates

NOTHING = -1
"""Content number of an empty cell."""


@dataclass(frozen=True)
class Fact:
    """A column of a frame as evidence.

    Attributes:
        column: its name.
        source: the network attribute or leaf that determines it.
        values: its own values.
        codes: the value of each state of the source; None if the values are the source's states.
    """

    column: str
    source: str
    values: Sequence[Any]
    codes: AnyIntegers | None

    @computed_once
    def positions(self) -> Mapping[str, int]:
        """Position of each value, by its text."""
        return {str(value): place for place, value in enumerate(self.values)}

    @computed_once
    def by_value(self) -> tuple[Indices, Indices]:
        """The states of the source sorted by value, and the start of each value's states."""
        codes = np.arange(len(self.values)) if self.codes is None else np.asarray(self.codes)
        order = np.argsort(codes, kind="stable")
        return order, np.searchsorted(codes[order], np.arange(len(self.values) + 1))

    def states(self, values: Sequence[int]) -> Integers:
        """States of the source that have some of the values, ascending."""
        order, starts = self.by_value
        if not values:
            return np.zeros(0, dtype=np.int64)
        return np.sort(np.concatenate([order[starts[v] : starts[v + 1]] for v in values])).astype(np.int64)


@dataclass(frozen=True)
class KnownFacts:
    """The evidence of a frame's rows.

    Attributes:
        facts: the columns that are evidence.
        cells: shape (rows, facts): number of each cell's distinct content; -1 for an empty cell.
        states: for every fact, the states of its source that each distinct content allows.
        texts: names that the tables lack: column -> row -> text; such a name is kept, but is not evidence.
    """

    facts: tuple[Fact, ...]
    cells: Integers
    states: tuple[tuple[Integers, ...], ...]
    texts: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def only(self, cells: Integers) -> KnownFacts:
        """Return the same facts with other cells."""
        return KnownFacts(self.facts, cells, self.states)


def known_of(facts: KnownFacts, priors: Priors, columns: Mapping[str, LeafColumns]) -> tuple[Known, Mask]:
    """Return the states that each row's facts allow, and which rows have an allowed state of every attribute.

    If a row allows no state of an attribute, all of its states are returned.
    """
    hierarchy = priors.hierarchy
    model = priors.declaration.model
    in_network = (*model.core, *(node.child for node in model.conditionals))
    names = dict.fromkeys(hierarchy.root(name) for name in in_network)
    possible = np.ones(len(facts.cells), dtype=bool)
    leaves: dict[str, LeafStates] = {}
    cut: dict[str, tuple[Integers, Mask]] = {}
    for name in dict.fromkeys(fact.source for fact in facts.facts if fact.source not in hierarchy.domain):
        leaf = columns[name]
        mine = [place for place, fact in enumerate(facts.facts) if fact.source == name]
        if not (facts.cells[:, mine] >= 0).any():
            continue
        leaves[name], empty = _leaf_states(facts, mine)
        possible &= ~empty
        if name == priors.roles.get("postcode"):
            ids, sets = leaves[name].ids, leaves[name].sets
            cut = {parent: (ids, leaf.support(sets, axis)) for axis, parent in enumerate(leaf.leaf.parents)}
    roots = {}
    for root in names:
        mine = [place for place, fact in enumerate(facts.facts) if fact.source == root]
        states, empty = _root_states(facts, mine, len(hierarchy.domain[root]))
        for parent, (ids, support) in cut.items():
            if hierarchy.refines(root, parent):
                states, none = _cut(states, ids, support[:, hierarchy.codes(root, parent)])
                empty |= none
        possible &= ~empty
        roots[root] = states
    return Known(hierarchy, roots, leaves), possible


def _combinations(facts: KnownFacts, mine: Sequence[int]) -> tuple[Integers, Integers]:
    """Return the distinct combinations of contents in some columns, and the combination of each row."""
    if not mine:
        return np.zeros((1, 0), dtype=np.int64), np.zeros(len(facts.cells), dtype=np.int64)
    kept, group = np.unique(facts.cells[:, list(mine)], axis=0, return_inverse=True)
    return kept, group.ravel().astype(np.int64)


def _root_states(facts: KnownFacts, mine: Sequence[int], size: int) -> tuple[OpenStates, Mask]:
    kept, ids = _combinations(facts, mine)
    sets = np.ones((len(kept), size), dtype=bool)
    for number, contents in enumerate(kept):
        for place, content in zip(mine, contents, strict=True):
            if content != NOTHING:
                own = np.zeros(size, dtype=bool)
                own[facts.states[place][content]] = True
                sets[number] &= own
    empty: Mask = ~np.asarray(sets.any(axis=1))
    sets[empty] = True
    return OpenStates.of(ids, sets), empty[ids]


def _leaf_states(facts: KnownFacts, mine: Sequence[int]) -> tuple[LeafStates, Mask]:
    kept, ids = _combinations(facts, mine)
    sets: list[Integers] = []
    numbers = np.full(len(kept), NOTHING, dtype=np.int64)
    empty = np.zeros(len(kept), dtype=bool)
    for number, contents in enumerate(kept):
        parts = [facts.states[p][c] for p, c in zip(mine, contents, strict=True) if c != NOTHING]
        if not parts:
            continue
        own = parts[0]
        for part in parts[1:]:
            own = np.intersect1d(own, part, assume_unique=True)
        empty[number] = not len(own)
        if len(own):
            numbers[number] = len(sets)
            sets.append(own)
    return LeafStates(numbers[ids], sets), empty[ids]


def _cut(states: OpenStates, ids: Integers, support: Mask) -> tuple[OpenStates, Mask]:
    """Return the open states without those that other facts exclude; and which rows have none left."""
    pairs, group = np.unique(np.stack([states.ids, ids], axis=1), axis=0, return_inverse=True)
    sets = states.sets[pairs[:, 0]].copy()
    is_known = pairs[:, 1] >= 0
    sets[is_known] &= support[pairs[is_known, 1]]
    empty: Mask = ~np.asarray(sets.any(axis=1))
    sets[empty] = True
    group = group.ravel().astype(np.int64)
    return OpenStates.of(group, sets), empty[group]
