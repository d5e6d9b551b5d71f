"""Input mapping: the attribute of each column of a file, and the meaning of each value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from census_personas.foundation.schema import LISTS, PROSE
from census_personas.generator.input.headers import EXACT
from census_personas.generator.input.spelling import cell_text, cell_texts
from census_personas.generator.input.value_reading import LEFT, UNKNOWN, Reading, one_of

DRAWN = "drawn"
"""Column of the `full` schema that lists what was drawn; it is kept when a dataset is narrated again."""
_KEPT = frozenset({*PROSE, *LISTS, DRAWN})
_NAMED = 3  # values that a message names
_LONGEST = 100  # characters of a cell that a message shows


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column of a file that is read.

    Attributes:
        source: its header.
        target: the attribute, or column of a look-up, that it holds.
        how: how its header was recognized (`headers`); None if the config maps it.
        readings: what each value means; None if any text is valid.
        counts: how often each value occurs; empty cells are counted under None.
        is_unknown: if any text is valid, whether a text says that nobody knows.
    """

    source: str
    target: str
    how: int | None
    readings: Mapping[str, Reading] | None = None
    counts: Counter[str | None] = field(default_factory=Counter)
    is_unknown: Callable[[str], bool] = lambda _: False

    def read(self, cell: Any) -> Reading:
        """Return what a cell means; if any text is valid, the cell itself."""
        if self.readings is None:
            return UNKNOWN if isinstance(cell, str) and self.is_unknown(cell.strip()) else Reading(cell)
        if (texts := cell_texts(cell)) is not None:
            return one_of([self.readings.get(text, LEFT) for text in texts])
        text = cell_text(cell)
        return UNKNOWN if text is None else self.readings.get(text, LEFT)

    @property
    def left(self) -> Counter[str]:
        """Values whose meaning is unclear, with their rows."""
        return self._counted(lambda reading: reading.left)

    @property
    def foreign(self) -> Counter[str]:
        """Occupations or postcodes that the locale does not know, with their rows."""
        return self._counted(lambda reading: reading.foreign)

    @property
    def unknown(self) -> int:
        """Number of rows in which the column is unknown."""
        named = self._counted(lambda reading: reading.value is None and not reading.left)
        return self.counts[None] + sum(named.values())

    @property
    def changed(self) -> Mapping[str, Any]:
        """Values whose meaning differs from their text, with their meaning."""
        return {
            text: reading.value
            for text, reading in (self.readings or {}).items()
            if not reading.left and str(reading.value) != text
        }

    def _counted(self, wanted: Any) -> Counter[str]:
        readings = self.readings or {}
        return Counter({text: self.counts[text] for text, reading in readings.items() if wanted(reading)})


@dataclass(frozen=True)
class InputMapping:
    """How a file is read: its columns, its key, and open questions.

    Attributes:
        columns: the columns that are read.
        key: the column that identifies rows, if there is one.
        uuid: the column of uuids, if there is one.
        ignored: headers that are not read.
        faults: questions that the user must decide before the file can be read, each with its remedy.
        employed: the occupation column, the work column, and the work state of people whose occupation the locale
            does not know.
    """

    columns: tuple[MappedColumn, ...]
    key: str | None = None
    uuid: str | None = None
    ignored: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    employed: tuple[str, str, str] | None = None

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The attributes that the file has."""
        return tuple(column.target for column in self.columns)

    @cached_property
    def facts(self) -> frozenset[str]:
        """The attributes, and with them that of work, which an occupation says something of."""
        return frozenset((*self.targets, *(self.employed or ())[1:2]))

    def read(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row's values, lists or ranges by attribute, without unknown ones.

        Texts of the row are kept, because they contain names.
        """
        said = {name: row[name] for name in _KEPT if name in row}
        employment: tuple[str, ...] = ()
        if self.uuid is not None:
            said["uuid"] = row.get(self.uuid)
        for column in self.columns:
            reading = column.read(row.get(column.source))
            if reading.foreign:
                if self.employed is not None and column.target == self.employed[0]:
                    employment = self.employed[1:]
            elif reading.value is not None:
                said[column.target] = reading.value
        if employment:
            said.setdefault(*employment)
        return said

    def unread(self, row: Mapping[str, Any]) -> str | None:
        """Why a row cannot be read: a cell of which nobody can say what it means. None of a row that can."""
        for column in self.columns:
            cell = row.get(column.source)
            if column.read(cell).left:
                return f"column {column.source!r}: {str(cell)[:_LONGEST]!r} means nothing known as {column.target}"
        return None

    @property
    def is_plain(self) -> bool:
        """Whether the file uses only the locale's own names and values."""
        return self.key is None and all(
            column.how == EXACT and not column.changed and not column.foreign for column in self.columns
        )

    def identity(self) -> list[Any]:
        """Return what the mapping adds to a run's identity, as plain JSON values."""
        return [self.key, *([c.source, c.target, dict(sorted(c.changed.items()))] for c in self.columns)]


def shown(values: Counter[str]) -> str:
    """Return the most frequent values with their rows: `'7' (30 rows), 'x' (1 row)`."""
    named = [f"{text!r} ({count(rows, 'row')})" for text, rows in values.most_common(_NAMED)]
    return ", ".join(named) + (", …" if len(values) > _NAMED else "")


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
