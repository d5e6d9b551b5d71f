"""Marginals: joint tables over any attributes of a model, including names, postcodes and places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from census_personas.census_priors.domain import State
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Codes, Floats
from census_personas.generator.model.fitting import FitError
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.model.network import MOST_CELLS, Network
from census_personas.generator.model.pruning import reduced
from census_personas.generator.sampling import where_clause as evidence
from census_personas.generator.sampling.conditioning import Conditioned, Weights

DENSEST = 4
"""Possible keys per present key up to which a table of all keys is faster than sorting."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One attribute of a table, and the source of its states.

    Attributes:
        attribute: the attribute of the axis.
        source: attribute of the network, or leaf, that decides it.
        states: its own states.
        codes: its code for every state of the source; None if it has the source's states.
    """

    attribute: str
    source: str
    states: tuple[State, ...]
    codes: Codes | None = None


def axis_of(attribute: str, priors: Priors, leaves: Sequence[Leaf], place: str = "attributes") -> Axis:
    """Return the axis of any attribute that `where` accepts; messages name `place`.

    Raises:
        EvidenceError: unknown attribute.
    """
    source, values, codes = evidence.states_of(attribute, priors, leaves, place)
    if attribute in priors.domain:  # the network knows its own views
        return Axis(attribute, attribute, priors.domain[attribute])
    return Axis(
        attribute, source, tuple(values), None if codes is None else np.asarray(codes, dtype=np.int64)
    )


def joint(given: Conditioned, leaves: Sequence[Leaf], axes: Sequence[Axis]) -> Floats:
    """Compute P(axes) of a conditioned model, exactly.

    Given their parents, leaves are independent of each other and of the rest, so that each needs one multiplication
    by its rows.

    Raises:
        FitError: the table, or an intermediate one, would be too large.
    """
    beside = {leaf.child: leaf for leaf in leaves}
    sizes = [len(axis.states) for axis in axes]
    if np.prod(sizes, dtype=np.float64) > MOST_CELLS:
        raise FitError(
            f"a table of {' x '.join(map(str, sizes))} cells is too large; ask for fewer attributes"
        )
    own = list(dict.fromkeys(axis.source for axis in axes if axis.source not in beside))
    asked = [beside[name] for name in dict.fromkeys(axis.source for axis in axes if axis.source in beside)]
    codes_of = {
        axis.source: axis.codes
        for axis in axes
        if axis.codes is not None and sum(other.source == axis.source for other in axes) == 1
    }
    tied = [*own, *(parent for leaf in asked for parent in leaf.parents)]
    network, merged = reduced(given.network, tied, {k: v for k, v in codes_of.items() if tied.count(k) == 1})
    entries = _Entries.of_network(network, own, asked)
    for leaf in asked:
        entries = entries.with_leaf(leaf, given.allowed.get(leaf.child), _merged(leaf, axes))
    cells = np.zeros(len(entries.weights), dtype=np.int64)
    for axis, size in zip(axes, sizes, strict=True):
        codes = entries.codes[axis.source]
        if axis.source in beside:
            codes = _first_of(leaf_codes=_merged(beside[axis.source], axes), axis=axis)[codes]
        elif axis.codes is not None:
            codes = np.asarray(merged.get(axis.source, axis.codes), dtype=np.int64)[codes]
        cells = cells * size + codes
    table = np.bincount(cells, weights=entries.weights, minlength=int(np.prod(sizes, dtype=np.int64)))
    return np.asarray(table.reshape(sizes), dtype=np.float64)


def _merged(leaf: Leaf, axes: Sequence[Axis]) -> Codes:
    """Number the states of a leaf; states that no axis distinguishes share a number."""
    states = len(leaf.table.states)
    mine = [axis for axis in axes if axis.source == leaf.child]
    if any(axis.codes is None for axis in mine):
        return np.arange(states, dtype=np.int64)
    combined = np.zeros(states, dtype=np.int64)
    for axis in mine:
        if axis.codes is not None:
            combined = combined * len(axis.states) + axis.codes
    return np.unique(combined, return_inverse=True)[1].astype(np.int64)


def _first_of(leaf_codes: Codes, axis: Axis) -> Codes:
    """Return the axis code of each number from `_merged`."""
    _, first = np.unique(leaf_codes, return_index=True)
    return first.astype(np.int64) if axis.codes is None else axis.codes[first]


@dataclass(frozen=True, slots=True)
class _Entries:
    """A sparse table: the code of each attribute and the probability, entry by entry.

    `rows` holds, for each leaf not yet multiplied in, the row of its table.
    """

    codes: Mapping[str, Codes]
    rows: Mapping[str, Codes]
    weights: Floats

    @classmethod
    def of_network(cls, network: Network, own: Sequence[str], leaves: Sequence[Leaf]) -> _Entries:
        """Compute P(own attributes, rows of the leaves)."""
        hierarchy = network.hierarchy
        wanted = [*own, *(parent for leaf in leaves for parent in leaf.parents)]
        if not wanted:
            rows = {leaf.child: np.zeros(1, dtype=np.int64) for leaf in leaves}
            return cls({}, rows, np.ones(1))
        scope = hierarchy.finest(wanted)
        table = network.joint(scope)
        cells = np.flatnonzero(table > 0)
        fine = dict(zip(scope, np.unravel_index(cells, table.shape), strict=True))

        def seen(name: str) -> Codes:
            source = next(s for s in scope if hierarchy.refines(s, name))
            return hierarchy.codes(source, name).astype(np.int64)[fine[source]]

        codes = {name: seen(name) for name in own}
        rows = {
            leaf.child: leaf.rows[tuple(seen(parent) for parent in leaf.parents)].astype(np.int64)
            if leaf.parents
            else np.zeros(len(cells), dtype=np.int64)
            for leaf in leaves
        }
        return cls(codes, rows, table.ravel()[cells]).summed()

    def summed(self) -> _Entries:
        """Merge entries with the same codes and rows."""
        columns = [*self.codes.values(), *self.rows.values()]
        sizes = [int(column.max(initial=0)) + 1 for column in columns]
        if np.prod(sizes, dtype=np.float64) > 2**62:
            raise FitError("the attributes have too many combinations; ask for fewer together")
        keys = np.ravel_multi_index(columns, sizes)
        kept, group = _distinct(keys, prod(sizes))
        parts = [np.asarray(part, dtype=np.int64) for part in np.unravel_index(kept, sizes)]
        weights = np.asarray(np.bincount(group, weights=self.weights), dtype=np.float64)
        count = len(self.codes)
        return _Entries(
            dict(zip(self.codes, parts[:count], strict=True)),
            dict(zip(self.rows, parts[count:], strict=True)),
            weights,
        )

    def with_leaf(self, leaf: Leaf, allowed: Weights | None, merged: Codes) -> _Entries:
        """Multiply by the leaf's rows, with states merged by number and weighted by evidence, if any."""
        firsts, states, shares = _rows_of(leaf, allowed, merged)
        row = self.rows[leaf.child]
        lengths = firsts[row + 1] - firsts[row]
        total = int(lengths.sum())
        if total > MOST_CELLS:
            raise FitError(
                f"{leaf.child} with the other attributes needs {total:,} entries; ask for fewer or coarser ones"
            )
        repeated = np.repeat(np.arange(len(row)), lengths)
        entry = np.arange(total) + np.repeat(firsts[row] - (np.cumsum(lengths) - lengths), lengths)
        codes = {name: column[repeated] for name, column in self.codes.items()}
        rows = {name: column[repeated] for name, column in self.rows.items() if name != leaf.child}
        return _Entries(
            {**codes, leaf.child: states[entry]}, rows, self.weights[repeated] * shares[entry]
        ).summed()


