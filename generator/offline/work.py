"""Work: what a person does for a living, as the texts tell it: tasks, tools and skills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

_TOLD, _LISTED, _SKILLS = 2, 3, 5
WORDS = frozenset({"t1", "t2", "t_both", "s1", "s2", "s3", "s_both", "tasks", "gear", "k_list"})
"""Words that `Work` gives, as slots name them, beside `k1` to `k5`."""
# Facts of the grounding that are aligned with the tasks, and with the tools.
_TASKS = ("task_phrases", "task_short_phrases", "task_supervises")
_TOOLS = ("tool_names", "tool_kinds")
GROUNDING = (*_TASKS, *_TOOLS, "skill_phrases")
"""What of the grounding a `Work` is chosen from."""


@dataclass(frozen=True, slots=True)
class Joins:
    """How a language joins two phrases ("and"), and tells tools ("working with {}")."""

    conjunction: str
    gear: str

    def joined(self, texts: Sequence[str]) -> str:
        """Return "a", "a and b" or "a, b and c"."""
        if len(texts) < 2:
            return texts[0] if texts else ""
        return f"{', '.join(texts[:-1])} {self.conjunction} {texts[-1]}"

    def both(self, first: str, second: str) -> str:
        """Return "a and b", with a comma where `first` has an "and" of its own."""
        return f"{first}{',' if self.is_list(first) else ''} {self.conjunction} {second}"

    def is_list(self, phrase: str) -> bool:
        """Whether a phrase joins two things."""
        return f" {self.conjunction} " in phrase

    def tools(self, names: Sequence[str]) -> str:
        """Return "working with a and b"."""
        return self.gear.replace("{}", self.joined(names))


@dataclass(frozen=True, slots=True)
class Work:
    """Tasks as narratives tell and lists list them, tools, skills of mind; `grounded` if the occupation has tasks."""

    told: Sequence[str]
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
        """Choose from the grounding; `tasks` and `skills` of the field stand in where the occupation gives too few.

        Programs are told of those who work at a desk, and those that others are built with of a `coder`.
        """
        long, short, _ = ([phrase for phrase in column if phrase] for column in _columns(grounding, _TASKS))
        equipment, software = _tools(grounding, desk=desk, coder=coder)
        named = grounding.get("skill_phrases") or ()
        return cls(
            _apart(long, tasks, _TOLD, joins),
            _apart(short, tasks, _LISTED, joins),
            equipment,
            software,
            _first(chain(named[:_LISTED], skills), _SKILLS),
            bool(long),
            joins,
        )

    @property
    def words(self) -> dict[str, str]:
        """The words that fill slots; `gear` is left out where nothing is worth telling."""
        (t1, t2), (s1, s2, s3) = self.told, self.listed
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
        """What a list of skills names, word for word as the prose does."""
        tools = [self.joins.tools(self.equipment)] if self.equipment else []
        return [*self.listed, *tools, *self.software, *self.skills]


def suited(grounding: Mapping[str, Any], *, junior: bool, pooled: bool, manager: bool) -> Mapping[str, Any]:
    """Return the grounding without what does not suit the person.

    Supervision does not suit a `junior`. Where the census pools several occupations in one code, two tasks or a tool
    may belong to two of them: one task is kept. The look-up lists for a `manager` the equipment of the plant.
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
    """Return `count` phrases that begin with different verbs, the plain ones before those that hold an "and"."""
    found: dict[str, str] = {}
    for phrase in chain(phrases, spare):
        found.setdefault(phrase.partition(" ")[0].rstrip(","), phrase)
        if len(found) == count:
            break
    return sorted(found.values(), key=joins.is_list)


def _first(texts: Iterable[str], count: int) -> list[str]:
    """Return the first `count` texts that differ."""
    found: dict[str, None] = {}
    for text in texts:
        found[text] = None
        if len(found) == count:
            break
    return list(found)
