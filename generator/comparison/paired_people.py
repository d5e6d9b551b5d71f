"""Paired people: whether two datasets hold the same people, and which rows belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from census_personas.census_priors.roles import Roles
from census_personas.foundation.arrays import Indices
from census_personas.foundation.dataset_reader import columns_of, read_frame
from census_personas.foundation.schema import LISTS, PROSE

_NO_FACTS = frozenset({*PROSE, *LISTS, "uuid", "row", "flags", "drawn"})
_SAME = 0.5  # of the facts of rows at the same place, from which the places count as pairs


@dataclass(frozen=True, slots=True)
class PairedPeople:
    """The people of two datasets.

    Attributes:
        by: how rows were paired: `uuid`, `row` (no shared uuid, but the same people at the same places), or `none`.
        rows: number of rows of each.
        one, other: positions of paired rows, in the order of the first dataset; shape (pairs,).
        shared: share of each dataset's rows that are paired.
        facts: column -> share of pairs with the same value, for the columns of facts that both have.
        all_facts: share of pairs in which all of them are the same; None without pairs.
    """

    by: str
    rows: tuple[int, int]
    one: Indices
    other: Indices
    shared: tuple[float, float]
    facts: dict[str, float]
    all_facts: float | None

    @property
    def are_same(self) -> bool:
        """Whether every row of both is paired, with the same facts."""
        return self.shared == (1.0, 1.0) and self.all_facts == 1.0


def pair_people(one: Path, other: Path, roles: Roles) -> PairedPeople:
    """Pair the rows of two datasets, by uuid if they share any.

    Raises:
        DatasetError: a dataset cannot be read.
    """
    known = [columns_of(path) for path in (one, other)]
    facts = [name for name in known[0] if name in known[1] and name not in _NO_FACTS]
    codes = roles.named(("postcode",))
    has_uuid = all("uuid" in names for names in known)
    columns = [*(["uuid"] if has_uuid else []), *facts]
    frames = [read_frame(path, columns, codes) for path in (one, other)]
    rows = (len(frames[0]), len(frames[1]))
    by, first, second = "none", np.array([], dtype=np.intp), np.array([], dtype=np.intp)
    if has_uuid:
        first, second = _by_uuid(frames[0]["uuid"], frames[1]["uuid"])
        by = "uuid" if len(first) else "none"
    if by == "none" and rows[0] == rows[1] and facts:
        places = np.arange(rows[0], dtype=np.intp)
        if _agreement(frames[0], frames[1], facts).to_numpy().mean() >= _SAME:
            by, first, second = "row", places, places
    same = _agreement(frames[0].iloc[first], frames[1].iloc[second], facts) if len(first) else None
    return PairedPeople(
        by=by,
        rows=rows,
        one=first,
        other=second,
        shared=(len(first) / max(rows[0], 1), len(second) / max(rows[1], 1)),
        facts={} if same is None else {name: float(same[name].mean()) for name in facts},
        all_facts=None if same is None or not facts else float(same.all(axis=1).mean()),
    )


def _by_uuid(one: pd.Series, other: pd.Series) -> tuple[Indices, Indices]:
    """Positions of the first row of each uuid that both have."""
    index = pd.Index(other.astype(object))
    places = pd.Series(np.arange(len(index)), index=index)[~index.duplicated() & index.notna()]
    first = one.astype(object)
    found = places.reindex(first.where(~first.duplicated() & first.notna()).to_numpy())
    at = np.flatnonzero(found.notna().to_numpy())
    return at, found.to_numpy()[at].astype(np.intp)


def _agreement(one: pd.DataFrame, other: pd.DataFrame, facts: list[str]) -> pd.DataFrame:
    """Whether the cells of rows at the same place are equal; two missing cells are."""
    return pd.DataFrame(
        {
            name: one[name].astype(object).map(str, na_action="ignore").fillna("").to_numpy()
            == other[name].astype(object).map(str, na_action="ignore").fillna("").to_numpy()
            for name in facts
        }
    )
