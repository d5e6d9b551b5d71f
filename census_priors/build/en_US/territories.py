"""Territories: Puerto Rico and the US Virgin Islands, which the 1-year person files do not cover.

Donors are the residents of the surveyed areas who were born in Puerto Rico or the island areas (CIT 2): the
most similar people with every column. Puerto Rico's ages, schooling, marriages, work and degrees are those of
the 2018 detailed tables, carried forward; its numbers and ethnicity those of the 2020 Census. The Virgin
Islands take Puerto Rico's ages and schooling with their own numbers and ethnicity.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from census_personas.census_priors.build.en_US.acs_table import AcsTable
from census_personas.census_priors.build.en_US.carry_forward import CARRIED, carry_forward
from census_personas.census_priors.build.en_US.job_targets import group_target
from census_personas.census_priors.build.en_US.pums import BORN_IN_TERRITORY
from census_personas.census_priors.build.raking import Target, rake
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats, Integers

VIRGIN_ISLANDS_ETHNICITY = {
    "hispanic": 0.184,
    "black": 0.621,
    "white": 0.120,
    "multiple": 0.065,
    "asian": 0.010,
}
"""2020 Island Areas Censuses: Hispanic of any race 18.4 %, Black alone 71.4 %, White alone 13.3 %, Asian 1.0 %.

The census gives race without regard to Hispanic origin; of Black residents 87 % were not Hispanic in 2010
(70,379 of 80,908), which is applied to Black and, rounded, to White."""


def donors_of(records: Records) -> Records:
    """Select residents of the surveyed areas who were born in Puerto Rico or the island areas."""
    return records.take(records.codes["birthplace"] == BORN_IN_TERRITORY)


def weights_for(
    priors: Priors, donors: Records, everyone: Records, tables: Path, ethnicity: Mapping[str, float]
) -> Floats:
    """Compute donor weights for a territory from Puerto Rico's published tables and ethnicity shares.

    Args:
        priors: the locale.
        donors: `donors_of` the surveyed areas.
        everyone: all records of the surveyed areas, for the change since 2018.
        tables: folder of the 2018 detailed tables.
        ethnicity: shares or counts by ethnicity.
    """
    codes, all_codes = Codes(priors, donors), Codes(priors, everyone)
    shares = np.array([float(ethnicity.get(str(state), 0.0)) for state in priors.domain["ethnicity"]])
    people = Target("ethnicity", codes["ethnicity"], shares / shares.sum() * donors.weight.sum())
    ages = _ages(priors, codes, tables, donors.weight.sum())
    weights = rake(donors.weight, [people, ages])
    own = Codes(priors, Records(donors.codes, weights))
    carried = {
        name: Target(name, *_on(codes, all_codes, own, tables, name))
        for name in ("education_level", *CARRIED)
    }
    jobs = group_target(codes, all_codes, tables, "PR", carried["labor_force_status"])
    return rake(donors.weight, [*carried.values(), jobs, people, ages])


def _on(codes: Codes, all_codes: Codes, own: Codes, tables: Path, attribute: str) -> tuple[Integers, Floats]:
    """Build the territory's target from all surveyed areas, with the cells of its own donors."""
    target = carry_forward(all_codes, own, tables, "PR", attribute, power=1.0)
    return carry_forward(codes, own, tables, "PR", attribute, power=1.0).cells, target.persons


def _ages(priors: Priors, codes: Codes, tables: Path, total: float) -> Target:
    """Build the target of age band by sex of Puerto Rico (B01001), scaled to `total`."""
    published = AcsTable.read(tables, "B01001").tally({"all": ("Male", "Female")}).loc["PR"]
    bands = priors.domain["age_band"]
    ages = np.array(priors.domain["age"], dtype=np.int64)
    band_of = priors.hierarchy.codes("age", "age_band")
    persons = np.zeros((2, len(bands)))
    for (sex, first, last, _), number in zip(published.index.to_list(), published.to_numpy(), strict=True):
        if first >= ages[0]:
            inside = np.unique(band_of[(ages >= first) & (ages <= last)])
            persons[("Male", "Female").index(sex), inside[0]] += number
    return Target(
        "age_band-sex", codes["sex"] * len(bands) + codes["age_band"], persons.ravel() / persons.sum() * total
    )
