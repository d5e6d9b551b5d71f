"""Work: tasks, tools and skills of a person's job, as the texts use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

_NARRATED, _LISTED, _SKILLS = 2, 3, 5
WORDS = frozenset({"t1", "t2", "t_both", "s1", "s2", "s3", "s_both", "tasks", "gear", "k_list"})
"""Words that `Work` provides, as slots name them, besides `k1` to `k5`."""
# Columns of the grounding that are aligned with the tasks, and with the tools.
_TASKS = ("task_phrases", "task_short_phrases", "task_supervises")
_TOOLS = ("tool_names", "tool_kinds")
GROUNDING = (*_TASKS, *_TOOLS, "skill_phrases")
"""Columns of the grounding that `Work` uses."""


@dataclass(frozen=True, slots=True)
class Joins:
    """How a language joins two phrases ("and") and introduces tools ("working with {}")."""

    conjunction: str
    gear: str

    def joined(self, texts: Sequence[str]) -> str:
        """Return "a", "a and b" or "a, b and c"."""
        if len(texts) < 2:
            return texts[0] if texts else ""
        return f"{', '.join(texts[:-1])} {self.conjunction} {texts[-1]}"

    def both(self, first: str, second: str) -> str:
        """Return "a and b", with a comma if `first` contains an "and"."""
        return f"{first}{',' if self.is_list(first) else ''} {self.conjunction} {second}"

    def is_list(self, phrase: str) -> bool:
        """Return whether a phrase joins two things."""
        return f" {self.conjunction} " in phrase

    def tools(self, names: Sequence[str]) -> str:
        """Return "working with a and b"."""
        return self.gear.replace("{}", self.joined(names))


@dataclass(frozen=True, slots=True)
class Work:
    """Tasks for narratives and for lists, tools, skills; `grounded` if the occupation has tasks."""

    narrated: Sequence[str]
    listed: Sequence[str]
    equipment: Sequence[str]
    software: Sequence[str]
    skills: Sequence[str]
    grounded: bool
    joins: Joins

    @classmethod
    def of(
        cls,
        grounding: Mapping[str, Any],
        *,
        tasks: Iterable[str],
        skills: Iterable[str],
        desk: bool,
        coder: bool,
        joins: Joins,
    ) -> Work:
        """Choose from the grounding; `tasks` and `skills` fill in where the occupation has too few.

        Software is mentioned only for desk workers, and development tools only for a `coder`.
        """
        long, short, _ = ([phrase for phrase in column if phrase] for column in _columns(grounding, _TASKS))
        equipment, software = _tools(grounding, desk=desk, coder=coder)
        named = grounding.get("skill_phrases") or ()
        return cls(
            _apart(long, tasks, _NARRATED, joins),
            _apart(short, tasks, _LISTED, joins),
            equipment,
            software,
            _first(chain(named[:_LISTED], skills), _SKILLS),
            bool(long),
            joins,
        )

    @property
    def words(self) -> dict[str, str]:
        """The words that fill slots; `gear` is left out if there are no tools."""
        (t1, t2), (s1, s2, s3) = self.narrated, self.listed
        words = {f"k{place}": skill for place, skill in enumerate(self.skills, 1)}
        words |= {
            "t1": t1,
            "t2": t2,
            "t_both": self.joins.both(t1, t2),
            "s1": s1,
            "s2": s2,
            "s3": s3,
            "s_both": self.joins.both(s1, s2),
        }
        words["k_list"] = self.joins.joined(self.skills)
        if self.equipment or self.software:
            words["gear"] = self.joins.tools([*self.equipment, *self.software])
        if self.grounded:
            words["tasks"] = t1
        return words

    @property
    def items(self) -> list[str]:
        """The items of the skill list, in the words of the prose."""
        tools = [self.joins.tools(self.equipment)] if self.equipment else []
        return [*self.listed, *tools, *self.software, *self.skills]


def suited(grounding: Mapping[str, Any], *, junior: bool, pooled: bool, manager: bool) -> Mapping[str, Any]:
    """Return the grounding without parts that do not fit the person.

    A `junior` does not supervise. Where the census pools several occupations in one code, two tasks, or a task and a
    tool, may belong to different occupations: one task is kept. For a `manager` the look-up lists the equipment of the
    plant, which is left out.
    """
    if not (junior or pooled or manager):
        return grounding
    tasks = [
        task
        for task in zip(*_columns(grounding, _TASKS), strict=True)
        if not (junior and task[_TASKS.index("task_supervises")])
    ][: 1 if pooled else None]
    kept = {name: [task[place] for task in tasks] for place, name in enumerate(_TASKS)}
    return {**grounding, **kept, **(dict.fromkeys(_TOOLS, ()) if pooled or manager else {})}


def _columns(grounding: Mapping[str, Any], names: Iterable[str]) -> list[Sequence[Any]]:
    return [grounding.get(name) or () for name in names]


def _tools(grounding: Mapping[str, Any], *, desk: bool, coder: bool) -> tuple[list[str], list[str]]:
    """Return a piece of equipment and a program, or two pieces of equipment."""
    tools = list(zip(*_columns(grounding, _TOOLS), strict=True))
    equipment = [name for name, kind in tools if kind == "equipment"]
    programs = {"program", "code"} if coder else {"program"}
    software = [name for name, kind in tools if desk and kind in programs]
    return equipment[: 1 if software else 2], software[:1]


def _apart(phrases: Iterable[str], spare: Iterable[str], count: int, joins: Joins) -> list[str]:
    """Return `count` phrases that begin with different verbs, those with an "and" last."""
    by_word: dict[str, str] = {}
    for phrase in chain(phrases, spare):
        by_word.setdefault(phrase.partition(" ")[0].rstrip(","), phrase)
        if len(by_word) == count:
            break
    return sorted(by_word.values(), key=joins.is_list)


def _first(texts: Iterable[str], count: int) -> list[str]:
    """Return the first `count` distinct texts."""
    by_word: dict[str, None] = {}
    for text in texts:
        by_word[text] = None
        if len(by_word) == count:
            break
    return list(by_word)
