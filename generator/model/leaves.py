"""Leaves: conditional tables for names, postcodes and traits, kept outside the dense network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from census_personas.census_priors.cohorts import cohort_codes, generation_codes
from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.census_priors.marginal import TableError
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import AnyFloats, Floats, Integers, Integers32, Mask
from census_personas.foundation.traits import DEVIATION, HIGHEST, LOWEST, MEAN, TRAITS

Rows = Integers32
Starts = Integers
Weights = Mask | AnyFloats


@dataclass(frozen=True, slots=True)
class Leaf:
    """P(child | parents) by rows of a conditional table.

    Attributes:
        child: attribute of the leaf.
        parents: attributes of the model that select the row.
        rows: row of `table` for every combination of parent states, shape by parents; 0-d without parents.
        table: the distributions.
    """

    child: str
    parents: tuple[str, ...]
    rows: Rows
    table: ConditionalTable

    def entries(self, weights: Weights | None = None) -> tuple[Starts, Rows, Weights]:
        """Return the table's entries: where each row starts, states and probabilities.

        With weights of the states, probabilities are multiplied by them, and entries of weight 0 are left out.
        """
        table = self.table
        if weights is None:
            return table.indptr, table.indices, table.probabilities
        weight = weights.take(table.indices)
        kept = np.flatnonzero(weight)
        shares = table.probabilities.take(kept)
        if weights.dtype != np.bool_:
            shares = shares * weight.take(kept)
        starts = np.searchsorted(kept, table.indptr).astype(np.int64)
        return starts, table.indices.take(kept), shares

    def likelihood(self, weights: Weights) -> Floats:
        """Compute the mean weight of the child's state given the parents; for a mask, P(allowed | parents).

        The result is shaped by parents.
        """
        starts, _, shares = self.entries(weights)
        sums = np.zeros(len(starts) - 1)
        filled = np.flatnonzero(np.diff(starts))
        sums[filled] = np.add.reduceat(shares, starts[:-1][filled], dtype=np.float64)
        return np.asarray(sums[self.rows])


def leaves_of(priors: Priors) -> tuple[Leaf, ...]:
    """Build the leaves: traits, and names and postcodes if the locale declares look-ups for them."""
    leaves = [_trait(name) for name in TRAITS]
    if "places" in priors.declaration.lookups:
        leaves.append(_postcode(priors))
    if "names" in priors.declaration.lookups:
        leaves += _names(priors)
    return tuple(leaves)


def _trait(name: str) -> Leaf:
    scores = np.arange(LOWEST, HIGHEST + 1)
    scale = NormalDist(MEAN, DEVIATION)
    upper = np.array([*(scale.cdf(score + 0.5) for score in scores[:-1]), 1.0])
    table = ConditionalTable(
        name,
        Domain({}),
        scores.astype(object),
        np.array([0, len(scores)], dtype=np.int64),
        np.arange(len(scores), dtype=np.int32),
        np.diff(upper, prepend=0.0),
    )
    return Leaf(name, (), np.zeros((), dtype=np.int32), table)


def _postcode(priors: Priors) -> Leaf:
    table = priors.residence.table()
    return _leaf(table, priors.hierarchy, _finest(priors, table), {})


def _finest(priors: Priors, table: ConditionalTable) -> tuple[str, ...]:
    """Return the attributes of the model that decide the parents of a table."""
    hierarchy, model = priors.hierarchy, priors.declaration.model
    drawn = {*model.core, *(node.child for node in model.conditionals)}
    fine = {name: hierarchy.source(name, drawn) for name in table.parents}
    if absent := [name for name, source in fine.items() if source is None]:
        raise TableError(
            f"{priors.locale}: {table.child} depends on {absent[0]}, which is not part of the model; add it, or remove "
            "everything that depends on it from locale.yaml"
        )
    return tuple(dict.fromkeys(source for source in fine.values() if source is not None))


def _names(priors: Priors) -> list[Leaf]:
    names, roles = priors.names, priors.roles
    years = int(priors.declaration.vintage) - np.array(priors.domain[roles["age"]], dtype=np.int64)
    derived: dict[str, tuple[tuple[str, ...], Rows]] = {
        "birth_cohort": ((roles["age"],), cohort_codes(years)),
        "birth_generation": ((roles["age"],), generation_codes(years)),
        "nativity_group": ((roles["birth"], roles["region"]), _nativity_groups(priors, names.first.parents)),
    }
    parents = roles.named(("sex", "age", "origin", "birth", "region"))
    leaves = [_leaf(names.first, priors.hierarchy, parents, derived)]
    if "middle_name" in roles:
        leaves.append(_leaf(names.middle, priors.hierarchy, parents, derived))
    for role in ("family_name", "second_family_name"):
        if role in roles:
            table = replace(names.last, child=roles[role])
            leaves.append(_leaf(table, priors.hierarchy, roles.named(("origin",)), derived))
    return leaves


def _nativity_groups(priors: Priors, parents: Domain) -> Rows:
    """Return by birthplace and region whether the counts of births cover a person."""
    inside, outside = (parents.code("nativity_group", state) for state in parents["nativity_group"][:2])
    domain, roles, conventions = priors.domain, priors.roles, priors.conventions.names
    birth, region = roles["birth"], roles["region"]
    codes = np.full((len(domain[birth]), len(domain[region])), outside, dtype=np.int32)
    for state in conventions.born_here:
        codes[domain.code(birth, state)] = inside
    for territory in conventions.births_elsewhere:
        codes[:, domain.code(region, territory)] = outside
    return codes


def _leaf(
    table: ConditionalTable,
    hierarchy: Hierarchy,
    parents: tuple[str, ...],
    derived: Mapping[str, tuple[tuple[str, ...], Rows]],
) -> Leaf:
    """Match a table's own parents to attributes of the model, each a view of one or derived from some."""
    shape = hierarchy.domain.project(parents).shape
    grid = np.indices(shape, dtype=np.int32)
    axis = {name: number for number, name in enumerate(parents)}
    find: Callable[[str], str] = lambda name: next(p for p in parents if hierarchy.refines(p, name))  # noqa: E731
    codes = []
    for name in table.parents:
        if name in derived:
            sources, values = derived[name]
            codes.append(values[tuple(grid[axis[source]] for source in sources)])
        else:
            fine = find(name)
            order = [table.parents.code(name, state) for state in hierarchy.domain[name]]
            codes.append(np.array(order, dtype=np.int32)[hierarchy.codes(fine, name)][grid[axis[fine]]])
    rows = np.ravel_multi_index(codes, table.parents.shape).astype(np.int32)
    return Leaf(table.child, parents, rows, table)
