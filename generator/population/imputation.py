"""Imputation: names, origin and traits of a row that says who somebody is, drawn by its uuid.

Rows without sex, age, occupation, postcode or another public attribute are completed by the whole model (`completion`),
by their place in the file. A row that has all of them, as every row of a released dataset does, is completed here
instead, so that it is the same person in any file, in any order, and in a file of any other rows, and stays the person
that earlier releases made of it. What it says is believed even where the model has nobody like it; the checks that
follow judge it.

Origin and birthplace follow from place, sex, age, schooling and the name in the row's texts, as in
Bayesian Improved First Name and Surname Geocoding (Voicu 2018, after Elliott et al. 2009):

    P(e | row) ~ P(region, sex, age, schooling, e) * P(postcode | region, e, schooling)
                 * P(family name | e) * P(given name | sex, year of birth, e)
    P(n | row) = P(n | region, age, e)

with the probabilities of the fitted population and its name tables. A given name is not used as evidence of
birthplace: names in other datasets do not follow birth years, so people with old-fashioned names would be drawn as
immigrants. The field of a degree follows from level, sex and occupation. Names that are not in the texts are drawn
given the result. All other attributes (household, income, industry ...) and roles that the locale does not fill stay
empty if the row does not state them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from census_personas.census_priors.roles import ROLES, Roles
from census_personas.foundation.arrays import AnyFloats, Floats
from census_personas.foundation.randomness import uniform_of
from census_personas.foundation.traits import LEVELS, TRAITS, level_of
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.population.cell_reading import CellReading
from census_personas.generator.population.population import Population
from census_personas.validators.text.record_view import RecordView

IMPUTED = (
    *(
        "given_name",
        "middle_name",
        "family_name",
        "second_family_name",
        "birth_year",
        "field",
        "origin",
        "birth",
    ),
    *("work", "occupation_code", "subregion", "metro", "urbanicity", "country"),
)
"""Roles and columns of the engine that every completed row has, as far as the locale fills them; traits are added."""

# Likelihood of an origin for a name that the tables have for nobody of that origin.
_UNSEEN = 1e-7


class Imputation:
    """Completes rows; each result is a function of the seed, the row's uuid and the row's values.

    A value that the population does not know is not used as evidence and stays unchanged; later checks report it.
    """

    def __init__(self, population: Population, seed: int) -> None:
        """Compute nothing yet."""
        self._population = population
        self._priors = population.priors
        self._seed = seed
        self._cells = CellReading(population.priors)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes of the population; a row's own values of these are kept."""
        return tuple(self._priors.domain)

    @property
    def roles(self) -> Roles:
        """The roles of the population's locale."""
        return self._priors.roles

    @cached_property
    def public(self) -> tuple[str, ...]:
        """The columns of people that every dataset of the locale has."""
        return ("uuid", *self._priors.context_columns.public)

    @cached_property
    def imputed(self) -> tuple[str, ...]:
        """The columns that every completed row has."""
        named = (self.roles.get(name) if name in ROLES else name for name in IMPUTED)
        traits = (part for trait in TRAITS for part in (trait, f"{trait}_label"))
        return (*(name for name in named if name is not None), *traits)

    def of(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record, which must have a uuid, with all columns of `imputed`; its own values are kept."""
        found = {
            name: said
            for name, value in record.items()
            if (said := self._cells.said(name, value)) is not None
        }
        found.setdefault("country", self._priors.country)
        age = self.roles.get("age")
        if age is not None and isinstance(found.get(age), int):
            found.setdefault("birth_year", int(self._priors.declaration.vintage) - found[age])
        self._name(found, record)
        self._place(found)
        self._work(found)
        self._field(found)
        self._origin(found)
        names = ("family_name", "second_family_name", "given_name", "middle_name")
        for name in self.roles.named(names, among=self._leaves):
            if name not in found:
                found[name] = self._drawn(self._leaves[name], found)
        for trait in TRAITS:
            if trait not in found:
                found[trait] = int(self._drawn(self._leaves[trait], found))
            found.setdefault(f"{trait}_label", LEVELS[level_of(found[trait])])
        return found

    def name_of(self, record: Mapping[str, Any]) -> dict[str, str]:
        """Return the name in a row's texts, by column; empty if its columns have one or its texts have none."""
        given, middle, family = map(self.roles.get, ("given_name", "middle_name", "family_name"))
        if given is None or family is None or (record.get(given) and record.get(family)):
            return {}
        name = RecordView(record, self.roles.columns, self._priors.conventions.names.recipe).name
        if name is None or not name.last:
            return {}
        return {given: name.first, family: name.last} | ({} if middle is None else {middle: ""})

    def _name(self, found: dict[str, Any], record: Mapping[str, Any]) -> None:
        """Add the name in the row's texts, if the row has no name columns."""
        given, family = map(self.roles.get, ("given_name", "family_name"))
        if given in found and family in found:
            return
        unsaid = {name: None for name in (given, family) if name is not None and name not in found}
        found |= self.name_of({**record, **unsaid})

    def _place(self, found: dict[str, Any]) -> None:
        roles, places = self.roles, self._priors.places
        if "places" not in self._priors.declaration.lookups:
            return
        column = roles["postcode"]
        postcode = str(found.get(column, "")).zfill(places.digits)
        if postcode in places:
            place = places.get(postcode)
            found[column] = postcode
            for role in ("region", "municipality", "subregion", "metro", "urbanicity"):
                if role in roles:
                    found.setdefault(roles[role], getattr(place, role))
        for name in roles.named(("subregion", "metro", "urbanicity")):
            found.setdefault(name, "")

    def _work(self, found: dict[str, Any]) -> None:
        occupation, work = self.roles.get("occupation"), self.roles.get("work")
        if occupation is None:
            return
        name = str(found.get(occupation, ""))
        if "occupations" in self._priors.declaration.lookups:
            known = name in self._priors.occupations
            found.setdefault("occupation_code", self._priors.occupations.get(name).code if known else "")
        if work is None or work in found:
            return
        code = self._code(occupation, found)
        employed = self._priors.conventions.work.employed
        if name and code is None and employed is not None:
            # Somebody with an occupation that the locale does not know is employed too.
            found[work] = employed
            return
        status = self._table(occupation, work)
        weights = status.sum(axis=0) if code is None else status[code]
        found[work] = self._priors.domain[work][self._choice(weights, found, work)]

    def _field(self, found: dict[str, Any]) -> None:
        field = self.roles.get("field")
        if field is not None and field not in found:
            given = self.roles.named(("schooling", "sex", "occupation"))
            code = self._choice(self._given(self._table(*given, field), found, given), found, field)
            found[field] = self._priors.domain[field][code]

    def _origin(self, found: dict[str, Any]) -> None:
        """Draw origin and birthplace together; nothing if the locale lacks one of them."""
        domain, roles = self._priors.domain, self.roles
        if roles.missing(("origin", "birth", "age")):
            return
        drawn = (roles["origin"], roles["birth"])
        by = roles.named(("region", "sex")), (self._band,), roles.named(("schooling",))
        who, where = (*by[0], *by[1], *by[2]), (*roles.named(("region",)), self._band)
        groups = self._given(self._table(*who, drawn[0]), found, who)
        births = self._given(self._table(*where, *drawn), found, where)
        births /= births.sum(axis=1, keepdims=True)
        weights = groups[:, None] * births
        for child in roles.named(("postcode", "family_name", "given_name"), among=self._leaves):
            if child in found:
                likelihood = self._likelihood(self._leaves[child], found, drawn, weights.shape)
                weights = weights * (likelihood * births).sum(axis=1, keepdims=True)
        for axis, name in enumerate(drawn):
            code = self._code(name, found)
            if code is not None:
                kept = np.zeros_like(weights)
                part = (code, slice(None)) if axis == 0 else (slice(None), code)
                kept[part] = weights[part] + np.finfo(float).tiny
                weights = kept
        chosen = np.unravel_index(self._choice(weights.ravel(), found, "origin"), weights.shape)
        for name, state in zip(drawn, chosen, strict=True):
            found.setdefault(name, domain[name][int(state)])

    def _likelihood(
        self, leaf: Leaf, found: Mapping[str, Any], drawn: tuple[str, str], shape: tuple[int, ...]
    ) -> Floats:
        """Return P(the row's value | origin, birthplace, other facts); all ones for a value that the table lacks."""
        position = self._positions(leaf).get(str(found[leaf.child]))
        if position is None:
            return np.ones(shape)
        cells = np.empty(shape, dtype=np.int64)
        for codes in np.ndindex(*shape):
            cells[codes] = self._cell(leaf, found, dict(zip(drawn, codes, strict=True)))
        values = {cell: _probability(leaf, cell, position) for cell in np.unique(cells)}
        return np.array([values[cell] for cell in cells.ravel()]).reshape(shape) + _UNSEEN

    def _drawn(self, leaf: Leaf, found: Mapping[str, Any]) -> Any:
        indices, probabilities = leaf.table.row(self._cell(leaf, found, {}))
        return leaf.table.states[indices[self._choice(probabilities, found, leaf.child)]]

    def _cell(self, leaf: Leaf, found: Mapping[str, Any], fixed: Mapping[str, int]) -> int:
        at = [fixed.get(name, self._code(name, found) or 0) for name in leaf.parents]
        return int(leaf.rows[tuple(at)])

    def _given(self, table: Floats, found: Mapping[str, Any], attributes: Sequence[str]) -> Floats:
        """Return the table at the row's values, summed over unknown ones."""
        for name in attributes:
            code = self._code(name, found)
            table = table.sum(axis=0) if code is None else table[code]
        return table + np.finfo(float).tiny

    def _code(self, name: str, found: Mapping[str, Any]) -> int | None:
        column, codes = self._codes[name]
        return codes.get(str(found.get(column)))

    def _choice(self, weights: AnyFloats, found: Mapping[str, Any], stream: str) -> int:
        sums = np.cumsum(weights, dtype=np.float64)
        number = uniform_of(self._seed, f"imputation/{stream}", found["uuid"])
        return int(np.searchsorted(sums, number * sums[-1], side="right"))

    def _positions(self, leaf: Leaf) -> Mapping[str, int]:
        if leaf.child not in self._by_state:
            self._by_state[leaf.child] = {str(state): i for i, state in enumerate(leaf.table.states)}
        return self._by_state[leaf.child]

    @cached_property
    def _by_state(self) -> dict[str, Mapping[str, int]]:
        return {}

    @cached_property
    def _leaves(self) -> Mapping[str, Leaf]:
        return {leaf.child: leaf for leaf in self._population.leaves}

    @cached_property
    def _band(self) -> str:
        """The age attribute of the model's core; the age itself if the core has no coarser one."""
        age, hierarchy = self.roles["age"], self._priors.hierarchy
        core = self._priors.declaration.model.core
        return next((name for name in core if hierarchy.refines(age, name)), age)

    @cached_property
    def _codes(self) -> Mapping[str, tuple[str, Mapping[str, int]]]:
        """Attribute -> the column that determines it, and its code for every value of that column."""
        domain, hierarchy, roles = self._priors.domain, self._priors.hierarchy, self.roles
        parents = {name for leaf in self._population.leaves for name in leaf.parents}
        told = roles.named(
            ("region", "sex", "age", "schooling", "occupation", "origin", "birth"), among=domain
        )
        codes = {
            name: (name, {str(state): i for i, state in enumerate(domain[name])})
            for name in {*parents, *told}
        }
        for age in roles.named(("age",), among=domain):
            bands = hierarchy.codes(age, self._band)
            codes[self._band] = (age, {str(years): int(bands[i]) for i, years in enumerate(domain[age])})
        for schooling in roles.named(("schooling",), among=domain):
            for name in parents.intersection(hierarchy.chain(schooling)) - {schooling}:
                # Any state of a level will do, as they differ only in the field, and places depend on the level.
                levels = [domain[schooling][code] for code in hierarchy.codes(name, schooling)]
                codes[name] = (schooling, {str(level): i for i, level in enumerate(levels)})
        return codes

    def _table(self, *attributes: str) -> Floats:
        if attributes not in self._tables:
            table = np.asarray(self._population.marginal(attributes).weights, dtype=np.float64)
            self._tables[attributes] = table
        return self._tables[attributes]

    @cached_property
    def _tables(self) -> dict[tuple[str, ...], Floats]:
        return {}


def _probability(leaf: Leaf, cell: int, position: int) -> float:
    indices, probabilities = leaf.table.row(cell)
    at = int(np.searchsorted(indices, position))
    return float(probabilities[at]) if at < len(indices) and indices[at] == position else 0.0
