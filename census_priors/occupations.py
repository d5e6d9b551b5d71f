"""Occupations: every occupation of a census with its code, its group, and its tasks, tools and skills."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from census_personas.census_priors.lookup import REMEDY, read_lookup
from census_personas.census_priors.marginal import TableError
from census_personas.foundation.errors import PersonasError

PHRASES: Mapping[str, tuple[str, ...]] = {
    "tasks": ("task_phrases", "task_short_phrases", "task_supervises"),
    "tools": ("tool_names", "tool_kinds"),
    "skills": ("skill_phrases",),
}
"""Lists that are aligned with another list, by that list's name."""
LISTS = (
    *("onet", "tasks", "tools", "skills", "alternate_titles"),
    *(column for columns in PHRASES.values() for column in columns),
)
TEXTS = ("occupation", "code", "title", "soc", "group", "education")


class UnknownOccupationError(PersonasError, KeyError):
    """An occupation name that the locale does not have."""

    def __str__(self) -> str:
        """The message without the quotes that KeyError puts around it."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Occupation:
    """One occupation, or a state without one.

    Attributes:
        name: snake_case, as in the dataset's `occupation`.
        code: census code; '' for states without an occupation.
        title: title of a person in prose: "registered nurse".
        soc: code in a standard classification.
        group: major group; '' for states without an occupation.
        job_zone: preparation, 1 little to 5 extensive; None if unknown.
        education: required level according to most incumbents; '' if unknown.
        licensed: whether a licence is required everywhere.
        onet: codes of the descriptions behind tasks, tools and skills, closest first.
        tasks: sentences without the final stop.
        tools: tools and technologies.
        skills: skills and fields of knowledge that matter more here than in other occupations.
        alternate_titles: short titles reported by incumbents.
        task_phrases: each task as a phrase inside a sentence ("preparing reports"), cut to about 84 characters; ''
            if that is impossible.
        task_short_phrases: the same, cut to about 62 characters.
        task_supervises: whether each task is for supervisors only.
        tool_names: each tool as a phrase for a sentence; '' for one that is not worth mentioning.
        tool_kinds: kind of each tool: `equipment`, `program`, `code` (a development tool) or ''.
        skill_phrases: each skill as a phrase for a person.
    """

    name: str
    code: str
    title: str
    soc: str = ""
    group: str = ""
    job_zone: int | None = None
    education: str = ""
    licensed: bool = False
    onet: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    alternate_titles: tuple[str, ...] = ()
    task_phrases: tuple[str, ...] = ()
    task_short_phrases: tuple[str, ...] = ()
    task_supervises: tuple[bool, ...] = ()
    tool_names: tuple[str, ...] = ()
    tool_kinds: tuple[str, ...] = ()
    skill_phrases: tuple[str, ...] = ()


class Occupations:
    """The occupations of a locale, in code order; read on first use."""

    def __init__(self, folder: Path, without: Mapping[str, str] = MappingProxyType({})) -> None:
        """Take the folder; the table is read on first use, with `TableError` if it is missing.

        Args:
            folder: of the locale.
            without: states without an occupation -> title of a person in prose.
        """
        self._folder = Path(folder)
        self._special = {name: Occupation(name, "", title) for name, title in without.items()}

    @cached_property
    def _all(self) -> Mapping[str, Occupation]:
        path = self._folder / "lookups" / "occupations.parquet"
        rows: list[dict[str, Any]] = read_lookup(path, TEXTS, ("job_zone", "licensed"), LISTS).to_pylist()
        found = {}
        for row in rows:
            _check_aligned(row, path)
            fields = (
                row | {column: tuple(row[column]) for column in LISTS} | {"job_zone": row["job_zone"] or None}
            )
            name = fields.pop("occupation")
            found[name] = Occupation(name=name, **fields)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Names in code order, without the states that are not occupations."""
        return tuple(self._all)

    @cached_property
    def by_code(self) -> Mapping[str, Occupation]:
        """Occupations by four-digit code."""
        return {occupation.code: occupation for occupation in self}

    def __iter__(self) -> Iterator[Occupation]:
        """Iterate over the occupations in code order."""
        return iter(self._all.values())

    def __len__(self) -> int:
        """Return the number of codes."""
        return len(self._all)

    def __contains__(self, name: object) -> bool:
        """Return whether `get` knows the name."""
        return name in self._all or name in self._special

    def get(self, name: str) -> Occupation:
        """Return the occupation with this name, or a state without one.

        Raises:
            UnknownOccupationError: no such name; the message lists similar ones.
        """
        found = self._all.get(name) or self._special.get(name)
        if found is None:
            near = difflib.get_close_matches(str(name), [*self._all, *self._special], n=4, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else "Occupations.names lists the known ones"
            raise UnknownOccupationError(
                f"unknown occupation {name!r}: the locale does not list it, though it may exist; {hint}"
            )
        return found


def _check_aligned(row: Mapping[str, Any], path: Path) -> None:
    for phrased, columns in PHRASES.items():
        for column in columns:
            if len(row[column]) != len(row[phrased]):
                raise TableError(
                    f"{path}: occupation {row['occupation']!r} has {len(row[column])} {column} for "
                    f"{len(row[phrased])} {phrased}; {REMEDY}"
                )
