"""Decoder: turns drawn codes into a table of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from census_personas.census_priors.domain import State
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.roles import ROLES
from census_personas.foundation.arrays import AnyCodes, AnyIntegers, Integers, Objects
from census_personas.foundation.randomness import words
from census_personas.foundation.threads import computed_once
from census_personas.foundation.traits import LEVELS, TRAITS, level_of
from census_personas.generator.model.leaves import Leaf

FIRST = (
    *(
        "row",
        "uuid",
        "given_name",
        "middle_name",
        "family_name",
        "second_family_name",
        "sex",
        "age",
        "birth_year",
    ),
    *("origin", "birth", "marital", "schooling", "field", "work", "occupation", "occupation_code"),
    *("region", "municipality", "postcode", "subregion", "metro", "urbanicity", "country"),
)
"""Engine columns and roles, in the order of a row's columns; others follow."""
PLACE = ("municipality", "subregion", "metro", "urbanicity")
"""Roles whose values follow from the postcode."""


@dataclass(frozen=True)
class FrameDecoder:
    """The columns of a population's rows; categories are computed once.

    Attributes:
        priors: for states and look-ups.
        leaves: for the states of leaves.
    """

    priors: Priors
    leaves: Sequence[Leaf]

    def frame(self, codes: Mapping[str, AnyCodes], seed: int, start: int, identity: str) -> pd.DataFrame:
        """Build one row per person, with derived attributes.

        Args:
            codes: codes of every core attribute, child and leaf, same length.
            seed: decides the UUIDs, with `identity`.
            start: number of the first row.
            identity: digest of the model and its conditions.
        """
        count = len(next(iter(codes.values())))
        rows = np.arange(start, start + count, dtype=np.int64)
        return self.people(codes, rows, uuids(seed, start, count, identity))

    def people(self, codes: Mapping[str, AnyCodes], rows: Integers, names: Objects) -> pd.DataFrame:
        """Build the same table for people with given row numbers and UUIDs."""
        count = len(rows)
        columns: dict[str, object] = {
            "row": rows,
            "uuid": names,
            "country": Values.of_states([self.priors.country]).of(np.zeros(count, dtype=np.int32)),
        }
        for name, (source, values) in self.columns.items():
            if source in codes:
                columns[name] = values.of(codes[source])
        roles = self.priors.roles
        named = (roles.get(name) if name in ROLES else name for name in FIRST)
        order = [name for name in named if name in columns]
        traits = [part for name in TRAITS for part in (name, f"{name}_label")]
        rest = [name for name in columns if name not in order and name not in traits]
        return pd.DataFrame({name: columns[name] for name in (*order, *rest, *traits) if name in columns})

    @computed_once
    def columns(self) -> dict[str, tuple[str, Values]]:
        """Columns, each with the drawn attribute that decides it and the value of each of its states."""
        priors, hierarchy, roles = self.priors, self.priors.hierarchy, self.priors.roles
        model = priors.declaration.model
        helpers = {name for name, item in priors.declaration.attributes.items() if item.of}
        helpers = helpers.difference(roles.values()).union(priors.conventions.hidden)
        drawn = [*model.core, *(node.child for node in model.conditionals)]
        found = {name: (name, Values.of_states(priors.domain[name])) for name in drawn if name not in helpers}
        for view in roles.named(("schooling", "field", "region", "origin"), among=hierarchy.finer):
            fine = hierarchy.source(view, drawn)
            if fine is not None and view not in found:
                states = [priors.domain[view][code] for code in hierarchy.codes(fine, view)]
                found[view] = (fine, Values.of_states(states))
        age, occupation = roles.get("age"), roles.get("occupation")
        if age is not None and age in drawn:
            vintage = int(priors.declaration.vintage)
            found["birth_year"] = (age, Values.of_states([vintage - int(n) for n in priors.domain[age]]))
        if occupation is not None and occupation in drawn and "occupations" in priors.declaration.lookups:
            codes = [priors.occupations.get(str(name)).code for name in priors.domain[occupation]]
            found["occupation_code"] = (occupation, Values.of_states(codes))
        known: dict[int, Values] = {}  # first and middle names have the same states
        for leaf in self.leaves:
            number = id(leaf.table.states)
            if number not in known:
                known[number] = Values.of_states(leaf.table.states.tolist())
            found[leaf.child] = (leaf.child, known[number])
            if leaf.child in TRAITS:
                levels = [LEVELS[level_of(int(score))] for score in leaf.table.states]
                found[f"{leaf.child}_label"] = (leaf.child, Values.of_states(levels, LEVELS))
            if leaf.child == roles.get("postcode"):
                for role in (role for role in PLACE if role in roles):
                    found[roles[role]] = (leaf.child, Values.of_states(priors.places.column(role).tolist()))
        return found


@dataclass(frozen=True, slots=True)
class Values:
    """The value of every state of an attribute: integers, or category numbers.

    Attributes:
        by_code: value, or category number, by code.
        dtype: the categories; None for integers.
    """

    by_code: AnyIntegers
    dtype: pd.CategoricalDtype | None = None

    @classmethod
    def of_states(cls, states: Sequence[State], categories: Sequence[str] | None = None) -> Values:
        """Build values from states in code order; categories are given, or ordered by first use."""
        if isinstance(states[0], int | np.integer):
            return cls(np.asarray(states, dtype=np.int64))
        texts = pd.Index([str(state) for state in states], dtype=object)
        if categories is None:
            by_code, found = texts.factorize()
            kept = pd.Index(found)
        else:
            kept = pd.Index(list(categories), dtype=object)
            by_code = kept.get_indexer(texts)
        return cls(by_code.astype(np.int32), pd.CategoricalDtype(kept.astype(str)))

    def of(self, codes: AnyCodes) -> object:
        """Return the values of many codes."""
        values = self.by_code.take(codes)
        return values if self.dtype is None else pd.Categorical.from_codes(values, dtype=self.dtype)


def uuids(seed: int, start: int, count: int, identity: str) -> Objects:
    """Compute version-8 UUIDs (RFC 9562: custom) from seed, model and row number alone."""
    high = words(seed, f"uuid/high/{identity}", start, count)
    low = words(seed, f"uuid/low/{identity}", start, count)
    high = (high & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(0x8000)
    low = (low & np.uint64(0x3FFFFFFFFFFFFFFF)) | np.uint64(0x8000000000000000)
    raw = np.empty((count, 2), dtype=">u8")
    raw[:, 0], raw[:, 1] = high, low
    digits = raw.tobytes().hex()
    texts = [digits[i : i + 32] for i in range(0, 32 * count, 32)]
    return np.array([f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in texts], dtype=object)
