"""Cohorts: bins of birth years in the name tables."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from census_personas.foundation.arrays import Codes32

FIRST_YEAR, COHORT_YEARS = 1925, 5
BIRTH_COHORTS = (
    "to_1929",
    *(f"{year}_{year + COHORT_YEARS - 1}" for year in range(FIRST_YEAR + COHORT_YEARS, 2005, COHORT_YEARS)),
    "from_2005",
)
GENERATIONS = ("to_1944", "1945_1964", "1965_1984", "from_1985")
COHORTS_A_GENERATION = 4


def cohort_codes(birth_years: Iterable[int]) -> Codes32:
    """Return positions in `BIRTH_COHORTS` of many birth years."""
    years = np.asarray(birth_years if isinstance(birth_years, np.ndarray) else list(birth_years))
    codes: Codes32 = np.clip((years - FIRST_YEAR) // COHORT_YEARS, 0, len(BIRTH_COHORTS) - 1).astype(np.int32)
    return codes


def generation_codes(birth_years: Iterable[int]) -> Codes32:
    """Return positions in `GENERATIONS` of many birth years."""
    last = len(GENERATIONS) - 1
    generations: Codes32 = np.minimum(cohort_codes(birth_years) // COHORTS_A_GENERATION, last)
    return generations


def cohort_of(birth_year: int) -> str:
    """Return the birth cohort of a year, by which first names are counted: five years, open at both ends."""
    return BIRTH_COHORTS[int(cohort_codes([birth_year])[0])]


def generation_of(birth_year: int) -> str:
    """Return the generation of a year, by which middle names are counted: twenty years, open at both ends."""
    return GENERATIONS[int(generation_codes([birth_year])[0])]
