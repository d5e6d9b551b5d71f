"""Plan: shows how a file of people would be read and completed, before anything is paid for."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from census_personas.generator.input.completing import DERIVED, DRAWN
from census_personas.generator.input.headers import EXACT
from census_personas.generator.input.mapping import InputMapping, MappedColumn, count, shown
from census_personas.generator.input.remarks import remarks_on
from census_personas.generator.input.resolution import BIRTH_YEAR, Resolution
from census_personas.generator.narration.narrator import IMPOSSIBLE

_MOST_VALUES = 12
_NUMBER = re.compile(r"[0-9]+([.,][0-9]+)?")  # weights and counts look like ages
_WIDTH = 110
_HOW = {0: "by its name", 1: "by its name, spelt otherwise", 2: "by a usual name", None: "by the config"}


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file would be read and completed.

    Attributes:
        file: its path.
        rows: number of its rows.
        separator: between the cells of a text file.
        mapping: how it is read.
        targets: header -> the attribute that a config names for it; `birth_year` where ages follow from years of birth.
        unsaid: attributes that are drawn for every person, as the file does not have them.
        remarks: header -> questions about values that can be read, but may be codes.
        suggestions: headers that are not read -> the attributes that they may hold.
        section: the config's `input` section for all of this.
        people: the first people, completed; empty if a question must be decided first.
    """

    file: str
    rows: int
    separator: str
    mapping: InputMapping
    targets: Mapping[str, str]
    unsaid: tuple[str, ...]
    remarks: Mapping[str, Sequence[str]]
    suggestions: Mapping[str, str]
    section: Mapping[str, Any]
    people: Sequence[Mapping[str, Any]]

    def text(self) -> str:
        """Return the plan as text."""
        lines = [f"{self.file}: {count(self.rows, 'row')}", "", "columns"]
        for column in self.mapping.columns:
            lines += _column_lines(column, self.targets[column.source])
            lines += [f"    {said}" for said in self.remarks[column.source]]
        if self.mapping.key or self.mapping.uuid:
            kind = "key" if self.mapping.key else "uuid"
            lines.append(f"  {self.mapping.key or self.mapping.uuid} -> {kind} of the row")
        for name in self.mapping.ignored:
            hint = self.suggestions.get(name)
            lines.append(f"  {name}: not read" + (f"; may hold {hint}" if hint else ""))
        drawn = f"drawn for everybody: {', '.join(self.unsaid) or 'nothing'}"
        lines += ["", *textwrap.wrap(drawn, _WIDTH, subsequent_indent="  ")]
        if self.partly:
            some = ", ".join(f"{name} ({count(rows, 'row')})" for name, rows in self.partly.items())
            lines.append(f"drawn for some: {some}")
        if self.mapping.faults:
            lines += ["", "to be decided first", *(f"  {fault}" for fault in self.mapping.faults)]
        for number, person in enumerate(self.people, start=1):
            lines += ["", f"person {number}", *(f"  {line}" for line in _person_lines(person))]
        return "\n".join([*lines, "", "config", *self.yaml().splitlines()])

    @property
    def partly(self) -> dict[str, int]:
        """Attributes of the file that are drawn in some rows, with the number of rows."""
        columns = (column for column in self.mapping.columns if column.readings is not None)
        return {column.target: rows for column in columns if (rows := _open_rows(column))}

    def yaml(self) -> str:
        """Return the section to paste into a config; values of unclear meaning are null, to be filled in."""
        return yaml.safe_dump({"input": dict(self.section)}, sort_keys=False, allow_unicode=True, width=100)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return {
            "file": self.file,
            "rows": self.rows,
            "columns": {
                column.source: {
                    "attribute": column.target,
                    "values": dict(column.changed),
                    "left": dict(column.left),
                    "unknown": column.unknown,
                }
                for column in self.mapping.columns
            },
            "key": self.mapping.key,
            "ignored": list(self.mapping.ignored),
            "remarks": {name: list(said) for name, said in self.remarks.items() if said},
            "suggestions": dict(self.suggestions),
            "drawn": list(self.unsaid),
            "drawn_for_some": self.partly,
            "faults": list(self.mapping.faults),
            "people": [dict(person) for person in self.people],
            "input": dict(self.section),
        }


def plan_of(
    resolution: Resolution,
    mapping: InputMapping,
    unsaid: Sequence[str],
    people: Sequence[Mapping[str, Any]],
) -> Plan:
    """Return the plan of a file whose mapping is resolved."""
    source = resolution.source
    return Plan(
        file=str(source.path),
        rows=source.count,
        separator=source.text.separator,
        mapping=mapping,
        targets={column.source: _written_target(resolution, column) for column in mapping.columns},
        unsaid=tuple(unsaid),
        remarks={column.source: tuple(remarks_on(resolution, column)) for column in mapping.columns},
        suggestions=_suggestions(resolution, mapping),
        section=_section(resolution, mapping),
        people=people,
    )


