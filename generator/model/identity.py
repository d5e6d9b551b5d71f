"""Identity: a digest of what decides the distributions of a fitted model, and of nothing else.

A row's uuid and the place of a fit in the cache follow from it. Labels, sentences, sources' texts, the form and the
place of files, and the name of this project are not in it: they may change, and rows keep their uuids.

It is taken over the inputs of the fit, not over the numbers that come out. The fit sums in a fixed order and comes out
the same to the bit on x86 processors with and without AVX and with any number of threads; but another architecture, or
another release of numpy, may round a last bit otherwise. A digest of those bits would give such a machine uuids of its
own, and so would a digest of rounded numbers, whenever one of 68 million lies at a rounding edge. Inputs are read from
files, bit by bit the same everywhere, and with the version of the algorithms they decide the distributions as exactly
as arithmetic allows.

In it, in one canonical form:

- attributes that the graph, a table or a look-up uses: their states in order, and, state by state, what they are a
  view of;
- tables in the order in which they are fitted: attributes, weights, persons, whether they count everybody, and every
  number that is declared of their source (`design_effect`);
- the graph as it is fitted (a cascade is another): core, children with parents, certain states and back-off,
  zeros; `agreement`;
- columns of the look-ups from which postcodes and names are drawn, what `locale.yaml` says of how they are read,
  the year from which births are counted, and the parameters of the traits;
- `FIT_VERSION`, `LEAVES_VERSION`: raise one only if distributions change, because every uuid changes with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterator, Mapping
from typing import Any

import numpy as np

from census_personas.census_priors.lookup import numbers, read_lookup, strings
from census_personas.census_priors.marginal import Marginal
from census_personas.census_priors.places import PEOPLE, has_areas
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.roles import NAME
from census_personas.foundation.traits import DEVIATION, HIGHEST, LOWEST, MEAN, TRAITS

FORM_VERSION = 1
"""The canonical form of this module."""
FIT_VERSION = 3
"""The algorithm that fits the network (`network_fit.py`): raised whenever it returns other distributions."""
LEAVES_VERSION = 1
"""The arithmetic that makes postcodes, names and traits of their look-ups: raised as `FIT_VERSION` is."""
VERSIONS = (FORM_VERSION, FIT_VERSION, LEAVES_VERSION)
_IMPLIED = "6843c92abcc127108fba7d25fa58f389aa98c62e85da8c1afc79fe8258d5a00f"
# How look-ups are read once stood in the code, and no identity said it. The identity of a locale that declares just
# that leaves it out still, so that its people keep their uuids.

_Columns = tuple[str, tuple[str, ...], tuple[str, ...]]


def identity_of(priors: Priors) -> str:
    """SHA-256, in hexadecimal, of everything that decides the distributions fitted to a locale.

    Raises:
        TableError: a table or a look-up is missing or bad.
    """
    model = priors.declaration.model
    lookups = set(priors.declaration.lookups) & {"names", "places"}
    reading = _reading(priors, lookups)
    decides = {
        "versions": VERSIONS,
        "attributes": _attributes(priors),
        "tables": [_table(priors, source, attributes) for source, attributes in priors.tables],
        "agreement": priors.declaration.agreement,
        "core": model.core,
        "conditionals": [
            [node.child, node.parents, _plain(node.otherwise), node.back_off] for node in model.conditionals
        ],
        "zeros": [_plain(zero) for zero in model.zeros],
        "lookups": {
            file: _lookup(priors, file, texts, figures)
            for name in sorted(lookups)
            for file, texts, figures in _decisive(priors, name)
        },
        "vintage": int(priors.declaration.vintage) if "names" in lookups else None,
        "traits": [TRAITS, LOWEST, HIGHEST, MEAN, DEVIATION],
        **({} if hashlib.sha256(_canonical(reading)).hexdigest() == _IMPLIED else {"reading": reading}),
    }
    return hashlib.sha256(_canonical(decides)).hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _plain(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in mapping.items()}


def _attributes(priors: Priors) -> dict[str, Any]:
    """States of every attribute in use, and the code of each state of the finer attribute that it is a view of."""
    model, hierarchy = priors.declaration.model, priors.hierarchy
    used = {*model.core, *(name for _, table in priors.tables for name in table)}
    used |= {name for node in model.conditionals for name in (node.child, *node.parents)}
    used |= {name for zero in model.zeros for name in zero}
    if "places" in priors.declaration.lookups and priors.conventions.places.schooling is not None:
        used.add(priors.conventions.places.schooling)
    return {
        name: [priors.domain[name], hierarchy.finer.get(name), _codes(hierarchy.maps.get(name))]
        for name in sorted({step for name in used for step in hierarchy.chain(name)})
    }


def _codes(codes: Any) -> list[int] | None:
    return None if codes is None else [int(code) for code in codes]


def _table(priors: Priors, source: str, attributes: tuple[str, ...]) -> list[Any]:
    said = priors.declaration.sources[source].model_dump(exclude_defaults=True)
    figures = {name: value for name, value in said.items() if not isinstance(value, str)}
    everybody = priors.universe(attributes) == "everybody"
    return [attributes, everybody, figures, _marginal(priors.table(attributes))]


def _marginal(table: Marginal) -> str:
    digest = hashlib.sha256(_bytes(table.weights))
    if table.samples is not None:
        digest.update(b"samples" + _bytes(table.samples))
    return digest.hexdigest()


def _bytes(values: Any) -> bytes:
    """Numbers as little-endian float64 in C order, with one zero instead of two."""
    return (np.asarray(values, dtype="<f8") + 0.0).tobytes()


def _reading(priors: Priors, lookups: Container[str]) -> dict[str, Any]:
    """How the look-ups are read: which attributes decide what is drawn, and what their columns count."""
    said, roles = priors.conventions, priors.roles
    reading: dict[str, Any] = {}
    if "places" in lookups:
        reading["places"] = said.places.model_dump(mode="json", exclude_defaults=True)
        reading["places"]["roles"] = [roles.get(role) for role in ("postcode", "region", "origin")]
    if "names" in lookups:
        reading["names"] = said.names.model_dump(mode="json", exclude_defaults=True, exclude={"recipe"})
        reading["names"]["roles"] = [
            roles.get(role) for role in (*NAME, "sex", "age", "origin", "birth", "region")
        ]
        reading["names"]["feminine"] = sorted(
            sex for sex, gender in said.gender.items() if gender == "feminine"
        )
    return reading


def _decisive(priors: Priors, lookup: str) -> Iterator[_Columns]:
    """Files of a look-up, with the columns of text and of numbers that decide what is drawn from it."""
    names, places = priors.conventions.names, priors.conventions.places
    if lookup == "places":
        keys = [priors.places.file_column(role) or "" for role in ("postcode", "region")]
        with_areas = has_areas(places)
        yield "places", (*keys, *([places.area] if with_areas else [])), (*PEOPLE, *places.groups)
        if with_areas:
            yield places.areas, (places.area,), priors.residence.factors
        return
    bearers = tuple(f"{kind}_{group}" for kind in ("first", "middle") for group in names.groups)
    yield "names_given", ("name", "accented"), (*bearers, "first_female", "middle_female")
    yield "names_births", (), ("sex", "cohort", "name", "births")
    yield "names_population", (), tuple(names.groups)
    yield "names_last", ("name",), tuple(names.family_groups)


def _lookup(priors: Priors, file: str, texts: tuple[str, ...], figures: tuple[str, ...]) -> str:
    table = read_lookup(priors.folder / "lookups" / f"{file}.parquet", texts, figures)
    digest = hashlib.sha256()
    for name in texts:
        digest.update(name.encode() + _canonical(strings(table, name).tolist()))
    for name in figures:
        digest.update(name.encode() + _bytes(numbers(table, name)))
    return digest.hexdigest()
