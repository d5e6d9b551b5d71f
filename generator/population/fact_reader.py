"""Fact reader: reads the cells of a frame of people as facts, in any form."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Integers, Mask
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.population.cell_reading import CellReading
from census_personas.generator.population.known_facts import NOTHING, Fact, KnownFacts
from census_personas.generator.sampling import where_clause

ASSIGNED = ("row", "uuid")
"""Columns that identify a row and are no evidence about the person."""
NAMES = ("given_name", "middle_name", "family_name", "second_family_name")
"""Roles of names; name tables lack rare names, so a name must not exclude anybody."""
_WHOLE = re.compile(r"\d{1,18}(\.0)?")
_SPAN = re.compile(r"(\d{1,18})(\s*-\s*(\d{1,18})?)?")
_PLUS = re.compile(r"\s*(\d+)\s*\+\s*")


class FactReader:
    """Reads frames of people under the attributes of a locale."""

    def __init__(self, priors: Priors, leaves: Sequence[Leaf]) -> None:
        """Read nothing yet."""
        self._priors = priors
        self._leaves = {leaf.child: leaf for leaf in leaves}
        self._cells = CellReading(priors)
        self._facts: dict[str, Fact] = {}
        self._names = {*priors.roles.named(NAMES, among=self._leaves)}

    def knows(self, column: str) -> bool:
        """Return whether a column is an attribute or identifies rows."""
        leaves = tuple(self._leaves.values())
        return column in {*ASSIGNED, "country", *where_clause.attributes(self._priors, leaves)}

    def fact(self, column: str) -> Fact:
        """Return a column as evidence.

        Raises:
            EvidenceError: no attribute has that name; names similar ones.
        """
        if column not in self._facts:
            leaves = tuple(self._leaves.values())
            source, values, codes = where_clause.states_of(column, self._priors, leaves, f"column {column!r}")
            hierarchy = self._priors.hierarchy
            if source in hierarchy.domain and (root := hierarchy.root(source)) != source:
                mine = hierarchy.codes(root, source)
                codes = mine if codes is None else codes[mine]
                source = root
            self._facts[column] = Fact(column, source, values, codes)
        return self._facts[column]

    def read(self, frame: pd.DataFrame) -> KnownFacts:
        """Return the facts of a frame.

        Raises:
            EvidenceError: a column is not an attribute, or a cell is not one of its states.
        """
        columns = [str(name) for name in frame.columns]
        if twice := [name for name in dict.fromkeys(columns) if columns.count(name) > 1]:
            raise EvidenceError(f"column {twice[0]!r} is there twice; give each attribute once")
        facts, cells, states, texts = [], [], [], {}
        for name in columns:
            if name == "row":
                self._check_rows(frame)
            if name in ASSIGNED:
                continue
            if name == "country":
                self._check_country(frame)
                continue
            fact = self.fact(name)
            mine, found, unknown = self._column(fact, frame[name], frame.index)
            facts.append(fact)
            cells.append(mine)
            states.append(tuple(found))
            if unknown:
                texts[name] = unknown
        table = np.stack(cells, axis=1) if cells else np.zeros((len(frame), 0), dtype=np.int64)
        return KnownFacts(tuple(facts), table, tuple(states), texts)

    @staticmethod
    def _check_rows(frame: pd.DataFrame) -> None:
        for label, cell in zip(frame.index, frame["row"].tolist(), strict=True):
            if not missing(cell) and not _WHOLE.fullmatch(str(cell)):
                raise EvidenceError(
                    f"column 'row', row {label}: {cell!r} is no whole number; rename the column or leave it out"
                )

    def _check_country(self, frame: pd.DataFrame) -> None:
        country = self._priors.country
        for label, cell in zip(frame.index, frame["country"].tolist(), strict=True):
            if not missing(cell) and str(cell) != country:
                raise EvidenceError(
                    f"column 'country', row {label}: {cell!r} is not the country of {self._priors.locale}; "
                    f"leave it out or write {country!r}"
                )

    def _column(
        self, fact: Fact, column: pd.Series, labels: pd.Index
    ) -> tuple[Integers, list[Integers], dict[int, str]]:
        """Return the content number of each cell, the states of each content, and names that the tables lack."""
        numbers: dict[Hashable, int] = {}
        states: list[Integers] = []
        unknown: dict[int, str] = {}
        found = np.full(len(column), NOTHING, dtype=np.int64)
        for row, cell in enumerate(column.tolist()):
            key = _key(cell)
            if key is None or (key == "" and "" not in fact.positions):
                continue
            if key not in numbers:
                matched = self._states(fact, cell, labels[row])
                numbers[key] = NOTHING if matched is None else len(states)
                states += [] if matched is None else [matched]
            found[row] = numbers[key]
            if numbers[key] == NOTHING:
                unknown[row] = str(cell)
        return found, states, unknown

    def _states(self, fact: Fact, cell: Any, label: Hashable) -> Integers | None:
        """Return the states of the source that a cell allows; None for a name that the tables lack."""
        options = _options(cell)
        places: set[int] = set()
        for option in options:
            place = self._place(fact, option)
            if place is not None:
                places.add(place)
            elif fact.column in self._names:
                return None
            else:
                places |= set(np.flatnonzero(self._match(fact, option, label)).tolist())
        if not options:
            raise EvidenceError(
                f"column {fact.column!r}, row {label}: an empty list leaves no state; leave the cell empty"
            )
        return fact.states(sorted(places))

    def _place(self, fact: Fact, option: Any) -> int | None:
        if fact.column == self._priors.roles.get("postcode"):
            option = self._cells.postcode(option)
        return fact.positions.get(str(option))

    def _match(self, fact: Fact, option: Any, label: Hashable) -> Mask:
        if isinstance(option, str):
            option = _PLUS.sub(r"\1-", option.replace("\N{EN DASH}", "-"))
        values = fact.values  # noqa: PD011  no series
        if isinstance(values[0], int | np.integer) and _is_outside(option, values):
            return np.zeros(len(fact.values), dtype=bool)
        words = self._priors.words(fact.column)
        try:
            return where_clause.match(fact.column, option, fact.values, "", words, patterns=False)
        except EvidenceError as error:
            what = str(error).removeprefix(f".{fact.column}: ")
            raise EvidenceError(f"column {fact.column!r}, row {label}: {what}") from error


def missing(cell: Any) -> bool:
    """Return whether a cell is empty: None, NaN, NaT or NA."""
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)  # noqa: PLR0124


def _is_outside(option: Any, values: Sequence[Any]) -> bool:
    """Whether a whole number, or a range of them, is one that nobody has."""
    text = str(int(option) if isinstance(option, float) and option.is_integer() else option).strip()
    span = _SPAN.fullmatch(text)
    if span is None:
        return False
    first = int(span[1])
    last = first if span[2] is None else int(span[3] or max(first, *values))
    return first <= last and (last < min(values) or first > max(values))


def _key(cell: Any) -> Hashable | None:
    if missing(cell):
        return None
    if isinstance(cell, str | int | float | bool):
        return cell
    if isinstance(cell, Mapping):
        return ("between", str(cell.get("min")), str(cell.get("max")), *sorted(map(str, cell)))
    if isinstance(cell, Iterable):
        return ("one of", *sorted({str(part) for part in cell}))
    return str(cell)


def _options(cell: Any) -> list[Any]:
    """Return the alternatives of a cell: one value, or each value of a list, set or range."""
    if isinstance(cell, str | Mapping) or not isinstance(cell, Iterable):
        return [cell]
    return [part for part in cell if not missing(part)]
