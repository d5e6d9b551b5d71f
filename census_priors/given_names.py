"""Given names: the arithmetic behind first and middle names; `names.py` states the formulas."""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from census_personas.census_priors.cohorts import BIRTH_COHORTS, COHORTS_A_GENERATION, GENERATIONS
from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.lookup import REMEDY, Table, numbers, read_lookup, strings
from census_personas.census_priors.marginal import TableError
from census_personas.foundation.arrays import Codes32, Floats, Floats32, Objects

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

Row = tuple[Codes32, Floats32]

NATIVITY_GROUPS = ("born_here", "born_elsewhere")
"""Whether the counts of births cover a person."""
COHORTS = len(BIRTH_COHORTS)

# Pseudo-bearers of every name in every group, distributed like all bearers: rare names lean towards the average.
PRIOR_BEARERS = 5.0
# Pseudo-births with the average cohort profile, which steady the fashion of a rare name.
PRIOR_BIRTHS = 1000.0
# Exponent of the fashion of the country's births (a judgement): one half for people named abroad, and for middle
# names, which are often a grandparent's.
ABROAD_FASHION, MIDDLE_FASHION = 0.5, 0.5
PERCENT = 100.0


class GivenNames:
    """Compiles the tables of first and middle names; used once, so that intermediate arrays are freed."""

    def __init__(self, priors: Priors) -> None:
        """Take the locale; files are read on first use."""
        conventions, roles = priors.conventions, priors.roles
        self._folder = priors.folder
        self._roles = roles
        self._sexes = tuple(str(state) for state in priors.domain[roles["sex"]])
        self._female = next((s for s in self._sexes if conventions.gender.get(s) == "feminine"), "")
        self._origins = tuple(str(state) for state in priors.domain[roles["origin"]])
        self._groups = tuple(conventions.names.groups)
        self._group_of = {state: group for group, of in conventions.names.groups.items() for state in of}
        self._blank = conventions.names.without_middle_name
        self._accented = frozenset(conventions.names.accented)

    def first(self) -> ConditionalTable:
        """Compute P(given name | sex, birth_cohort, origin, nativity_group)."""
        states, accented = self._spellings
        births = self._births
        abroad = {
            (sex, group): self._from_rates("first", sex, group, self._fashion)
            for sex in self._sexes
            for group in self._groups
        }
        rows: list[Row] = []
        for sex in self._sexes:
            for cohort in range(COHORTS):
                names, counts = births[sex, cohort]
                born = self._given_born(names, counts, cohort)
                for origin in self._origins:
                    group = self._group_of[origin]
                    rows.append((names, born[group]))
                    kept, shares = abroad[sex, group]
                    row = (kept, shares[:, cohort])
                    rows.append(_respelled(*row, accented) if origin in self._accented else row)
        parents = {
            self._roles["sex"]: self._sexes,
            "birth_cohort": BIRTH_COHORTS,
            self._roles["origin"]: self._origins,
            "nativity_group": NATIVITY_GROUPS,
        }
        return tabulate(self._roles["given_name"], parents, states, rows)

    def middle(self) -> ConditionalTable:
        """Compute P(middle name | sex, birth_generation, origin, nativity_group); '' for people without one.

        Birthplace changes only the spelling (column `accented` of the counts).
        """
        states, accented = self._spellings
        fashion = self._generation_fashion
        tables = {
            (s, g): self._from_rates("middle", s, g, fashion) for s in self._sexes for g in self._groups
        }
        blank = np.array([0], dtype=np.int32)
        rows: list[Row] = []
        for sex in self._sexes:
            for generation in range(len(GENERATIONS)):
                for origin in self._origins:
                    group = self._group_of[origin]
                    kept, shares = tables[sex, group]
                    named = (shares[:, generation] * (1 - self._blank[group])).astype(np.float32)
                    codes = np.concatenate([blank, kept])
                    row = (codes, np.concatenate([np.array([self._blank[group]], dtype=np.float32), named]))
                    rows += [row, _respelled(*row, accented) if origin in self._accented else row]
        parents = {
            self._roles["sex"]: self._sexes,
            "birth_generation": GENERATIONS,
            self._roles["origin"]: self._origins,
            "nativity_group": NATIVITY_GROUPS,
        }
        return tabulate(self._roles["middle_name"], parents, states, rows)

    @cached_property
    def _spellings(self) -> tuple[Objects, Codes32]:
        """Given names, '' first, with the position of each name's accented spelling (or its own)."""
        table = self._counts
        plain, accents = strings(table, "name"), strings(table, "accented")
        respelled = np.flatnonzero(accents != "")
        states = np.concatenate([np.array([""], dtype=object), plain, accents[respelled]])
        position = np.arange(len(plain) + 1, dtype=np.int32)
        position[respelled + 1] = len(plain) + 1 + np.arange(len(respelled))
        return states, position

    @cached_property
    def _counts(self) -> Table:
        kinds = kinds_of(self._roles)
        columns = [f"{kind}_{group}" for kind in kinds for group in self._groups]
        columns += [f"{kind}_female" for kind in kinds]
        path = self._folder / "lookups" / "names_given.parquet"
        return read_lookup(path, ("name", "accented"), tuple(columns))

    def _rates(self, kind: str) -> dict[str, Floats]:
        """Compute the rate of every state (0 for '') among the bearers of each group."""
        counts = {g: np.concatenate([[0.0], numbers(self._counts, f"{kind}_{g}")]) for g in self._groups}
        return {group: count / count.sum() for group, count in counts.items()}

    @cached_property
    def _births(self) -> dict[tuple[str, int], tuple[Codes32, Floats]]:
        """Names and births of each sex and cohort, names ascending."""
        table = read_lookup(
            self._folder / "lookups" / "names_births.parquet", (), ("sex", "cohort", "name", "births")
        )
        sex, cohort = numbers(table, "sex"), numbers(table, "cohort")
        names, births = numbers(table, "name").astype(np.int32) + 1, numbers(table, "births")
        if not ((names > 0) & (names < len(self._spellings[0]))).all():
            path = self._folder / "lookups" / "names_births.parquet"
            raise TableError(f"{path}: names that are not in names_given.parquet; {REMEDY}")
        bounds = np.searchsorted(sex * COHORTS + cohort, np.arange(2 * COHORTS + 1))
        return {
            (self._sexes[i // COHORTS], i % COHORTS): (names[start:end], births[start:end])
            for i, (start, end) in enumerate(pairwise(bounds))
        }

    @cached_property
    def _born_rates(self) -> dict[str, Floats]:
        """Rates with pseudo-bearers, and under 'cohort' their mean over the population of each cohort."""
        pool = sum(numbers(self._counts, f"first_{group}").sum() for group in self._groups)
        return {group: rate + PRIOR_BEARERS / pool for group, rate in self._rates("first").items()}

    @cached_property
    def _population(self) -> Floats:
        """Share of each group among people of a cohort in the counts of births, shape (cohorts, groups)."""
        table = read_lookup(self._folder / "lookups" / "names_population.parquet", (), self._groups)
        persons = np.stack([numbers(table, group) for group in self._groups], axis=1)
        shares: Floats = persons / persons.sum(axis=1, keepdims=True)
        return shares

    def _given_born(self, names: Codes32, births: Floats, cohort: int) -> dict[str, Floats32]:
        rates = {group: rate[names] for group, rate in self._born_rates.items()}
        mean = sum(share * rates[g] for share, g in zip(self._population[cohort], self._groups, strict=True))
        weights = {group: births * rate / mean for group, rate in rates.items()}
        return {group: (weight / weight.sum()).astype(np.float32) for group, weight in weights.items()}

    @cached_property
    def _by_cohort(self) -> Floats:
        """Births of both sexes by state and cohort."""
        total = np.zeros((len(self._spellings[0]), COHORTS))
        for (_, cohort), (names, births) in self._births.items():
            total[names, cohort] += births
        return total

    @cached_property
    def _fashion(self) -> Floats32:
        """Ratio of a name's share in a cohort to its share overall, shape (states, cohorts); 1 if unknown."""
        return _fashion(self._by_cohort, ABROAD_FASHION)

    @cached_property
    def _generation_fashion(self) -> Floats32:
        starts = np.arange(len(GENERATIONS)) * COHORTS_A_GENERATION
        births = np.add.reduceat(self._by_cohort, starts, axis=1)
        return _fashion(births, MIDDLE_FASHION)

    def _from_rates(self, kind: str, sex: str, group: str, fashion: Floats32) -> Row:
        """Return the names of one sex and group, and their shares in every cohort (columns sum to 1)."""
        female = np.concatenate([[0.0], numbers(self._counts, f"{kind}_female")]) / PERCENT
        weight = self._rates(kind)[group] * (female if sex == self._female else 1 - female)
        kept = np.flatnonzero(weight).astype(np.int32)
        shares = weight[kept, None].astype(np.float32) * fashion[kept]
        return kept, shares / shares.sum(axis=0, dtype=np.float64).astype(np.float32)


def kinds_of(roles: Container[str]) -> tuple[str, ...]:
    """Return the kinds of given names that a locale counts: without the role `middle_name`, only first names."""
    return ("first", "middle") if "middle_name" in roles else ("first",)


def _fashion(births: Floats, power: float) -> Floats32:
    usual = births.sum(axis=0) / births.sum()
    known = births.sum(axis=1, keepdims=True)
    share = (births + PRIOR_BIRTHS * usual) / (known + PRIOR_BIRTHS)
    fashion: Floats = (share / usual) ** power
    return fashion.astype(np.float32)


def _respelled(codes: Codes32, shares: Floats32, spelling: Codes32) -> Row:
    """Replace spellings in a row, and sort its states again."""
    changed = spelling[codes]
    order = np.argsort(changed, kind="stable")
    return changed[order], shares[order]


def tabulate(
    child: str, parents: Mapping[str, tuple[str, ...]], states: Objects, rows: list[Row]
) -> ConditionalTable:
    """Build a table from rows in C order of the parents."""
    return ConditionalTable(
        child=child,
        parents=Domain(dict(parents)),
        states=states,
        indptr=np.cumsum([0, *(len(codes) for codes, _ in rows)], dtype=np.int64),
        indices=np.concatenate([codes for codes, _ in rows]),
        probabilities=np.concatenate([shares for _, shares in rows]),
    )
