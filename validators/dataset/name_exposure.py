"""Name exposure: the columns that determine names, with census defaults for those that a dataset lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from census_personas.census_priors.cohorts import cohort_codes, generation_codes
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import TableError
from census_personas.foundation.arrays import Codes, Floats, Mask
from census_personas.validators.dataset.coding import Coded

if TYPE_CHECKING:
    import pandas as pd

    from census_personas.census_priors.priors import Priors

Shares = Floats

NEEDED = ("sex", "age")  # without which nothing is said of names
TOLD = (*NEEDED, "state", "ethnicity", "nativity")  # what names hang on, as columns
BORN = ("born_in_us", "foreign_born")  # as the name tables call whom the births of the states cover


class NameExposure:
    """The people of a dataset as cells of the name tables.

    Ethnicity and birthplace that the dataset has no column of are unknown; everybody is then spread over them as the
    census spreads people of that age and state.
    """

    def __init__(self, frame: pd.DataFrame, priors: Priors) -> None:
        """`frame` has the columns of `NEEDED`, and of `state`, `ethnicity` and `nativity` what the dataset tells."""
        coded = Coded(frame, priors)
        self._priors = priors
        self._shares: dict[tuple[str, ...], Shares] = {}
        self.told = [name for name in TOLD if coded.has(name)]
        if not {"state", "ethnicity"} <= set(self.told):
            self.told = [name for name in self.told if name != "nativity"]
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
        years = int(self._priors.declaration.vintage) - np.array(domain["age"], dtype=np.int64)[found["age"]]
        for name in parents:
            if name == "birth_cohort":
                codes[name] = cohort_codes(years).astype(np.int64)
            elif name == "birth_generation":
                codes[name] = generation_codes(years).astype(np.int64)
            elif name == "nativity_group" and "nativity" in found:
                codes[name] = self._born(found["nativity"], found["state"], parents)
            elif name in found:
                order = parents.codes(name, domain[name]).astype(np.int64)
                codes[name] = order[found[name]]
        return codes

    def _born(self, nativity: Codes, state: Codes, parents: Domain) -> Codes:
        inside, outside = (parents.code("nativity_group", name) for name in BORN)
        native = nativity == self._priors.domain.code("nativity", "us_born")
        return np.where(native & ~self._outside[state], inside, outside)

    @property
    def _outside(self) -> Mask:
        return np.isin(self._priors.domain["state"], self._priors.conventions.names.births_elsewhere)

    def _spread(
        self, found: Mapping[str, Codes], counts: Codes, parents: Domain
    ) -> list[tuple[dict[str, Codes], npt.NDArray[np.number]]]:
        """The same people once for each ethnicity and birthplace that they may have, in shares."""
        ethnicities = range(len(self._priors.domain["ethnicity"]))
        of = None if "ethnicity" in self.told else self._ethnicities(found)
        spread = []
        for ethnicity, born in product(ethnicities, BORN if "nativity_group" in parents else BORN[:1]):
            people = counts * (found["ethnicity"] == ethnicity if of is None else of[:, ethnicity])
            codes = self._parents({**found, "ethnicity": np.full(len(counts), ethnicity)}, parents)
            if "nativity_group" in parents:
                native = self._native(found, ethnicity)
                people = people * (native if born == BORN[0] else 1 - native)
                codes["nativity_group"] = np.full(len(counts), parents.code("nativity_group", born))
            spread.append((codes, people))
        return spread

    def _ethnicities(self, found: Mapping[str, Codes]) -> Shares:
        """P(ethnicity | age, sex, state), as if sex told as much of it everywhere; shape (people, ethnicities)."""
        by_sex = self._conditional("ethnicity", ("age", "sex"))[found["age"], found["sex"]]
        if "state" not in self.told:
            return np.asarray(by_sex)
        by_state = self._conditional("ethnicity", ("age", "state"))[found["age"], found["state"]]
        anyone = self._conditional("ethnicity", ("age",))[found["age"]]
        shares = np.divide(by_state * by_sex, anyone, out=np.zeros_like(anyone), where=anyone > 0)
        total = shares.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(shares, total, out=by_state.copy(), where=total > 0))

    def _native(self, found: Mapping[str, Codes], ethnicity: int) -> Shares:
        """P(born in a state | ethnicity, age, state), the odds of two tables multiplied."""
        native = self._priors.domain.code("nativity", "us_born")
        by_age = self._conditional("nativity", ("ethnicity", "age"))[ethnicity, :, native][found["age"]]
        if "state" not in self.told:
            return np.asarray(by_age)
        by_state = self._conditional("nativity", ("ethnicity", "state"))[ethnicity, :, native][found["state"]]
        anywhere = self._conditional("nativity", ("ethnicity",))[ethnicity, native]
        odds = _odds(by_age) * _odds(by_state) / _odds(anywhere)
        return np.where(self._outside[found["state"]], 0.0, odds / (1 + odds))

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
