"""Carry forward: updates an area's 2018 detailed tables to the year of the records.

The result is the donor areas' current share, times a power of the ratio of the area's 2018 share to theirs, by sex and
age. Differences between states shrink with time: with the power `PERSISTENCE`, eight states with every column,
predicted from the others, come closer to their own records in marital and labour-force status than with 1, 0.6, 0.4 or
0 (mean distance by age and sex .0154, 1: .0156, 0: .0333). A territory's donors live elsewhere, so its whole difference
is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from census_personas.census_priors.build.en_US.acs_table import AcsTable
from census_personas.census_priors.build.raking import Target, count, shares
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats, Integers

PERSISTENCE = 0.8
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
"""Attribute -> its 2018 table by sex and age, and the labels of its categories."""
SCHOOLING = {
    "less_than_9th": ("Less than 9th grade",),
    "9th_12th_no_diploma": ("9th to 12th grade, no diploma",),
    "high_school": ("High school graduate (includes equivalency)",),
    "some_college": ("Some college, no degree",),
    "associates": ("Associate's degree",),
    "bachelors": ("Bachelor's degree",),
    "graduate": ("Graduate or professional degree",),
}


def carry_forward(
    donors: Codes, population: Codes, tables: Path, area: str, attribute: str, power: float = PERSISTENCE
) -> Target:
    """Build the target: donors' current shares x (area's / donor areas' 2018 share) ** power, by sex and age.

    The shares apply to the persons of `population` by sex and age, whose own codes of the attribute are ignored; a
    field of degree is carried only among people with a degree.
    """
    priors = donors.priors
    name, words = CARRIED.get(attribute, ("B15001", SCHOOLING))
    table = AcsTable.read(tables, name).tally({state: tuple(labels) for state, labels in words.items()})
    keys = table.columns.to_list()
    spans = sorted({(int(key[1]), int(key[2])) for key in keys if int(key[2]) >= 18})
    states = [str(state) for state in priors.domain[attribute] if state in words]
    donor_states = [priors.domain["state"][code] for code in np.unique(donors.records.codes["state"])]
    then_area = shares(_by_cell(table.loc[[area]].sum(), spans, states))
    then_donors = shares(_by_cell(table.reindex(donor_states).fillna(0.0).sum(), spans, states))
    donor_cells = _cells(priors, donors, attribute, spans, states)
    shape = (2, len(spans), len(states))
    now_donors = shares(count(donor_cells, donors.records.weight, int(np.prod(shape))).reshape(shape))
    factor = np.divide(then_area, then_donors, out=np.ones_like(then_area), where=then_donors > 0)
    wanted = shares(now_donors * factor**power)
    people = _persons(priors, population, attribute, spans)
    return Target(f"{attribute} carried from {name}", donor_cells, (people[..., None] * wanted).ravel())


def _by_cell(cells: pd.Series[float], spans: list[tuple[int, int]], states: list[str]) -> Floats:
    return np.array(
        [
            [[float(cells.get((sex, *span, state), 0.0)) for state in states] for span in spans]
            for sex in ("Male", "Female")
        ]
    )


def _span_codes(priors: Priors, codes: Codes, spans: list[tuple[int, int]]) -> Integers:
    ages = np.array(priors.domain["age"], dtype=np.int64)
    span_of = np.full(len(ages), -1)
    for number, (first, last) in enumerate(spans):
        span_of[(ages >= first) & (ages <= last)] = number
    return np.asarray(span_of[codes["age"]], dtype=np.int64)


def _cells(
    priors: Priors, codes: Codes, attribute: str, spans: list[tuple[int, int]], states: list[str]
) -> Integers:
    place = np.array([states.index(str(s)) if s in states else -1 for s in priors.domain[attribute]] + [-1])
    value, span = place[codes[attribute]], _span_codes(priors, codes, spans)
    cells = (codes["sex"] * len(spans) + span) * len(states) + value
    return np.where((value < 0) | (span < 0), -1, cells)


def _persons(priors: Priors, population: Codes, attribute: str, spans: list[tuple[int, int]]) -> Floats:
    span = _span_codes(priors, population, spans)
    inside = span >= 0
    if attribute == "bachelors_field":
        degree = [priors.domain.code("education_level", level) for level in ("bachelors", "graduate")]
        inside &= np.isin(population["education_level"], degree)
    cells = np.where(inside, population["sex"] * len(spans) + span, -1)
    return count(cells, population.records.weight, 2 * len(spans)).reshape(2, len(spans))
