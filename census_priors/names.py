"""Names: first, middle and last names given sex, year of birth, ethnicity and birthplace.

First names of people born in the United States, cohort by cohort (Bayes, with Rosenman et al. 2023 for the
likelihood of ethnicity and births from the Social Security Administration):

    P(n | sex, cohort, e, born in US) ~ births(n, sex, cohort) * r(n, e) / sum_f population(f, cohort) * r(n, f)

where r(n, e) is the rate of the name among the voters of ethnicity e. Of people born elsewhere, Puerto Rico
and the Virgin Islands included, whom the births do not cover:

    P(n | sex, cohort, e, born elsewhere) ~ r(n, e) * P(sex | n) * fashion(n, cohort)^(1/2)

fashion being how much commoner the name is in the cohort than over all births. Middle names follow the second
form with the rates of middle names, and the published shares of people without one; initials stand for full
names that a clerk cut short and are left out. Last names are the counts of the 2010 Census by ethnicity.

Names are drawn independently given these attributes: no pair comes from a person's record, and likeness to
a living person is coincidence. Voter files come from six southern states, Pacific Islanders are counted with
Asians, and native and multiracial people share one column: the tables know no better.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.given_names import (
    ETHNICITIES,
    NATIVITY_GROUPS,
    SEXES,
    GivenNames,
    Row,
    tabulate,
)
from census_personas.census_priors.lookup import numbers, read_lookup, strings

__all__ = ["ETHNICITIES", "NATIVITY_GROUPS", "OUTSIDE_BIRTHS", "SEXES", "SURNAME_GROUPS", "Names"]

SURNAME_GROUPS = ("white", "black", "hispanic", "asian", "native", "multiple")
OUTSIDE_BIRTHS = ("PR", "VI")
"""Territories whose births the Social Security name counts leave out."""


class Names:
    """The name tables of a locale, built on first use (under a second, about 150 MB)."""

    def __init__(self, folder: Path) -> None:
        """Use `load`; nothing is read here."""
        self._folder = folder

    @classmethod
    def load(cls, folder: Path) -> Names:
        """Open the names of a locale folder; `TableError` on first use if a table is missing."""
        return cls(Path(folder))

    @property
    def first(self) -> ConditionalTable:
        """P(first_name | sex, birth_cohort, ethnicity, nativity_group)."""
        return self._given[0]

    @property
    def middle(self) -> ConditionalTable:
        """P(middle_name | sex, birth_generation, ethnicity, nativity_group); '' for people without one."""
        return self._given[1]

    @cached_property
    def _given(self) -> tuple[ConditionalTable, ConditionalTable]:
        given = GivenNames(self._folder)
        return given.first(), given.middle()

    @cached_property
    def last(self) -> ConditionalTable:
        """P(last_name | ethnicity), the 2010 Census counts; Pacific Islanders as Asians, whom it counts together."""
        table = read_lookup(self._folder / "lookups" / "names_last.parquet", ("name",), SURNAME_GROUPS)
        rows: list[Row] = []
        for ethnicity in ETHNICITIES:
            counts = numbers(table, "asian" if ethnicity == "pacific_islander" else ethnicity)
            kept = np.flatnonzero(counts).astype(np.int32)
            rows.append((kept, (counts[kept] / counts.sum()).astype(np.float32)))
        return tabulate("last_name", {"ethnicity": ETHNICITIES}, strings(table, "name"), rows)
