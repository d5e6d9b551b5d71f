"""Completing: draws what rows of a file lack, conditional on what they say, and marks what was drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from census_personas.census_priors.roles import PLACE
from census_personas.foundation.randomness import row_of
from census_personas.foundation.schema import OF_INPUT
from census_personas.foundation.traits import TRAITS
from census_personas.generator.input.mapping import InputMapping
from census_personas.generator.narration.narrator import IMPOSSIBLE
from census_personas.generator.population.cell_reading import CellReading
from census_personas.generator.population.imputation import Imputation
from census_personas.generator.population.population import Population

DRAWN, KEY = OF_INPUT
_NEEDED = ("sex", "age", "occupation", "postcode")
_FOLLOWING = ("subregion", "metro", "urbanicity")
DERIVED = ("country", "birth_year", "occupation_code")
"""Columns of the engine that follow from others."""


class RowCompleter:
    """Completes rows that identify a person by imputation, and all others with the whole model.

    A row with sex, age, occupation, postcode and the other public attributes, as every released dataset has them, is
    completed as in earlier releases, with draws by its uuid. For any other row, all missing values are drawn together,
    from the model exactly conditioned on the row, with draws by its place in the file.
    """

    def __init__(self, population: Population, imputation: Imputation, seed: int) -> None:
        """Draw nothing yet."""
        self._population = population
        self._imputation = imputation
        self._seed = seed
        self._roles = population.priors.roles
        self._cells = CellReading(population.priors)

    @cached_property
    def readable(self) -> tuple[str, ...]:
        """All columns of a person that a file may have."""
        own = self._imputation
        return tuple(dict.fromkeys(("row", *own.public[1:], *own.imputed, *own.attributes)))

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The columns that a row needs to be completed by imputation: who it is, and what imputation does not draw."""
        own = self._imputation
        drawn = {*own.imputed, *self._roles.named(tuple(PLACE))}
        kept = (name for name in own.public if name in self._domain and name not in drawn)
        return tuple(dict.fromkeys((*self._roles.named(_NEEDED), *kept)))

    def lacking(self, mapping: InputMapping) -> tuple[str, ...]:
        """Return the needed columns that a file does not have."""
        return tuple(name for name in self.needed if name not in mapping.targets)

    def unsaid(self, mapping: InputMapping) -> tuple[str, ...]:
        """Return the columns that are drawn for every row: the file neither has nor decides them."""
        decided = {
            *DERIVED,
            "row",
            "uuid",
            *OF_INPUT,
            *(f"{trait}_label" for trait in TRAITS),
            *mapping.targets,
        }
        if self._roles.get("postcode") in mapping.targets:
            decided |= {*self._roles.named(tuple(PLACE))}
        return tuple(name for name in self.columns(mapping) if name not in decided)

    def columns(self, mapping: InputMapping) -> tuple[str, ...]:
        """Return the columns of completed rows; if the file lacks a needed one, all columns of the model."""
        own = self._imputation
        certain = ("row", *own.public, *own.imputed)
        drawn = tuple(map(str, self._population.sample(1).columns)) if self.lacking(mapping) else ()
        said = [name for name in mapping.targets if name in self.readable]
        return tuple(dict.fromkeys((*certain, *drawn, *said, DRAWN, *([KEY] if mapping.key else []))))

    def complete(
        self, rows: Sequence[Mapping[str, Any]], start: int, columns: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Return rows, the first of which is row `start` of the file, with a cell for every column.

        A row that is impossible in the locale has the reason under `IMPOSSIBLE`.
        """
        partial = [i for i, row in enumerate(rows) if not self._says_who(row)]
        drawn = self._drawn(rows, start, partial) if partial else {}
        found = [drawn[i] if i in drawn else self._imputed(row) for i, row in enumerate(rows)]
        return [_cells(row, columns) for row in found]

    def _says_who(self, row: Mapping[str, Any]) -> bool:
        certain = all(name in row for name in self.needed)
        return certain and not any(self._is_open(name, value) for name, value in row.items())

    def _is_open(self, name: str, value: Any) -> bool:
        """Return whether a value lists several, of which one is true."""
        if name in OF_INPUT or name not in self.readable:
            return False
        is_range = isinstance(value, str) and name == self._roles.get("age")
        return isinstance(value, list) or is_range

    def _imputed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        named = {**row, **self._imputation.name_of(row)}
        found = self._imputation.of(named)
        if not isinstance(found.get("row"), int):
            found["row"] = row_of(found["uuid"])
        drawn = (name for name in self._drawable if name in found and self._is_unsaid(name, named.get(name)))
        found[DRAWN] = list(dict.fromkeys((*_drawn_before(row), *drawn)))
        return found

    def _is_unsaid(self, name: str, cell: Any) -> bool:
        return self._cells.said(name, cell) is None

    @cached_property
    def _drawable(self) -> tuple[str, ...]:
        """The columns that imputation draws rather than derives from other facts."""
        derived = {*DERIVED, *self._roles.named(_FOLLOWING), *(f"{trait}_label" for trait in TRAITS)}
        return tuple(name for name in self._imputation.imputed if name not in derived)

    def _drawn(
        self, rows: Sequence[Mapping[str, Any]], start: int, partial: Sequence[int]
    ) -> dict[int, dict[str, Any]]:
        """Return the rows that the model completed, by their position in `rows`."""
        evidence = {i: self._evidence(rows[i]) for i in partial}
        names = dict.fromkeys((*self.needed, *(name for said in evidence.values() for name in said)))
        frame = pd.DataFrame(
            {name: [evidence.get(i, {}).get(name) for i in range(len(rows))] for name in names},
            index=range(start, start + len(rows)),
            dtype=object,
        )
        done = self._population.complete(frame, seed=self._seed, start=start)
        reasons = zip(done.impossible.index.tolist(), done.impossible["reason"].tolist(), strict=True)
        excluded = {label - start: str(reason) for label, reason in reasons}
        people = dict(
            zip(done.people.index.tolist(), done.people.astype(object).to_dict("records"), strict=True)
        )
        marks = dict(zip(done.drawn.index.tolist(), done.drawn.to_dict("records"), strict=True))
        return {
            i: {**self._kept(rows[i]), IMPOSSIBLE: excluded[i]}
            if i in excluded
            else self._joined(rows[i], evidence[i], people[start + i], marks[start + i])
            for i in partial
        }

    def _evidence(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a row that the model accepts as evidence."""
        own = {*self.readable} - {"row", "country", *(f"{trait}_label" for trait in TRAITS)}
        said = self.stated(
            {name: value for name, value in row.items() if name in own and _is_said(value)}, row
        )
        if self._roles.get("postcode") in said:
            # Whose places are called otherwise than the look-up calls them is where the postcode is.
            return {n: v for n, v in said.items() if n not in self._place_names or n in self._domain}
        return said

    def stated(self, said: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
        """What a row says, with the name that its texts give, without places that the look-up does not name."""
        known = self._place_names
        kept = {n: v for n, v in said.items() if n not in known or not _is_said(v) or _is_one_of(v, known[n])}
        return kept | self._imputation.name_of(row)

    @cached_property
    def _domain(self) -> frozenset[str]:
        return frozenset(self._population.priors.domain)

    @cached_property
    def _place_names(self) -> Mapping[str, frozenset[str]]:
        """Column of a place -> the places of the look-up; empty for a locale without one."""
        priors = self._population.priors
        if "places" not in priors.declaration.lookups:
            return {}
        roles = [role for role in PLACE if role != "postcode" and role in self._roles]
        return {self._roles[role]: frozenset(map(str, priors.places.column(role))) for role in roles}

    def _kept(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"row": row_of(row["uuid"]), DRAWN: [], **row}

    def _joined(
        self,
        row: Mapping[str, Any],
        said: Mapping[str, Any],
        person: Mapping[str, Any],
        marks: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Merge the row's own values with those drawn for it."""
        ours = {name: value for name, value in person.items() if name not in {"row", "uuid"}}
        certain = {
            name: value for name, value in said.items() if name not in ours or not self._is_open(name, value)
        }
        follows = {*DERIVED, *(f"{trait}_label" for trait in TRAITS)}
        drawn = [str(name) for name, is_drawn in marks.items() if is_drawn and name not in follows]
        own = {"row": row_of(row["uuid"])} | {name: row[name] for name in ("uuid", KEY) if name in row}
        named = {*_drawn_before(row), *drawn}
        return {**ours, **certain, **own, DRAWN: [name for name in ours if name in named]}


def _drawn_before(row: Mapping[str, Any]) -> list[str]:
    """Return the names that an earlier run had drawn, if the file is the output of one."""
    before = row.get(DRAWN)
    return before if isinstance(before, list) else []


def _is_said(value: Any) -> bool:
    return value is not None and value == value and value != ""  # noqa: PLR0124  NaN


def _is_one_of(value: Any, known: frozenset[str]) -> bool:
    return all(str(part) in known for part in (value if isinstance(value, list) else [value]))


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    cells = {name: row.get(name, "") for name in columns}
    return {**cells, IMPOSSIBLE: row[IMPOSSIBLE]} if IMPOSSIBLE in row else cells
