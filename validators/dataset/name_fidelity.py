"""Name fidelity: names in a dataset compared with the name tables, given sex, birth year and origin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.marginal import TableError
from census_personas.census_priors.roles import ROLES, Roles
from census_personas.foundation.arrays import Integers
from census_personas.validators.dataset.chance import widest
from census_personas.validators.dataset.fidelity import Fidelity, compared
from census_personas.validators.dataset.name_exposure import NEEDED, TOLD, NameExposure, Shares
from census_personas.validators.text.prose import plain
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

# The role of each kind of name, and the groups that it is counted in: roles, or cohorts that follow from the age.
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "given_name": ("sex", "birth_cohort"),
        "middle_name": ("sex", "birth_generation"),
        "family_name": ("origin",),
    }
)
OPTIONAL = "middle_name"  # which a person may be without
SINGLE = 24  # names that are counted one by one among each people, the likeliest ones
BANDS = (0.25, 0.5, 0.75, 0.9)  # of the bearers of all others, likeliest names first; the bands are counted
_GROUPS = SINGLE + len(BANDS) + 1

Positions = Integers


@dataclass(frozen=True, slots=True)
class NameFidelity:
    """Names beside their tables: those measured, and why the other kinds that the dataset has were not judged."""

    measured: tuple[Fidelity, ...]
    not_judged: Mapping[str, str]


class _NameTable:
    """A table of names whose spellings are one: letter case, accents, hyphens and spaces tell none apart."""

    def __init__(self, table: ConditionalTable) -> None:
        self.table, self.parents = table, table.parents
        self._keys, place = np.unique([_key(name) for name in table.states], return_inverse=True)
        self._place = place.astype(np.int64)
        self.size = len(self._keys)

    def name(self, position: int) -> str:
        """A spelling of the name at a position."""
        return str(self.table.states[int(np.argmax(self._place == position))])

    def positions(self, column: pd.Series) -> Positions:
        """Position of each row's name, -1 where the table does not have it."""
        values = column.astype("category").cat
        keys = np.array([_key(str(name)) for name in values.categories], dtype=self._keys.dtype)
        place = np.minimum(np.searchsorted(self._keys, keys), self.size - 1)
        found = np.where(self._keys[place] == keys, place, -1)
        return np.append(found, -1).astype(np.int64)[values.codes.to_numpy()]

    def shares(self, people: Shares) -> Shares:
        """Share of each name among people, given by how many of them each cell of the parents has."""
        names = np.zeros(len(self.table.states))
        for cell in np.flatnonzero(people):
            states, probabilities = self.table.row(int(cell))
            names[states] += people[cell] * probabilities
        total = names.sum() or 1.0
        return np.bincount(self._place, weights=names / total, minlength=self.size).astype(np.float64)

    def likeliest(self, origin: str) -> Positions:
        """The origin in which each name is the most frequent for the number of people."""
        axis = self.parents.attributes.index(origin)
        of = np.unravel_index(np.arange(self.parents.size), self.parents.shape)[axis]
        people = [(of == code).astype(np.float64) for code in range(len(self.parents[origin]))]
        return np.asarray(np.argmax([self.shares(cells) for cells in people], axis=0), dtype=np.int64)


def name_fidelity(frame: pd.DataFrame, priors: Priors) -> NameFidelity:
    """How far each kind of name that the frame has lies from the locale's tables, given the facts of its people.

    Given names are counted by sex and birth cohort, middle names by sex and generation, family names by origin (all
    together where the dataset does not tell it). Among each of these people, the likeliest names stand for
    themselves and all others in bands of commonness, so that the distance of a perfect sample is small. What is
    expected are the shares of the name tables for the people that the dataset has, not for those it should have: a
    dataset of one region, or of one sex, is held against the names of its own people.

    Args:
        frame: columns of the dataset.
        priors: has the tables of names.
    """
    names = {priors.roles[role]: role for role in NAMES if priors.roles.get(role) in frame.columns}
    if why := _silence(frame, priors):
        return NameFidelity((), dict.fromkeys(names, why))
    bearers, found, silent = NameExposure(frame, priors), [], {}
    for name, role in names.items():
        try:
            found.append(_measured(frame[name], role, priors, bearers))
        except TableError as error:
            silent[name] = str(error)
    return NameFidelity(tuple(found), silent)


def names_in_texts(records: Iterable[Mapping[str, Any]], roles: Roles) -> pd.DataFrame:
    """Given and family names as the texts of records have them, beside the facts that names depend on."""
    rows = []
    given, family = roles["given_name"], roles["family_name"]
    for record in records:
        if (name := RecordView.of(record).name) is not None:
            facts = {fact: record.get(fact) for fact in roles.named(TOLD)}
            rows.append({**facts, given: name.first or None, family: name.last or None})
    return pd.DataFrame(rows).dropna(axis="columns", how="all")