def _section(resolution: Resolution, mapping: InputMapping) -> dict[str, Any]:
    said = resolution.said
    section: dict[str, Any] = {"file": said.file}
    columns: dict[str, str | None] = {
        c.source: _written_target(resolution, c) for c in mapping.columns if c.source != c.target
    }
    columns |= {name: target for name, target in said.columns.items() if target is None}
    values: dict[str, dict[str, Any]] = {}
    for column in mapping.columns:
        guessed = {text: _guess(resolution, column.target, text) for text in column.left}
        own: dict[str, Any] = {**said.values.get(column.source, {}), **said.values.get(column.target, {})}
        if column.how is None or not _is_words(column):
            years = _written_target(resolution, column) == BIRTH_YEAR
            own |= {
                text: value
                for text, value in column.changed.items()
                if _needs_saying(column, text) and not (years and isinstance(value, int))
            }
        if own or guessed:
            values[column.target] = {text: _plain(value) for text, value in {**own, **guessed}.items()}
    section |= {"columns": columns} if columns else {}
    section |= {"values": values} if values else {}
    section |= {"key": mapping.key} if mapping.key and mapping.key != "uuid" else {}
    section |= {"encoding": said.encoding} if said.encoding != "utf-8-sig" else {}
    section |= {"separator": said.separator} if said.separator else {}
    return section


def _written_target(resolution: Resolution, column: MappedColumn) -> str:
    """Return the attribute that a config names for a column: years of birth are not to be read as ages."""
    is_birth = resolution.holds_birth_years(column.source, column.target)
    return BIRTH_YEAR if is_birth else column.target


def _guess(resolution: Resolution, attribute: str, text: str) -> str | None:
    return (
        resolution.vocabulary.suggestion(attribute, text) if attribute in resolution.priors.domain else None
    )


def _is_words(column: MappedColumn) -> bool:
    return len(column.changed) > _MOST_VALUES


def _needs_saying(column: MappedColumn, text: str) -> bool:
    return column.readings is not None and not column.readings[text].foreign


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _suggestions(resolution: Resolution, mapping: InputMapping) -> dict[str, str]:
    """Return the attributes that unread columns may hold, judged by their values or by words of their headers."""
    ignored = mapping.ignored
    if not ignored:
        return {}
    taken = {column.target for column in mapping.columns}
    found = {}
    tallies = resolution.source.tally(ignored)
    for name in ignored:
        texts = [text for text in tallies[name] if text is not None]
        if len(texts) > 1 and (fit := _fit(resolution, name, texts)) is not None:
            found[name] = fit
            continue
        hints = [
            hint
            for hint in resolution.headers.hints(name)
            if hint not in taken and _is_half_read(resolution, hint, name, texts)
        ]
        if hints:
            found[name] = " or ".join(hints)
    return found


def _fit(resolution: Resolution, header: str, texts: Sequence[str]) -> str | None:
    """Return the one attribute that all values of a column belong to: one with a role, else any, such as a division."""
    if all(_NUMBER.fullmatch(text) for text in texts):
        return None
    domain = resolution.priors.domain
    named = [name for name in resolution.priors.roles.columns.values() if name in domain]
    for attributes in (named, [name for name in domain if name not in named]):
        fits = [name for name in attributes if _fits(resolution, name, header, texts)]
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _fits(resolution: Resolution, attribute: str, header: str, texts: Sequence[str]) -> bool:
    reader = resolution.vocabulary.reader(attribute, header)
    return reader is not None and all(reader(text).value is not None for text in texts)


def _is_half_read(resolution: Resolution, attribute: str, header: str, texts: Sequence[str]) -> bool:
    reader = resolution.vocabulary.reader(attribute, header)
    return reader is not None and 2 * sum(not reader(text).left for text in texts) >= len(texts) > 0


def _open_rows(column: MappedColumn) -> int:
    """Return rows of which the column leaves more than one state open."""
    several = {
        text
        for text, reading in (column.readings or {}).items()
        if isinstance(reading.value, list) or (isinstance(reading.value, str) and _is_range(reading.value))
    }
    return column.unknown + sum(n for text, n in column.counts.items() if text in several)


def _is_range(value: str) -> bool:
    first, dash, last = value.partition("-")
    return bool(dash) and first.isdecimal() and last.isdecimal()


def _column_lines(column: MappedColumn, written: str) -> list[str]:
    how = "" if column.how == EXACT else f" ({_HOW[column.how]})"
    years = ", years of birth" if written == BIRTH_YEAR else ""
    lines = [f"  {column.source} -> {column.target}{years}{how}"]
    changed = list(column.changed.items())
    for text, value in changed[:_MOST_VALUES]:
        lines.append(f"    {text!r} -> {_meaning(value)} ({count(column.counts[text], 'row')})")
    if len(changed) > _MOST_VALUES:
        lines.append(f"    … {count(len(changed) - _MOST_VALUES, 'more value')}")
    if column.counts[None]:
        lines.append(f"    empty -> not known ({count(column.counts[None], 'row')})")
    if column.left:
        lines.append(f"    left over: {shown(column.left)}")
    return lines


def _meaning(value: Any) -> str:
    if value is None:
        return "not known"
    return " or ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _person_lines(person: Mapping[str, Any]) -> list[str]:
    drawn = set(person.get(DRAWN) or ())
    if person.get(IMPOSSIBLE):
        return [f"rejected: {person[IMPOSSIBLE]}"]
    shown_facts = {
        name: value
        for name, value in person.items()
        if value != "" and name not in {DRAWN, "row", *DERIVED} and not name.endswith("_label")
    }
    parts = [
        ("known", [f"{name} {value}" for name, value in shown_facts.items() if name not in drawn]),
        ("drawn", [f"{name} {value}" for name, value in shown_facts.items() if name in drawn]),
    ]
    return [
        line
        for title, facts in parts
        if facts
        for line in textwrap.wrap(f"{title}: {', '.join(facts)}", _WIDTH, subsequent_indent="  ")
    ]
