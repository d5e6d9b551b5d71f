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
"""Lists that say something of each member of another list, in its order."""
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
    """One occupation, or one of the ways of having none.

    Attributes:
        name: snake_case, as in the dataset's `occupation`.
        code: the census's code; '' for those who have none.
        title: as prose calls a person: "registered nurse".
        soc: code in a standard classification.
        group: major group; '' for those who have none.
        job_zone: preparation, 1 little to 5 extensive; None if it is not known.
        education: level that most incumbents say it requires; '' if it is not known.
        licensed: whether its practice needs a licence everywhere.
        onet: codes of the descriptions that tasks, tools and skills are of, closest first.
        tasks: what one does; sentences without the final stop.
        tools: tools and technologies.
        skills: skills and fields of knowledge that matter here more than elsewhere.
        alternate_titles: short titles that incumbents report.
        task_phrases: each task as a phrase inside a sentence ("preparing reports"), cut to about 84 characters; ''
            for a task that makes no such phrase.
        task_short_phrases: the same, cut to about 62 characters.
        task_supervises: whether each task is for those who have people under them.
        tool_names: each tool in the words of a sentence; '' for one that says nothing of a person.
        tool_kinds: what each tool is: `equipment`, `program`, `code` (a program that others are built with) or ''.
        skill_phrases: each skill as one would say that a person has it.
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
        """Nothing is read here; `TableError` on first use if the table is missing.

        Args:
            folder: of the locale.
            without: states of the locale that are no occupation -> how prose calls somebody in them.
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
        """Names in order of the codes, without the states that are none."""
        return tuple(self._all)

    @cached_property
    def by_code(self) -> Mapping[str, Occupation]:
        """Occupations by code, four digits."""
        return {occupation.code: occupation for occupation in self}

    def __iter__(self) -> Iterator[Occupation]:
        """Occupations in order of the codes."""
        return iter(self._all.values())

    def __len__(self) -> int:
        """Number of codes."""
        return len(self._all)

    def __contains__(self, name: object) -> bool:
        """Whether `get` knows the name."""
        return name in self._all or name in self._special

    def get(self, name: str) -> Occupation:
        """The occupation of a name; states that are none are included.

        Raises:
            UnknownOccupationError: no such name; the message lists the nearest.
        """
        found = self._all.get(name) or self._special.get(name)
        if found is None:
            near = difflib.get_close_matches(str(name), [*self._all, *self._special], n=4, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else "Occupations.names lists the known ones"
            raise UnknownOccupationError(
                f"unknown occupation {name!r}: not known to the locale, which need not make it wrong; {hint}"
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