def with_kinds_of_names(frame: pd.DataFrame, priors: Priors) -> pd.DataFrame:
    """The frame with names replaced by kinds that are few enough to be tested, and with the group of birthplaces.

    A name's kind is the origin whose people bear it the most often for their number, and whether it is among the
    commonest names that half of the dataset's people bear. Without columns of names, or tables of them, the frame is
    as it was but for the names.
    """
    known = not _silence(frame, priors)
    columns = {priors.roles[role]: role for role in NAMES if priors.roles.get(role) in frame.columns}
    named = columns if known else {}
    found = {name: _kinds(frame[name], _table(priors, role), priors) for name, role in named.items()}
    if found:
        born = NameExposure(frame, priors).born(priors.names.first.parents)
        found |= {} if born is None else {"nativity_group": born}
    rest = frame.drop(columns=list(columns))
    return rest.assign(
        **{
            name: pd.Categorical.from_codes(codes, pd.RangeIndex(codes.max() + 1))
            for name, codes in found.items()
        }
    )


def _silence(frame: pd.DataFrame, priors: Priors) -> str:
    """Why nothing can be said of names; empty if it can."""
    if "names" not in priors.declaration.lookups:
        return f"{priors.locale} has no tables of names"
    missing = [name for name in priors.roles.named(NEEDED) if name not in frame.columns]
    return f"the dataset does not tell {' and '.join(missing)}" if missing else ""


def _table(priors: Priors, role: str) -> _NameTable:
    names = priors.names
    if role == "middle_name":
        return _NameTable(names.middle)
    return _NameTable(names.first if role == "given_name" else names.last)


def _key(name: str) -> str:
    if name.isascii() and name.isalpha():
        return name.casefold()
    return "".join(filter(str.isalpha, plain(name).casefold()))


def _measured(column: pd.Series, role: str, priors: Priors, bearers: NameExposure) -> Fidelity:
    table, roles = _table(priors, role), priors.roles
    parents = (roles.get(parent) if parent in ROLES else parent for parent in NAMES[role])
    by = tuple(name for name in parents if name and (name != roles.get("origin") or name in bearers.told))
    column = column.astype(object).fillna("") if role == OPTIONAL else column
    rows = bearers.known & column.notna().to_numpy()
    if not rows.any():
        raise TableError(f"no row has a name beside {', '.join(bearers.told)} that the census knows")
    among, names = bearers.cells(table.parents, by)[rows], table.positions(column)[rows]
    people = np.bincount(among, minlength=table.parents.project(by).size)
    groups, shares = _grouped(bearers.expected(table.parents, by, rows), table)
    known = names >= 0
    at = among[known] * _GROUPS + groups[among[known], names[known]]
    spread = float(people @ [widest(share) for share in shares]) / len(names)

    def states(cell: int) -> tuple[str, ...]:
        codes = np.unravel_index(cell // _GROUPS, table.parents.project(by).shape)
        bearer = (str(table.parents[parent][int(code)]) for parent, code in zip(by, codes, strict=True))
        return (*bearer, _group_name(groups[cell // _GROUPS], cell % _GROUPS, table))

    return compared(
        (*by, str(column.name)),
        np.bincount(at, minlength=shares.size).astype(np.int64),
        np.repeat(people, _GROUPS).astype(np.int64),
        shares.ravel(),
        len(names),
        spread,
        states,
    )


def _group_name(groups: Positions, group: int, table: _NameTable) -> str:
    """A name that stands for itself, or in words the band of commonness."""
    if group < SINGLE:
        return table.name(int(np.argmax(groups == group)))
    return f"band {group - SINGLE + 1} of {len(BANDS) + 1} of the other names"


def _grouped(people: Shares, table: _NameTable) -> tuple[Positions, Shares]:
    """Group of every name among each people, and the share of each group; names that nobody has count as rarest."""
    groups = np.full((len(people), table.size), _GROUPS - 1, dtype=np.int64)
    shares = np.zeros((len(people), _GROUPS))
    for among, cells in enumerate(people):
        if cells.any():
            names = table.shares(cells)
            order = np.argsort(-names, kind="stable")
            rest = np.cumsum(names[order[SINGLE:]])
            groups[among, order[:SINGLE]] = np.arange(min(SINGLE, len(order)))
            if len(rest) and rest[-1] > 0:
                groups[among, order[SINGLE:]] = SINGLE + np.searchsorted(BANDS, rest / rest[-1])
            shares[among] = np.bincount(groups[among], weights=names, minlength=_GROUPS)
    return groups, shares


def _kinds(column: pd.Series, table: _NameTable, priors: Priors) -> Positions:
    positions = table.positions(column)
    bearers = np.bincount(positions[positions >= 0], minlength=table.size)
    order = np.argsort(-bearers, kind="stable")
    common = np.zeros(table.size, dtype=np.int64)
    common[order[np.cumsum(bearers[order]) <= bearers.sum() / 2]] = 1
    return np.append(2 * table.likeliest(priors.roles["origin"]) + common, -1)[positions]
