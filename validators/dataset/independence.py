"""Independence: pairs of attributes that the model assumes to be conditionally independent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from census_personas.census_priors.roles import ROLES
from census_personas.validators.dataset.coded_columns import Coded

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

FINEST = 30  # most states of the second attribute of a pair; finer attributes are tested by a coarser view
PLACE = ("subregion", "postcode", "municipality")
"""Roles of the place of residence within a region; the first that a dataset has is tested."""
PLACE_GIVEN = ("region", "origin")  # roles that the place may depend on, beside a view of schooling
TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
TRAIT_COLUMNS = tuple(f"{trait}_label" for trait in TRAITS)
# What names may depend on; the birth cohort follows from the age, and the place of birth from two facts.
_GIVEN_NAMES = ("sex", "age", "origin", "nativity_group")
NAMES_GIVEN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"family_name": ("origin",), "given_name": _GIVEN_NAMES, "middle_name": _GIVEN_NAMES}
)

Independence = tuple[str, str, tuple[str, ...]]


def independences(priors: Priors, coded: Coded) -> Iterator[Independence]:
    """Yield (one, other, given) for each independence that the columns can test: one ⫫ other | given."""
    yield from _of_graph(priors, coded)
    yield from _of_place(coded)
    yield from _of_names(coded)
    yield from _of_traits(coded)


def _of_graph(priors: Priors, coded: Coded) -> Iterator[Independence]:
    hierarchy, model = priors.hierarchy, priors.declaration.model
    before = list(dict.fromkeys(map(hierarchy.root, model.core)))
    for node in model.conditionals:
        child = hierarchy.root(node.child)
        finer = {hierarchy.root(name): hierarchy.finer.get(name) for name in node.parents}
        if coded.has(node.child):
            for root in before:
                level = finer[root] if root in finer else _level(priors, coded, root)
                if root != child and level is not None and coded.has(level):
                    yield node.child, level, node.parents
        before += [child] if child not in before else []


def _level(priors: Priors, coded: Coded, root: str) -> str | None:
    """Return the finest view of at most `FINEST` states that the columns determine; else the coarsest one."""
    shown = sorted(coded.views(root), key=lambda name: -len(priors.domain[name]))
    return next((name for name in shown if len(priors.domain[name]) <= FINEST), shown[-1] if shown else None)


def _of_place(coded: Coded) -> Iterator[Independence]:
    priors, roles = coded.priors, coded.priors.roles
    place = next((name for name in roles.named(PLACE) if coded.has(name)), None)
    schooling = priors.conventions.places.schooling
    given = (*roles.named(PLACE_GIVEN), *([] if schooling is None else [schooling]))
    if place is not None and "region" in roles and coded.has(roles["region"]):
        for root in coded.roots:
            level = _level(priors, coded, root)
            if level is not None and root not in {priors.hierarchy.root(name) for name in given}:
                yield place, level, given


def _of_names(coded: Coded) -> Iterator[Independence]:
    roles = coded.priors.roles
    given_of = {
        roles[role]: tuple((roles.get(name) or name) if name in ROLES else name for name in given)
        for role, given in NAMES_GIVEN.items()
        if role in roles
    }
    shown = [name for name in given_of if coded.has(name)]
    for position, name in enumerate(shown):
        given = given_of[name]
        for other in shown[:position]:
            yield name, other, given
        for root in coded.roots:
            level = _level(coded.priors, coded, root)
            if level is not None and root not in given:
                yield name, level, given


def _of_traits(coded: Coded) -> Iterator[Independence]:
    shown = [name for name in TRAIT_COLUMNS if coded.has(name)]
    for position, trait in enumerate(shown):
        for other in shown[:position]:
            yield trait, other, ()
        for root in coded.roots:
            if (level := _level(coded.priors, coded, root)) is not None:
                yield trait, level, ()
