"""Core factoring: a core too large for memory, split into a smaller core and conditionals.

The attributes of the core become the cliques of a thin junction tree (Bach and Jordan 2001, "Thin Junction Trees"): the
first clique is the new core; each remaining attribute becomes the child of as many attributes of one clique as its
table has room for. The choice is greedy by mutual information, as in Chow and Liu (1968) for trees. All parents of an
attribute lie in one clique, so that no larger table is needed to fit or query it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import prod

import numpy as np

from census_personas.census_priors.declaration import ConditionalDeclaration
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats
from census_personas.generator.model import fit_memory as footprint
from census_personas.generator.model.fitting import FitError, informs
from census_personas.generator.model.shrinkage import shrink

Ties = Mapping[frozenset[str], float]
FORBIDDEN = 1e6
"""Tie between attributes that share a structural zero: only a table over both can keep the zero."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Family:
    """An attribute and the parents that it keeps."""

    child: str
    parents: tuple[str, ...]


def within_memory(priors: Priors) -> Priors:
    """Return the locale as this machine can fit it: unchanged, or with a cascade for a core too large for memory.

    Raises:
        FitError: even the table of one attribute is too large.
    """
    cells = footprint.room_for_core(priors)
    core = priors.domain.project(priors.declaration.model.core)
    if cells is None or core.size <= cells:
        return priors
    return cascaded(priors, cells)


def cascaded(priors: Priors, cells: int) -> Priors:
    """Return the locale with its core factored into tables of at most `cells` cells.

    The independences that this adds are appended to those that the locale declares.

    Raises:
        FitError: an attribute has more states than `cells`.
    """
    model = priors.declaration.model
    sizes = {name: len(priors.domain[name]) for name in model.core}
    widest = max(sizes, key=lambda name: sizes[name])
    if sizes[widest] > cells:
        raise FitError(
            f"core: {widest} alone has {sizes[widest]:,} states, and memory has room for {max(cells, 0):,} cells; "
            f"declare a coarser view of it, or fit on a larger machine"
        )
    core, families = factored(sizes, ties(priors), cells)
    known = list(core)
    assumed = []
    for family in families:
        others = [name for name in known if name not in family.parents]
        given = f"given {', '.join(family.parents)}" if family.parents else "of everything"
        if others:
            assumed.append(f"{family.child} is independent of {', '.join(others)} {given}")
        known.append(family.child)
    log.warning(
        "core of %s cells does not fit in memory; fitted as a cascade: %s; then %s. This assumes that %s",
        f"{prod(sizes.values()):,}",
        ", ".join(core),
        "; ".join(f"{family.child} given {', '.join(family.parents) or 'nothing'}" for family in families),
        "; ".join(assumed),
    )
    nodes = [ConditionalDeclaration(child=family.child, parents=family.parents) for family in families]
    changed = model.model_copy(update={"core": core, "conditionals": (*nodes, *model.conditionals)})
    words = [f"Because memory is short, {text}." for text in assumed]
    declaration = priors.declaration.model_copy(
        update={"model": changed, "independences": (*priors.declaration.independences, *words)}
    )
    return replace(priors, declaration=declaration)


def ties(priors: Priors) -> Ties:
    """Compute the mutual information (nats) of every two core attributes in a declared table, noise shrunk away."""
    core, hierarchy = priors.declaration.model.core, priors.hierarchy
    result: dict[frozenset[str], float] = {}

    def fine(name: str) -> str | None:
        return next((attribute for attribute in core if hierarchy.refines(attribute, name)), None)

    for source, names in priors.tables:
        if not informs(names, core, hierarchy):
            continue
        table = priors.table(names)
        persons = 0.0 if table.samples is None else float(table.samples.sum())
        effect = priors.declaration.sources[source].design_effect
        for pair in combinations(names, 2):
            values = shrink(table.project(pair).probabilities(), persons, effect)
            key = frozenset(str(fine(name)) for name in pair)
            result[key] = max(result.get(key, 0.0), information(values))
    for zero in priors.declaration.model.zeros:
        inside = [fine(name) for name in zero]
        if None not in inside:
            result |= {frozenset(map(str, pair)): FORBIDDEN for pair in combinations(inside, 2)}
    return result


def information(table: Floats) -> float:
    """Compute the mutual information of the two axes of a table of probabilities, in nats."""
    free = np.outer(table.sum(axis=1), table.sum(axis=0))
    inside = table > 0
    return float((table[inside] * np.log(table[inside] / free[inside])).sum())


def factored(sizes: Mapping[str, int], tied: Ties, cells: int) -> tuple[tuple[str, ...], list[Family]]:
    """Choose a core and families of at most `cells` cells each that keep the strongest ties, greedily.

    Args:
        sizes: states by attribute, in the order in which the core declares them.
        tied: mutual information by pair; 0 for pairs that it lacks.
        cells: most cells of a table; no attribute has more states.
    """
    first = max(sizes, key=lambda name: sum(value for pair, value in tied.items() if name in pair))
    cliques = [_grown((first,), list(sizes), sizes, tied, cells)]
    core = tuple(name for name in sizes if name in cliques[0])
    families = []
    left = [name for name in sizes if name not in core]
    while left:
        options = [
            (_strength(child, parents, tied), child, parents)
            for child in left
            for parents in {_parents(child, clique, sizes, tied, cells) for clique in cliques}
        ]
        _, child, parents = max(options, key=lambda option: (option[0], -left.index(option[1])))
        families.append(Family(child, tuple(name for name in sizes if name in parents)))
        cliques.append((*parents, child))
        left.remove(child)
    return core, families


def _grown(
    clique: tuple[str, ...], others: Sequence[str], sizes: Mapping[str, int], tied: Ties, cells: int
) -> tuple[str, ...]:
    """Grow a clique by the attributes most tied to it, while they fit."""
    while True:
        room = cells // prod(sizes[name] for name in clique)
        fitting = [name for name in others if name not in clique and sizes[name] <= room]
        if not fitting:
            return clique
        clique = (*clique, max(fitting, key=lambda name: _strength(name, clique, tied)))


def _parents(
    child: str, clique: tuple[str, ...], sizes: Mapping[str, int], tied: Ties, cells: int
) -> tuple[str, ...]:
    """Choose the members of a clique most tied to a child, while their table fits; skip members without a tie."""
    room = cells // sizes[child]
    parents: list[str] = []
    for name in sorted(clique, key=lambda name: -_strength(name, (child,), tied)):
        if sizes[name] <= room and _strength(name, (child,), tied) > 0:
            parents.append(name)
            room //= sizes[name]
    return tuple(parents)


def _strength(name: str, others: Sequence[str], tied: Ties) -> float:
    return sum(tied.get(frozenset((name, other)), 0.0) for other in others)
