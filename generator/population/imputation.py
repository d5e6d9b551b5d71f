"""Imputation: facts that a row from elsewhere lacks, drawn given those that it has.

Ethnicity and nativity follow from place, sex, age, education and the name that the row's texts give, as in
Bayesian Improved First Name and Surname Geocoding (Voicu 2018, after Elliott et al. 2009):

    P(e | row) ~ P(state, sex, age, education, e) * P(ZIP | state, e, education)
                 * P(last name | e) * P(first name | sex, year of birth, e)
    P(n | row) = P(n | state, age, e)

with the probabilities of the fitted population and its name tables. A first name is no evidence of nativity: the
names of other datasets do not follow the years of birth, and would make immigrants of people out of fashion. The
field of a degree follows from level, sex and occupation. Names that are not in the texts are drawn given the
result. Everything else that the population knows of a person (household, income, industry ...) is left unsaid
where the row does not say it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from census_personas.foundation.arrays import AnyFloats, Floats
from census_personas.foundation.randomness import uniform_of
from census_personas.foundation.schema import LISTS
from census_personas.foundation.traits import LEVELS, TRAITS, level_of
from census_personas.generator.model.sparse_conditionals import Leaf
from census_personas.generator.population.population import Population
from census_personas.validators.text.record_view import RecordView

IMPUTED = (
    "first_name",
    "middle_name",
    "last_name",
    "birth_year",
    "bachelors_field",
    "ethnicity",
    "nativity",
    "labor_force_status",
    "occupation_code",
    "county",
    "metro_area",
    "urbanicity",
    "country",
    *(part for trait in TRAITS for part in (trait, f"{trait}_label")),
)
"""The columns that every completed row has."""

_MAY_BE_EMPTY = frozenset({"middle_name", "metro_area", "occupation_code"})
_WHOLE = frozenset({"row", "age", "birth_year", *TRAITS})
_ZIP_DIGITS = 5
_LONGEST = 18  # digits, which 64 bits hold
# What a name that the tables give to no one of an ethnicity still leaves of its probability.
_UNSEEN = 1e-7


class Imputation:
    """Completes rows; each is a function of the seed, the row's uuid and what the row says.

    A value that the population does not know is no evidence, and stays as it is: the checks that follow will
    say what is wrong with it.
    """

    def __init__(self, population: Population, seed: int) -> None:
        """Nothing is computed yet."""
        self._population = population
        self._priors = population.priors
        self._seed = seed

    @property
    def attributes(self) -> tuple[str, ...]:
        """What the population knows of a person; a row that says it is believed."""
        return tuple(self._priors.domain)

    def of(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record, which has a uuid, with all of `IMPUTED`; what it says itself stands."""
        found = {name: said for name, value in record.items() if (said := _said(name, value)) is not None}
        found.setdefault("country", self._priors.country)
        if isinstance(found.get("age"), int):
            found.setdefault("birth_year", int(self._priors.declaration.vintage) - found["age"])
        if "first_name" not in found or "last_name" not in found:
            name = RecordView.of(record).name
            if name is not None and name.last:
                found |= {"first_name": name.first, "last_name": name.last, "middle_name": ""}
        self._place(found)
        self._work(found)
        self._field(found)
        self._origin(found)
        for leaf in ("last_name", "first_name", "middle_name"):
            if leaf not in found:
                found[leaf] = self._drawn(self._leaves[leaf], found)
        for trait in TRAITS:
            if trait not in found:
                found[trait] = int(self._drawn(self._leaves[trait], found))
            found.setdefault(f"{trait}_label", LEVELS[level_of(found[trait])])
        return found

    def _place(self, found: dict[str, Any]) -> None:
        zipcode = str(found.get("zipcode", "")).zfill(5)
        if zipcode in self._priors.places:
            place = self._priors.places.get(zipcode)
            found["zipcode"] = zipcode
            for name in ("state", "city", "county", "metro_area", "urbanicity"):
                found.setdefault(name, getattr(place, name))
        for name in ("county", "metro_area", "urbanicity"):
            found.setdefault(name, "")

    def _work(self, found: dict[str, Any]) -> None:
        name = str(found.get("occupation", ""))
        known = name in self._priors.occupations
        found.setdefault("occupation_code", self._priors.occupations.get(name).code if known else "")
        code = self._code("occupation", found)
        if "labor_force_status" in found:
            return
        states = self._priors.domain["labor_force_status"]
        if name and code is None:
            # An occupation that the locale does not know is an occupation all the same.
            found["labor_force_status"] = "employed"
            return
        weights = self._status.sum(axis=0) if code is None else self._status[code]
        found["labor_force_status"] = states[self._choice(weights, found, "labor_force_status")]

    def _field(self, found: dict[str, Any]) -> None:
        if "bachelors_field" not in found:
            weights = self._given(self._fields, found, ("education_level", "sex", "occupation"))
            code = self._choice(weights, found, "bachelors_field")
            found["bachelors_field"] = self._priors.domain["bachelors_field"][code]

    def _origin(self, found: dict[str, Any]) -> None:
        """Ethnicity and nativity, together."""
        domain = self._priors.domain
        groups = self._given(self._groups, found, ("state", "sex", "age_band", "education_level"))
        births = self._given(self._births, found, ("state", "age_band"))
        births /= births.sum(axis=1, keepdims=True)
        weights = groups[:, None] * births
        for child in ("zipcode", "last_name", "first_name"):
            if child in found:
                likelihood = self._likelihood(self._leaves[child], found, weights.shape)
                weights = weights * (likelihood * births).sum(axis=1, keepdims=True)
        for axis, name in enumerate(("ethnicity", "nativity")):
            code = self._code(name, found)
            if code is not None:
                kept = np.zeros_like(weights)
                part = (code, slice(None)) if axis == 0 else (slice(None), code)
                kept[part] = weights[part] + np.finfo(float).tiny
                weights = kept
        chosen = np.unravel_index(self._choice(weights.ravel(), found, "origin"), weights.shape)
        for name, drawn in zip(("ethnicity", "nativity"), chosen, strict=True):
            found.setdefault(name, domain[name][int(drawn)])

    def _likelihood(self, leaf: Leaf, found: Mapping[str, Any], shape: tuple[int, ...]) -> Floats:
        """P(the row's value | ethnicity, nativity, the rest); 1 throughout for a value that nobody has."""
        position = self._positions(leaf).get(str(found[leaf.child]))
        if position is None:
            return np.ones(shape)
        cells = np.empty(shape, dtype=np.int64)
        for ethnicity, nativity in np.ndindex(*shape):
            cells[ethnicity, nativity] = self._cell(
                leaf, found, {"ethnicity": ethnicity, "nativity": nativity}
            )
        values = {cell: _probability(leaf, cell, position) for cell in np.unique(cells)}
        return np.array([values[cell] for cell in cells.ravel()]).reshape(shape) + _UNSEEN

    def _drawn(self, leaf: Leaf, found: Mapping[str, Any]) -> Any:
        indices, probabilities = leaf.table.row(self._cell(leaf, found, {}))
        return leaf.table.states[indices[self._choice(probabilities, found, leaf.child)]]

    def _cell(self, leaf: Leaf, found: Mapping[str, Any], fixed: Mapping[str, int]) -> int:
        at = [fixed.get(name, self._code(name, found) or 0) for name in leaf.parents]
        return int(leaf.rows[tuple(at)])

    def _given(self, table: Floats, found: Mapping[str, Any], attributes: Sequence[str]) -> Floats:
        """The table at the row's values; summed over those that are unknown."""
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
    def _codes(self) -> Mapping[str, tuple[str, Mapping[str, int]]]:
        """Attribute -> the column that tells it, and its code for every value of that column."""
        domain, hierarchy = self._priors.domain, self._priors.hierarchy
        plain = {name for leaf in self._population.leaves for name in leaf.parents}
        plain |= {"state", "sex", "education_level", "occupation", "ethnicity", "nativity"}
        codes = {name: (name, {str(state): i for i, state in enumerate(domain[name])}) for name in plain}
        bands = hierarchy.codes("age", "age_band")
        codes["age_band"] = ("age", {str(age): int(bands[i]) for i, age in enumerate(domain["age"])})
        # Of the states of a level, which differ in the field, any will do: places go by the level alone.
        levels = [domain["education_level"][code] for code in hierarchy.codes("education", "education_level")]
        codes["education"] = ("education_level", {str(level): i for i, level in enumerate(levels)})
        return codes

    @cached_property
    def _groups(self) -> Floats:
        return self._table("state", "sex", "age_band", "education_level", "ethnicity")

    @cached_property
    def _births(self) -> Floats:
        return self._table("state", "age_band", "ethnicity", "nativity")

    @cached_property
    def _fields(self) -> Floats:
        return self._table("education_level", "sex", "occupation", "bachelors_field")

    @cached_property
    def _status(self) -> Floats:
        return self._table("occupation", "labor_force_status")

    def _table(self, *attributes: str) -> Floats:
        return np.asarray(self._population.marginal(attributes).weights, dtype=np.float64)


def _said(name: str, value: Any) -> Any:
    """What a cell says; None where it says nothing, or no whole number where one can be drawn instead."""
    if value is None or value != value or (value == "" and name not in _MAY_BE_EMPTY):  # noqa: PLR0124  NaN
        return None
    if name == "zipcode":
        return _zipcode(value)
    if name in _WHOLE:
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
        if text.isascii() and text.isdecimal() and len(text) <= _LONGEST:
            return int(text)
        return value if name == "age" else None
    return str(value) if isinstance(value, list | dict) and name not in LISTS else value


def _zipcode(value: Any) -> str:
    """A ZIP code as text, also where a table of numbers has made 8055 or 8055.0 of it."""
    text = str(value).strip().removesuffix(".0")
    return text.zfill(_ZIP_DIGITS) if text.isascii() and text.isdecimal() else str(value)


def _probability(leaf: Leaf, cell: int, position: int) -> float:
    indices, probabilities = leaf.table.row(cell)
    at = int(np.searchsorted(indices, position))
    return float(probabilities[at]) if at < len(indices) and indices[at] == position else 0.0
