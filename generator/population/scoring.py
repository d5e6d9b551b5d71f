"""Scoring: measures how well the population predicts person records that it was not fitted to.

This is the only module of the engine, apart from the command line, that uses a locale's builder: the same code must
read and recode these records and those behind the tables.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from census_personas.census_priors.build.en_US.ages import read_top_codes
from census_personas.census_priors.build.en_US.pums import read_records
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.build.source import SourceError
from census_personas.foundation.arrays import Floats, Integers
from census_personas.generator.model.likelihood import log_probabilities_of
from census_personas.generator.model.network import Network
from census_personas.generator.population.population import Population

SCORED = (
    "state",
    "age",
    "sex",
    "ethnicity",
    "marital_status",
    "education",
    "labor_force_status",
    "occupation",
)
COLUMNS = {
    "sex": "SEX",
    "ethnicity": "HISP and RAC1P",
    "marital_status": "MAR",
    "education": "SCHL and FOD1P",
    "labor_force_status": "ESR",
    "occupation": "OCCP",
}
"""The PUMS columns behind the scored attributes."""
MERGED = {"age_band": "age", "occupation_group": "occupation"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Score:
    """Weighted mean negative log-likelihood of person records.

    Attributes:
        nats_per_person: the total in nats per adult; lower is better.
        by_attribute: its parts, each attribute given the previous ones; they sum to the total.
        adults: number of persons scored.
        areas: number of their states and territories.
        left_out: number of adults with a blank column, or in areas that lack a column.
        standard_error: of the total, from the spread of persons (ignoring households).
    """

    nats_per_person: float
    by_attribute: dict[str, float]
    adults: int
    areas: int
    left_out: int
    standard_error: float


def score_file(population: Population, place: Path) -> Score:
    """Score PUMS person records, a file or a folder, in any form that `priors build` reads.

    Scores state, age, sex, ethnicity, marital status, education, field of degree, labour-force status and occupation.
    Leaves out areas that lack a column, and conditions the model on the other areas. A top-coded age counts as its
    interval.

    Raises:
        SourceError: there are no person records, or none with every column.
    """
    records = read_records(place, population.priors, SCORED)
    if not len(records):
        raise SourceError(f"{place}: has no adults; the model describes persons of 18 and over")
    state = records.codes["state"]
    given = {name: records.codes[name] >= 0 for name in SCORED}
    lacking = {name for name in SCORED if not given[name].any()}
    if lacking:
        columns = ", ".join(dict.fromkeys(COLUMNS.get(name, name) for name in SCORED if name in lacking))
        raise SourceError(f"{place}: nobody has {columns}; the score needs {', '.join(COLUMNS.values())}")
    whole = np.ones(len(records), dtype=bool)
    for code in np.unique(state):
        here = state == code
        if any(not given[name][here].any() for name in SCORED):
            whole &= ~here
    kept = whole & np.all(list(given.values()), axis=0)
    if not kept.any():
        raise SourceError(
            f"{place}: no adult has every column that is scored ({', '.join(COLUMNS.values())})"
        )
    blank = int((whole & ~kept).sum())
    if blank:
        log.warning("%s: left out %d adults with a blank in a scored column", place, blank)
    return score(population, records.take(kept), left_out=int((~kept).sum()))


def score(population: Population, records: Records, *, left_out: int = 0) -> Score:
    """Do as `score_file` for records that are read and complete.

    Raises:
        SourceError: the model gives a person probability 0; shows the person.
    """
    network, hierarchy = population.network, population.priors.hierarchy
    coded = Codes(population.priors, records)
    known = (*network.core_attributes, *(node.child for node in network.nodes))
    scored = [name for name in known if any(hierarchy.related(name, other) for other in SCORED)]
    codes = {name: coded[name] for name in scored}
    nats = -log_probabilities_of(network, codes, {"age": _open_ages(population, records)})
    if "education_level" in hierarchy.domain:
        given = _given(network, "education")
        before = network.joint(given)[tuple(codes[n] for n in given)]
        level = network.joint((*given, "education_level"))
        now = level[(*(codes[n] for n in given), coded["education_level"])]
        nats.insert(list(nats).index("education"), "education_level", -np.log(now / before))
        nats["bachelors_field"] = nats.pop("education") - nats["education_level"]
    _check_possible(population, codes, nats.sum(axis=1).to_numpy())
    present = np.unique(records.codes["state"])
    nats["state"] += np.log(network.joint(("state",))[present].sum())
    weight = records.weight / records.weight.sum()
    parts: dict[str, float] = {}
    for name in nats:
        label = MERGED.get(str(name), str(name))
        parts[label] = parts.get(label, 0.0) + float(weight @ nats[name].to_numpy())
    total = nats.sum(axis=1).to_numpy()
    mean = float(weight @ total)
    error = float(np.sqrt((weight**2) @ (total - mean) ** 2))
    return Score(mean, parts, len(records), len(present), left_out, error)


def _check_possible(population: Population, codes: Mapping[str, Integers], nats: Floats) -> None:
    impossible = ~np.isfinite(nats)
    if impossible.any():
        at = int(impossible.argmax())
        person = ", ".join(
            f"{name}={population.priors.domain[name][found[at]]}" for name, found in codes.items()
        )
        raise SourceError(
            f"{int(impossible.sum())} of {len(nats)} adults cannot occur in the model of "
            f"{population.priors.locale}, the first with {person}: their likelihood is 0, and no mean exists"
        )


def _given(network: Network, attribute: str) -> tuple[str, ...]:
    """Return what an attribute is conditioned on in the model: its predecessors in the core, or its parents."""
    if attribute in network.core_attributes:
        return network.core_attributes[: network.core_attributes.index(attribute)]
    return next(node.parents for node in network.nodes if node.child == attribute)


def _open_ages(population: Population, records: Records) -> Integers:
    """Return the first code of the interval for top-coded ages, -1 for other ages."""
    domain = population.priors.domain
    result = np.full(len(records), -1, dtype=np.int64)
    ages = np.array(domain["age"], dtype=np.int64)[records.codes["age"]]
    for state, top in read_top_codes(population.priors).items():
        here = (records.codes["state"] == domain.code("state", state)) & (ages >= top.value)
        result[here] = domain.code("age", top.first)
    return result
