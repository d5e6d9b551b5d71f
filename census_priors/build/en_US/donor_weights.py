"""Donor weights: models states whose person records lack columns from reweighted donors.

An area whose person records lack an attribute gets that attribute from donors: the records of all areas
that have every column, reweighted until they have the area's own population by age, sex, ethnicity,
education, household and household language (direct, where its records say so), its marital status,
labour-force status and fields of degree (`carry_forward.py`) and its occupations (`job_targets.py`).
`benchmarks/modelled_areas.py` measures the error on states that have every column.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from census_personas.census_priors.build.en_US.ages import OLDEST_SHOWN
from census_personas.census_priors.build.en_US.carry_forward import CARRIED, carry_forward
from census_personas.census_priors.build.en_US.job_targets import group_target, occupation_target
from census_personas.census_priors.build.raking import Target, count, rake
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats

log = logging.getLogger(__name__)

TABLES = "acs_2018_1yr_tables"
HOUSEHOLD_LANGUAGES = 5
KNOWN_DIRECTLY = (
    ("age_band", "sex", "ethnicity"),
    ("ethnicity", "nativity", "age_group"),
    ("nativity", "education_level"),
    ("age_group", "disability_status"),
    ("age_group", "sex", "household_type"),
    ("ethnicity", "household_type"),
    ("education_level", "household_type"),
    ("ethnicity", "sex", "education_level"),
    ("age_band", "sex", "education_level"),
)
"""Margins available even in reduced records; the last are met best."""


def reweight_for_state(priors: Priors, donors: Records, own: Records, sources: Path, state: str) -> Floats:
    """Compute donor weights for a state whose own records have only the columns of the reduced files.

    Args:
        priors: the locale.
        donors: records of the areas with every column.
        own: the state's own records.
        sources: folder with the 2018 detailed tables and OEWS.
        state: USPS code.
    """
    codes, mine = Codes(priors, donors), Codes(priors, own)
    carried = {name: carry_forward(codes, mine, sources / TABLES, state, name) for name in CARRIED}
    groups = group_target(codes, codes, sources / TABLES, state, carried["labor_force_status"])
    jobs = occupation_target(codes, groups, sources, state)
    known = [_own_margin(codes, mine, attributes) for attributes in KNOWN_DIRECTLY]
    targets = [
        *carried.values(),
        *([jobs] if jobs else []),
        groups,
        _languages(codes, mine),
        _years(codes, mine),
    ]
    targets += known
    targets = [target for target in targets if target.persons.sum() > 0]
    raked = rake(donors.weight, targets)
    worst = max(targets, key=lambda target: target.miss(raked))
    log.info(
        "%s: %d targets met; farthest %s, distance %.4f", state, len(targets), worst.name, worst.miss(raked)
    )
    return raked


def national_conditionals(priors: Priors, donors: Records, own: Records) -> Floats:
    """Compute donor weights from the state's own margins alone, as the baseline of the evaluation."""
    codes, mine = Codes(priors, donors), Codes(priors, own)
    known = [_own_margin(codes, mine, attributes) for attributes in KNOWN_DIRECTLY]
    return rake(donors.weight, [target for target in known if "household_type" not in target.name])


def _own_margin(donors: Codes, own: Codes, attributes: tuple[str, ...]) -> Target:
    size = donors.priors.domain.project(attributes).size
    return _counted(
        "-".join(attributes), donors.cells(attributes), own.cells(attributes), own.records.weight, size
    )


def _years(donors: Codes, own: Codes) -> Target:
    """Build the target of single years of age by sex, up to the top code."""
    oldest = donors.priors.domain.code("age", OLDEST_SHOWN) + 1

    def cells(codes: Codes) -> np.ndarray:
        return np.minimum(codes["age"], oldest) * 2 + codes["sex"]

    return _counted("age-sex", cells(donors), cells(own), own.records.weight, 2 * (oldest + 1))


def _languages(donors: Codes, own: Codes) -> Target:
    """Build the target of ethnicity and nativity by the household's language group (HHL, in housing files)."""
    attributes = ("ethnicity", "nativity")
    size = donors.priors.domain.project(attributes).size * HOUSEHOLD_LANGUAGES

    def cells(codes: Codes) -> np.ndarray:
        people, language = codes.cells(attributes), codes["household_language"]
        return np.where((people < 0) | (language < 0), -1, people * HOUSEHOLD_LANGUAGES + language)

    return _counted(
        "ethnicity-nativity-household language", cells(donors), cells(own), own.records.weight, size
    )


def _counted(name: str, donors: np.ndarray, own: np.ndarray, weights: Floats, size: int) -> Target:
    return Target(name, donors, count(own, weights, size))
