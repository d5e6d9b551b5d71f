"""Modelled areas: states without the columns, and territories without the survey, from reweighted donors.

An area whose person records lack an attribute gets that attribute from donors: the records of all areas
that have every column, reweighted until they have the area's own population by age, sex, ethnicity and
education (direct, where its records say so) and its marital status, labour-force status and fields of
degree. The latter are carried forward from the 2018 detailed tables: the area's 2018 share over that of the
donor areas, times the donor areas' share now.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from persona_engine.census_priors.build.acs_table import AcsTable
from persona_engine.census_priors.build.pums import Records
from persona_engine.census_priors.build.raking import Array, Target, rake
from persona_engine.census_priors.priors import Priors

log = logging.getLogger(__name__)

CARRIED: Mapping[str, tuple[str, Mapping[str, tuple[str, ...]]]] = {
    "marital_status": (
        "B12002",
        {
            "never_married": ("Never married",),
            "separated": ("Separated",),
            "divorced": ("Divorced",),
            "widowed": ("Widowed",),
            "married_present": ("Married, spouse present", "Other"),
        },
    ),
    "labor_force_status": (
        "B23001",
        {
            "armed_forces": ("In Armed Forces",),
            "employed": ("Employed",),
            "unemployed": ("Unemployed",),
            "not_in_workforce": ("Not in labor force",),
        },
    ),
    "bachelors_field": (
        "B15011",
        {
            "stem": ("Science and Engineering",),
            "stem_related": ("Science and Engineering Related Fields",),
            "business": ("Business",),
            "education": ("Education",),
            "arts_humanities": ("Arts, Humanities and Other", "Arts, Humanities, and Other"),
        },
    ),
}
"""Attribute -> the 2018 table that has it by sex and age, and the words of its categories."""
SCHOOLING = {
    "less_than_9th": ("Less than 9th grade",),
    "9th_12th_no_diploma": ("9th to 12th grade, no diploma",),
    "high_school": ("High school graduate (includes equivalency)",),
    "some_college": ("Some college, no degree",),
    "associates": ("Associate's degree",),
    "bachelors": ("Bachelor's degree",),
    "graduate": ("Graduate or professional degree",),
}
KNOWN_DIRECTLY = (
    ("age_band", "sex", "ethnicity"),
    ("ethnicity", "nativity", "age_group"),
    ("nativity", "education_level"),
    ("age_group", "disability_status"),
    ("ethnicity", "sex", "education_level"),
    ("age_band", "sex", "education_level"),
)
"""Margins that even the reduced records have; the last are met best."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of records in any attribute of the locale, coarser views included."""

    priors: Priors
    records: Records

    def __getitem__(self, attribute: str) -> npt.NDArray[np.int64]:
        """Codes as int64; -1 is missing."""
        have = self.records.codes
        if attribute in have:
            return have[attribute].astype(np.int64)
        chain = self.priors.hierarchy.chain(attribute)
        fine = next(name for name in chain if name in have)
        table = np.append(self.priors.hierarchy.codes(fine, attribute).astype(np.int64), -1)
        return table[have[fine]]

    def cells(self, attributes: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """C-order cell of every record in the table over these attributes; -1 where one is missing."""
        shape = self.priors.domain.project(attributes).shape
        codes = [self[name] for name in attributes]
        missing = np.any([code < 0 for code in codes], axis=0)
        flat = np.ravel_multi_index([np.where(missing, 0, code) for code in codes], shape)
        return np.where(missing, -1, flat)


def reweight_for_state(priors: Priors, donors: Records, own: Records, tables: Path, state: str) -> Array:
    """Donor weights for a state whose own records have age, sex, ethnicity and education only.

    Args:
        priors: the locale.
        donors: records of the areas with every column.
        own: the state's own records.
        tables: folder of the 2018 detailed tables (`us/`, `bystate/`).
        state: USPS code.
    """
    donor_codes, own_codes = Codes(priors, donors), Codes(priors, own)
    known = [_own_margin(donor_codes, own_codes, attributes) for attributes in KNOWN_DIRECTLY]
    carried = [carry_forward(priors, donor_codes, own_codes, tables, state, name) for name in CARRIED]
    return _rake(state, donors.weight, [*carried, *known])


def _rake(area: str, weights: Array, targets: list[Target]) -> Array:
    raked = rake(weights, targets)
    misses = ", ".join(f"{target.name} {target.miss(raked):.4f}" for target in targets)
    log.info("%s: donors reweighted; distance to each target: %s", area, misses)
    return raked


def _own_margin(donors: Codes, own: Codes, attributes: tuple[str, ...]) -> Target:
    size = donors.priors.domain.project(attributes).size
    cells = own.cells(attributes)
    inside = cells >= 0
    persons = np.bincount(cells[inside], weights=own.records.weight[inside], minlength=size)
    return Target("-".join(attributes), donors.cells(attributes), persons)


def carry_forward(
    priors: Priors, donors: Codes, population: Codes, tables: Path, area: str, attribute: str
) -> Target:
    """The area's attribute by sex and age now: donors' shares now x (area's 2018 share / donor areas' 2018 share).

    `population` gives the persons by sex and age that the shares are applied to; its own codes of the
    attribute are not looked at, except that a field of degree is carried among those with a degree.
    """
    name, words = CARRIED[attribute] if attribute in CARRIED else ("B15001", SCHOOLING)
    table = AcsTable.read(tables, name).tally({state: tuple(labels) for state, labels in words.items()})
    spans = sorted({key[1:3] for key in table.columns if key[2] >= 18})
    states = [state for state in priors.domain[attribute] if state in words]
    donor_states = [priors.domain["state"][code] for code in np.unique(donors.records.codes["state"])]
    then_area = _shares(_by_cell(table.loc[[area]].sum(), spans, states))
    then_donors = _shares(_by_cell(table.reindex(donor_states).fillna(0.0).sum(), spans, states))
    donor_cells = _cells(priors, donors, attribute, spans, states)
    now_donors = _shares(_counts(donor_cells, donors.records.weight, len(spans), len(states)))
    factor = np.divide(then_area, then_donors, out=np.ones_like(then_area), where=then_donors > 0)
    shares = _shares(now_donors * factor)
    people = _persons(priors, population, attribute, spans)
    return Target(f"{attribute} carried from {name}", donor_cells, (people[..., None] * shares).ravel())


def _by_cell(cells: pd.Series[float], spans: list[tuple[int, int]], states: list[str]) -> Array:
    return np.array(
        [
            [[float(cells.get((sex, *span, state), 0.0)) for state in states] for span in spans]
            for sex in ("Male", "Female")
        ]
    )


def _shares(counts: Array) -> Array:
    totals = counts.sum(axis=-1, keepdims=True)
    return np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)


