"""Open states: the states that each of many people may have, by attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import Indices, Integers, Mask


@dataclass(frozen=True, slots=True)
class OpenStates:
    """Sets of states of one attribute, and the set of each person.

    Attributes:
        ids: set of each person.
        sets: shape (sets, states): whether a set contains a state.
        widths: number of states of each set.
        states: shape (sets, largest width): the states of each set in ascending order, then those outside it.
        places: shape (sets, states): position of each state in its set; meaningless for states outside it.
    """

    ids: Integers
    sets: Mask
    widths: Integers
    states: Integers
    places: Integers

    @classmethod
    def of(cls, ids: Integers, sets: Mask) -> OpenStates:
        """Build from sets that may repeat; each distinct set is kept once."""
        packed = np.packbits(sets, axis=1)
        _, first, group = np.unique(packed, axis=0, return_index=True, return_inverse=True)
        kept = sets[first]
        widths = kept.sum(axis=1, dtype=np.int64)
        states = np.argsort(~kept, axis=1, kind="stable")[:, : max(int(widths.max(initial=0)), 1)]
        places = np.maximum(np.cumsum(kept, axis=1, dtype=np.int64) - 1, 0)
        return cls(group.ravel().astype(np.int64)[ids], kept, widths, states.astype(np.int64), places)

    def of_people(self, people: Indices) -> OpenStates:
        """Select some of the people."""
        return OpenStates(self.ids[people], self.sets, self.widths, self.states, self.places)


@dataclass(frozen=True)
class LeafStates:
    """Open states of a leaf, which has too many states for masks.

    Attributes:
        ids: set of each person; -1 where nothing is known.
        sets: the states of each set, ascending.
    """

    ids: Integers
    sets: Sequence[Integers]


@dataclass(frozen=True)
class Known:
    """The evidence on many people: the open states of every attribute.

    Attributes:
        hierarchy: of the network's attributes.
        roots: finest attribute -> its open states.
        leaves: leaf -> its open states, for leaves with evidence.
    """

    hierarchy: Hierarchy
    roots: Mapping[str, OpenStates]
    leaves: Mapping[str, LeafStates]
    _views: dict[str, OpenStates] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of people."""
        return len(next(iter(self.roots.values())).ids)

    def of(self, attribute: str) -> OpenStates:
        """Return the open states of a network attribute; those of a view follow from the finest attribute."""
        if attribute not in self._views:
            root = self.hierarchy.root(attribute)
            states = self.roots[root]
            if root != attribute:
                codes = self.hierarchy.codes(root, attribute)
                seen = np.zeros((len(states.sets), len(self.hierarchy.domain[attribute])), dtype=bool)
                where, fine = np.nonzero(states.sets)
                seen[where, codes[fine]] = True
                states = OpenStates.of(states.ids, seen)
            self._views[attribute] = states
        return self._views[attribute]

    def ids(self, name: str) -> Integers:
        """Return the set of each person for an attribute or a leaf."""
        return self.leaves[name].ids if name in self.leaves else self.of(name).ids

    def of_people(self, people: Indices) -> Known:
        """Select some of the people."""
        roots = {name: states.of_people(people) for name, states in self.roots.items()}
        leaves = {name: LeafStates(states.ids[people], states.sets) for name, states in self.leaves.items()}
        return Known(self.hierarchy, roots, leaves)
