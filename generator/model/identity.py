"""Identity: a digest of exactly what decides the distributions of a fitted model.

A row's UUID and the cache folder of a fit follow from it. It leaves out labels, sentences, texts of sources, file
formats and paths, and the name of this project: these may change, and rows keep their UUIDs.

The digest covers the inputs of the fit, not its results. The fit sums in a fixed order and gives the same bits on x86
processors with and without AVX and with any number of threads; but another architecture, or another release of numpy,
may round a last bit differently. A digest of those bits would give such a machine its own UUIDs; so would a digest of
rounded numbers, as soon as one of 68 million lies at a rounding edge. Inputs are read from files, the same bits
everywhere, and together with the version of the algorithms they decide the distributions as exactly as arithmetic
allows.

The digest covers, in one canonical form:

- attributes that the graph, a table or a look-up uses: their states in order and, for views, the code of each finer
  state;
- tables in the order in which they are fitted: attributes, weights, persons, whether they count everybody, and every
  number declared for their source (`design_effect`);
- the graph as fitted (a cascade is a different graph): core, children with parents, certain states and back-off,
  zeros; `agreement`;
- columns of the look-ups from which postcodes and names are drawn, the settings in `locale.yaml` for reading them,
  the year from which births are counted, and the parameters of the traits;
- `FIT_VERSION`, `LEAVES_VERSION`: raise one only if distributions change, because every UUID changes with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterator, Mapping
from typing import Any

import numpy as np

from census_personas.census_priors.given_names import kinds_of
from census_personas.census_priors.lookup import numbers, read_lookup, strings
from census_personas.census_priors.marginal import Marginal
from census_personas.census_priors.places import PEOPLE, has_areas
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.roles import NAME
from census_personas.foundation.traits import DEVIATION, HIGHEST, LOWEST, MEAN, TRAITS

FORM_VERSION = 1
"""Version of the canonical form in this module."""
FIT_VERSION = 3
"""Version of the fit (`network_fit.py`): raise it whenever the fit returns other distributions."""
LEAVES_VERSION = 1
"""Version of the arithmetic from look-ups to postcodes, names and traits: raise it like `FIT_VERSION`."""
VERSIONS = (FORM_VERSION, FIT_VERSION, LEAVES_VERSION)
_IMPLIED = "6843c92abcc127108fba7d25fa58f389aa98c62e85da8c1afc79fe8258d5a00f"
# Settings for reading look-ups were once fixed in the code and outside the identity. A locale that declares exactly
# those settings still leaves them out, so that its rows keep their UUIDs.

_Columns = tuple[str, tuple[str, ...], tuple[str, ...]]


def identity_of(priors: Priors) -> str:
    """Compute the SHA-256, in hexadecimal, of everything that decides the distributions fitted to a locale.

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
    """Return the states of every attribute in use, and for a view the code of each state of its finer attribute."""
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
    declared = priors.declaration.sources[source].model_dump(exclude_defaults=True)
    figures = {name: value for name, value in declared.items() if not isinstance(value, str)}
    everybody = priors.universe(attributes) == "everybody"
    return [attributes, everybody, figures, _marginal(priors.table(attributes))]


def _marginal(table: Marginal) -> str:
    digest = hashlib.sha256(_bytes(table.weights))
    if table.samples is not None:
        digest.update(b"samples" + _bytes(table.samples))
    return digest.hexdigest()


def _bytes(values: Any) -> bytes:
    """Return numbers as little-endian float64 in C order, with -0.0 as 0.0."""
    return (np.asarray(values, dtype="<f8") + 0.0).tobytes()


def _reading(priors: Priors, lookups: Container[str]) -> dict[str, Any]:
    """Return the settings for reading the look-ups: the deciding attributes, and what their columns count."""
    conventions, roles = priors.conventions, priors.roles
    reading: dict[str, Any] = {}
    if "places" in lookups:
        reading["places"] = conventions.places.model_dump(mode="json", exclude_defaults=True)
        reading["places"]["roles"] = [roles.get(role) for role in ("postcode", "region", "origin")]
    if "names" in lookups:
        reading["names"] = conventions.names.model_dump(
            mode="json", exclude_defaults=True, exclude={"recipe"}
        )
        reading["names"]["roles"] = [
            roles.get(role) for role in (*NAME, "sex", "age", "origin", "birth", "region")
        ]
        reading["names"]["feminine"] = sorted(
            sex for sex, gender in conventions.gender.items() if gender == "feminine"
        )
    return reading


def _decisive(priors: Priors, lookup: str) -> Iterator[_Columns]:
    """Yield the files of a look-up with the text and number columns that decide what is drawn from it."""
    names, places = priors.conventions.names, priors.conventions.places
    if lookup == "places":
        keys = [priors.places.file_column(role) or "" for role in ("postcode", "region")]
        with_areas = has_areas(places)
        yield "places", (*keys, *([places.area] if with_areas else [])), (*PEOPLE, *places.groups)
        if with_areas:
            yield places.areas, (places.area,), priors.residence.factors
        return
    kinds = kinds_of(priors.roles)
    bearers = tuple(f"{kind}_{group}" for kind in kinds for group in names.groups)
    yield "names_given", ("name", "accented"), (*bearers, *(f"{kind}_female" for kind in kinds))
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