def _span_codes(priors: Priors, codes: Codes, spans: list[tuple[int, int]]) -> npt.NDArray[np.int64]:
    ages = np.array(priors.domain["age"], dtype=np.int64)
    span_of = np.full(len(ages), -1)
    for number, (first, last) in enumerate(spans):
        span_of[(ages >= first) & (ages <= last)] = number
    return span_of[codes["age"]]


def _cells(
    priors: Priors, codes: Codes, attribute: str, spans: list[tuple[int, int]], states: list[str]
) -> npt.NDArray[np.int64]:
    place = np.array([states.index(str(s)) if s in states else -1 for s in priors.domain[attribute]] + [-1])
    value, span = place[codes[attribute]], _span_codes(priors, codes, spans)
    cells = (codes["sex"] * len(spans) + span) * len(states) + value
    return np.where((value < 0) | (span < 0), -1, cells)


def _counts(cells: npt.NDArray[np.int64], weights: Array, spans: int, states: int) -> Array:
    inside = cells >= 0
    counts = np.bincount(cells[inside], weights=weights[inside], minlength=2 * spans * states)
    return counts.reshape(2, spans, states)


def _persons(priors: Priors, population: Codes, attribute: str, spans: list[tuple[int, int]]) -> Array:
    span = _span_codes(priors, population, spans)
    inside = span >= 0
    if attribute == "bachelors_field":
        degree = [priors.domain.code("education_level", level) for level in ("bachelors", "graduate")]
        inside &= np.isin(population["education_level"], degree)
    cells = population["sex"] * len(spans) + span
    counts = np.bincount(cells[inside], weights=population.records.weight[inside], minlength=2 * len(spans))
    return counts.reshape(2, len(spans))
