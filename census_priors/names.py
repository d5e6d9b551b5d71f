"""Names: given, middle and family names given sex, year of birth, origin and birthplace.

Given names of people in the country's counts of births, cohort by cohort (Bayes' theorem, with the likelihood of a
group from Rosenman et al. 2023):

    P(n | sex, cohort, g, born here) ~ births(n, sex, cohort) * r(n, g) / sum_f population(f, cohort) * r(n, f)

where r(n, g) is the rate of the name in group g, which covers some states of the role `origin` (`names.groups` in
`locale.yaml`). For people born elsewhere, and in regions whose births are not counted:

    P(n | sex, cohort, g, born elsewhere) ~ r(n, g) * P(sex | n) * fashion(n, cohort)^(1/2)

where fashion is the ratio of the name's share in the cohort to its share of all births. Middle names use the second
form with rates of middle names, and the declared shares of people without one. Family names are counts by group; a
second family name is drawn from the same counts.

Given these attributes, names are drawn independently: no pair comes from a real record, and any match with a living
person is coincidence. METHODS.md of a locale lists the limits of its tables.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.given_names import GivenNames, Row, tabulate
from census_personas.census_priors.lookup import numbers, read_lookup, strings
from census_personas.census_priors.marginal import TableError

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

__all__ = ["Names"]


class Names:
    """The name tables of a locale, built on first use (under a second, about 150 MB)."""

    def __init__(self, priors: Priors) -> None:
        """Take the locale; tables are read on first use, with `TableError` if one is missing."""
        self._priors = priors

    @property
    def first(self) -> ConditionalTable:
        """P(given name | sex, birth_cohort, origin, nativity_group)."""
        return self._given[0]

    @property
    def middle(self) -> ConditionalTable:
        """P(middle name | sex, birth_generation, origin, nativity_group); '' for people without one.

        Raises:
            TableError: the locale has no role `middle_name`.
        """
        _, middle = self._given
        if middle is None:
            raise TableError(
                f"{self._priors.locale}: has no middle names; fill the role middle_name in locale.yaml"
            )
        return middle

    @cached_property
    def _given(self) -> tuple[ConditionalTable, ConditionalTable | None]:
        given = GivenNames(self._priors)
        return given.first(), given.middle() if "middle_name" in self._priors.roles else None

    @cached_property
    def last(self) -> ConditionalTable:
        """P(family name | origin): counts by group, in which each origin is counted (`names.family_groups`)."""
        priors, groups = self._priors, self._priors.conventions.names.family_groups
        table = read_lookup(priors.folder / "lookups" / "names_last.parquet", ("name",), tuple(groups))
        origin = priors.roles["origin"]
        group_of = {state: group for group, states in groups.items() for state in states}
        origins = tuple(str(state) for state in priors.domain[origin])
        rows: list[Row] = []
        for state in origins:
            counts = numbers(table, group_of[state])
            kept = np.flatnonzero(counts).astype(np.int32)
            rows.append((kept, (counts[kept] / counts.sum()).astype(np.float32)))
        return tabulate(priors.roles["family_name"], {origin: origins}, strings(table, "name"), rows)