def _distinct(keys: Codes, below: int) -> tuple[Codes, Codes]:
    """Return the distinct keys, ascending, and the position of each key: `np.unique` without sorting."""
    if below > DENSEST * max(len(keys), 1):
        kept, group = np.unique(keys, return_inverse=True)
        return kept, group.astype(np.int64)
    there = np.zeros(below, dtype=bool)
    there[keys] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[keys]


def _rows_of(leaf: Leaf, allowed: Weights | None, merged: Codes) -> tuple[Codes, Codes, Floats]:
    """Return the rows of a leaf's table over merged states: first entries, states, probabilities."""
    table = leaf.table
    count = len(table.indptr) - 1
    weights = np.asarray(table.probabilities, dtype=np.float64)
    row = np.repeat(np.arange(count), np.diff(table.indptr))
    if allowed is not None:
        weights = weights * allowed[table.indices]
        totals = np.bincount(row, weights=weights, minlength=count)[row]
        weights = np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
    size = int(merged.max()) + 1
    keys, group = _distinct(row * size + merged[table.indices], count * size)
    shares = np.asarray(np.bincount(group, weights=weights), dtype=np.float64)
    firsts = np.searchsorted(keys // size, np.arange(count + 1))
    return firsts.astype(np.int64), keys % size, shares
