"""Name exposure: the columns that determine names, with census defaults for those that a dataset lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from census_personas.census_priors.cohorts import cohort_codes, generation_codes
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.given_names import NATIVITY_GROUPS
from census_personas.census_priors.marginal import TableError
from census_personas.foundation.arrays import Codes, Floats, Mask
from census_personas.validators.dataset.coded_columns import Coded

if TYPE_CHECKING:
    import pandas as pd

    from census_personas.census_priors.priors import Priors

Shares = Floats

NEEDED = ("sex", "age")
"""Roles without which nothing is said of names."""
TOLD = (*NEEDED, "region", "origin", "birth")
"""Roles that names depend on."""
BORN = NATIVITY_GROUPS  # people in the counts of births, and others


class NameExposure:
    """The people of a dataset as cells of the name tables.

    Origin and birthplace that the dataset has no column of are unknown; everybody is then spread over them as the
    census spreads people of that age and region.
    """

    def __init__(self, frame: pd.DataFrame, priors: Priors) -> None:
        """`frame` has the columns of `NEEDED`, and of those of `TOLD` what the dataset tells."""
        coded, roles = Coded(frame, priors), priors.roles
        self._priors = priors
        self._sex, self._age, self._region, self._origin, self._birth = (roles.get(r) or r for r in TOLD)
        self._shares: dict[tuple[str, ...], Shares] = {}
        self.told = [name for name in roles.named(TOLD) if coded.has(name)]
        if not {self._region, self._origin} <= set(self.told):
            self.told = [name for name in self.told if name != self._birth]
        self._codes = {name: coded.codes(name) for name in self.told}
        self.known: Mask = np.all([codes >= 0 for codes in self._codes.values()], axis=0)

    def cells(self, parents: Domain, names: Sequence[str]) -> Codes:
        """One code for each row's states of some parents of a name table, which the dataset must tell."""
        codes = self._parents({name: np.maximum(found, 0) for name, found in self._codes.items()}, parents)
        return np.broadcast_to(_ravelled(codes, parents, names), self.known.shape)

    def born(self, parents: Domain) -> Codes | None:
        """Each row's state of `nativity_group`, -1 unknown; None where the dataset does not tell it."""
        codes = self._parents({name: np.maximum(found, 0) for name, found in self._codes.items()}, parents)
        return np.where(self.known, codes["nativity_group"], -1) if "nativity_group" in codes else None

    def expected(self, parents: Domain, by: Sequence[str], rows: Mask) -> Shares:
        """People among these rows by some parents of a name table and by all of them, shape (cells of both).

        Raises:
            TableError: the census has no table of what the dataset does not tell.
        """
        sizes = self._priors.domain.project(self.told).shape
        flat = np.ravel_multi_index([codes[rows] for codes in self._codes.values()], sizes)
        kinds, counts = np.unique(flat, return_counts=True)
        found = dict(zip(self.told, np.unravel_index(kinds, sizes), strict=True))
        codes = self._parents(found, parents)
        spread = [(codes, counts)] if set(parents) <= set(codes) else self._spread(found, counts, parents)
        table = np.zeros((parents.project(by).size, parents.size))
        for codes, people in spread:
            cells = _ravelled(codes, parents, by), _ravelled(codes, parents, tuple(parents))
            np.add.at(table, cells, people)
        return table

    def _parents(self, found: Mapping[str, Codes], parents: Domain) -> dict[str, Codes]:
        """Codes of the parents of a name table that follow from facts."""
        domain, codes = self._priors.domain, {}
        years = (
            int(self._priors.declaration.vintage)
            - np.array(domain[self._age], dtype=np.int64)[found[self._age]]
        )
        for name in parents:
            if name == "birth_cohort":
                codes[name] = cohort_codes(years).astype(np.int64)
            elif name == "birth_generation":
                codes[name] = generation_codes(years).astype(np.int64)
            elif name == "nativity_group" and self._birth in found:
                codes[name] = self._born(found[self._birth], found[self._region], parents)
            elif name in found:
                order = parents.codes(name, domain[name]).astype(np.int64)
                codes[name] = order[found[name]]
        return codes

    def _born(self, birth: Codes, region: Codes, parents: Domain) -> Codes:
        inside, outside = (parents.code("nativity_group", name) for name in BORN)
        return np.where(np.isin(birth, self._here) & ~self._outside[region], inside, outside)

    @property
    def _here(self) -> list[int]:
        """Codes of the birthplaces that the counts of births cover."""
        return [
            self._priors.domain.code(self._birth, state) for state in self._priors.conventions.names.born_here
        ]

    @property
    def _outside(self) -> Mask:
        return np.isin(self._priors.domain[self._region], self._priors.conventions.names.births_elsewhere)

    def _spread(
        self, found: Mapping[str, Codes], counts: Codes, parents: Domain
    ) -> list[tuple[dict[str, Codes], npt.NDArray[np.number]]]:
        """The same people once for each origin and birthplace that they may have, in shares."""
        origins = range(len(self._priors.domain[self._origin]))
        of = None if self._origin in self.told else self._origins(found)
        spread = []
        for origin, born in product(origins, BORN if "nativity_group" in parents else BORN[:1]):
            people = counts * (found[self._origin] == origin if of is None else of[:, origin])
            codes = self._parents({**found, self._origin: np.full(len(counts), origin)}, parents)
            if "nativity_group" in parents:
                native = self._native(found, origin)
                people = people * (native if born == BORN[0] else 1 - native)
                codes["nativity_group"] = np.full(len(counts), parents.code("nativity_group", born))
            spread.append((codes, people))
        return spread

    def _origins(self, found: Mapping[str, Codes]) -> Shares:
        """P(origin | age, sex, region), as if sex told as much of it everywhere; shape (people, origins)."""
        origin, age, sex, region = self._origin, self._age, self._sex, self._region
        by_sex = self._conditional(origin, (age, sex))[found[age], found[sex]]
        if region not in self.told:
            return np.asarray(by_sex)
        by_region = self._conditional(origin, (age, region))[found[age], found[region]]
        anyone = self._conditional(origin, (age,))[found[age]]
        shares = np.divide(by_region * by_sex, anyone, out=np.zeros_like(anyone), where=anyone > 0)
        total = shares.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(shares, total, out=by_region.copy(), where=total > 0))

    def _native(self, found: Mapping[str, Codes], origin: int) -> Shares:
        """P(born where births are counted | origin, age, region), the odds of two tables multiplied."""
        birth, of, age, region = self._birth, self._origin, self._age, self._region
        by_age = self._native_share((of, age))[origin][found[age]]
        if region not in self.told:
            return np.asarray(by_age)
        by_region = self._native_share((of, region))[origin][found[region]]
        anywhere = self._conditional(birth, (of,))[origin, self._here].sum()
        odds = _odds(by_age) * _odds(by_region) / _odds(anywhere)
        return np.where(self._outside[found[region]], 0.0, odds / (1 + odds))

    def _native_share(self, given: tuple[str, str]) -> Shares:
        """P(born here | given)."""
        return np.asarray(self._conditional(self._birth, given)[:, :, self._here].sum(axis=-1))

    def _conditional(self, child: str, given: Sequence[str]) -> Shares:
        """P(child | given) by the table that has the finest views of what is given; read once.

        Raises:
            TableError: there is none.
        """
        if (child, *given) not in self._shares:
            self._shares[child, *given] = self._read(child, given)
        return self._shares[child, *given]

    def _read(self, child: str, given: Sequence[str]) -> Shares:
        hierarchy, domain = self._priors.hierarchy, self._priors.domain
        views = [[name for name in domain if hierarchy.refines(root, name)] for root in given]
        for chosen in sorted(product(*views), key=lambda names: -domain.project(names).size):
            try:
                counts = self._priors.marginal((*chosen, child)).weights
            except TableError:
                continue
            totals = counts.sum(axis=-1, keepdims=True)
            shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
            fine = [hierarchy.codes(root, view) for root, view in zip(given, chosen, strict=True)]
            return np.asarray(shares[np.ix_(*fine)])
        raise TableError(f"{self._priors.locale}: no table has {child} with {', '.join(given)}")


def _ravelled(codes: Mapping[str, Codes], parents: Domain, names: Sequence[str]) -> Codes:
    cells = np.zeros(1, dtype=np.int64)
    for name in names:
        cells = cells * len(parents[name]) + codes[name]
    return cells


def _odds(share: npt.ArrayLike) -> Shares:
    inside = np.clip(np.asarray(share, dtype=np.float64), 1e-6, 1 - 1e-6)
    return inside / (1 - inside)
