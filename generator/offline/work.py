"""Work: what a person does for a living, as the texts tell it: tasks, tools and skills."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from census_personas.generator.offline.equipment import told_tools
from census_personas.generator.offline.gerund import gerund_phrase

_LONGEST = (84, 62)  # longest task in a narrative, and in a list
_TOLD, _LISTED, _SKILLS = 2, 3, 5
WORDS = frozenset({"t1", "t2", "t_both", "s1", "s2", "s3", "s_both", "tasks", "gear", "k_list"})
"""Words that `Work` gives, as slots name them, beside `k1` to `k5`."""
_LEADER = re.compile(r"\b(?:supervisor|manager|administrator|director|executive|chief)\b")
# What a task says that only those do who have people under them.
_SUPERVISION = re.compile(
    r"\b(?:supervise|supervising|oversee|hire)\b|^(?:Train|Direct|Assign|Manage|Recruit|Educate)\b.{0,45}"
    r"\b(?:staff|workers?|employees|personnel|technicians|engineers|assistants|crews?|teams?|subordinates)\b",
    re.IGNORECASE,
)
# O*NET names of skills and knowledge, as one would say that a person has them.
_SKILL_WORDS = {
    "active learning": "learning on the job",
    "administration and management": "team administration",
    "administrative": "office administration",
    "biology": "a grounding in biology",
    "building and construction": "construction know-how",
    "chemistry": "practical chemistry",
    "communications and media": "media communication",
    "complex problem solving": "untangling hard problems",
    "computers and electronics": "computer skills",
    "coordination": "coordinating with others",
    "customer and personal service": "customer service",
    "design": "design principles",
    "economics and accounting": "basic accounting",
    "education and training": "training others",
    "engineering and technology": "engineering basics",
    "english language": "clear written English",
    "equipment maintenance": "equipment upkeep",
    "equipment selection": "choosing the right equipment",
    "fine arts": "artistic technique",
    "food production": "food handling",
    "foreign language": "foreign languages",
    "geography": "geographic knowledge",
    "history and archeology": "historical research",
    "installation": "equipment installation",
    "instructing": "instructing beginners",
    "judgment and decision making": "sound judgment",
    "law and government": "rules and regulations",
    "learning strategies": "teaching methods",
    "management of financial resources": "budget management",
    "management of material resources": "materials management",
    "management of personnel resources": "staff supervision",
    "mathematics": "practical math",
    "mechanical": "mechanical know-how",
    "medicine and dentistry": "medical knowledge",
    "monitoring": "progress monitoring",
    "negotiation": "negotiating",
    "operation and control": "equipment operation",
    "operations analysis": "working out what a system must do",
    "operations monitoring": "reading gauges and indicators",
    "personnel and human resources": "hiring and staff relations",
    "philosophy and theology": "ethical reasoning",
    "persuasion": "bringing others around",
    "physics": "applied physics",
    "production and processing": "production planning",
    "psychology": "applied psychology",
    "public safety and security": "workplace safety",
    "quality control analysis": "quality control",
    "reading comprehension": "close reading",
    "repairing": "equipment repair",
    "science": "scientific reasoning",
    "service orientation": "looking after people's needs",
    "social perceptiveness": "reading people",
    "sociology and anthropology": "cultural awareness",
    "speaking": "confident speaking",
    "systems analysis": "seeing how systems fit together",
    "systems evaluation": "judging how well systems work",
    "technology design": "adapting tools to the task",
    "telecommunications": "communications equipment",
    "therapy and counseling": "counseling",
    "transportation": "transport logistics",
    "writing": "concise writing",
}


@dataclass(frozen=True, slots=True)
class Work:
    """Tasks as narratives tell and lists list them, tools, skills of mind; `grounded` if O*NET gave a task to tell."""

    told: Sequence[str]
    listed: Sequence[str]
    equipment: Sequence[str]
    software: Sequence[str]
    skills: Sequence[str]
    grounded: bool

    @classmethod
    def of(
        cls,
        grounding: Mapping[str, Any],
        *,
        tasks: Iterable[str],
        skills: Iterable[str],
        desk: bool,
        coder: bool,
    ) -> Work:
        """Choose from the grounding; `tasks` and `skills` of the field stand in where O*NET gives too few.

        Programs are told of those who work at a desk, and those that others are built with of a `coder`.
        """
        phrases = [_phrases(task) for task in grounding.get("tasks") or ()]
        long, short = [long for long, _ in phrases if long], [short for _, short in phrases if short]
        equipment, software = told_tools(grounding.get("tools") or (), desk=desk, coder=coder)
        named = [_SKILL_WORDS.get(skill, skill) for skill in grounding.get("skills") or ()]
        return cls(
            _apart(long, tasks, _TOLD),
            _apart(short, tasks, _LISTED),
            equipment,
            software,
            _first(chain(named[:_LISTED], skills), _SKILLS),
            bool(long),
        )

    @property
    def words(self) -> dict[str, str]:
        """The words that fill slots; `gear` is left out where nothing is worth telling."""
        (t1, t2), (s1, s2, s3) = self.told, self.listed
        words = {f"k{place}": skill for place, skill in enumerate(self.skills, 1)}
        words |= {
            "t1": t1,
            "t2": t2,
            "t_both": _both(t1, t2),
            "s1": s1,
            "s2": s2,
            "s3": s3,
            "s_both": _both(s1, s2),
        }
        words["k_list"] = joined(self.skills)
        if self.equipment or self.software:
            words["gear"] = f"working with {joined([*self.equipment, *self.software])}"
        if self.grounded:
            words["tasks"] = t1
        return words

    @property
    def items(self) -> list[str]:
        """What a list of skills names, word for word as the prose does."""
        tools = [f"working with {joined(self.equipment)}"] if self.equipment else []
        return [*self.listed, *tools, *self.software, *self.skills]


def leads(title: str) -> bool:
    """Whether people of this title have others under them."""
    return _LEADER.search(title) is not None


def suited(grounding: Mapping[str, Any], *, junior: bool, pooled: bool, manager: bool) -> Mapping[str, Any]:
    """Return the grounding without what does not suit the person.

    Supervision does not suit a `junior`. Where the census pools several occupations in one code, two tasks or a tool
    may belong to two of them: one task is kept. O*NET lists for a `manager` the equipment of the plant.
    """
    if not (junior or pooled or manager):
        return grounding
    tasks = [task for task in grounding.get("tasks") or () if not (junior and _SUPERVISION.search(task))]
    kept = {"tasks": tasks[:1] if pooled else tasks}
    return {**grounding, **kept, "tools": ()} if pooled or manager else {**grounding, **kept}


def joined(texts: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    if len(texts) < 2:
        return texts[0] if texts else ""
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


@lru_cache(maxsize=65536)
def _phrases(task: str) -> tuple[str | None, str | None]:
    """Return a task as a narrative and as a list tells it."""
    told, listed = _LONGEST
    phrase = gerund_phrase(task, told)
    return phrase, phrase if phrase and len(phrase) <= listed else gerund_phrase(task, listed)


def _apart(phrases: Iterable[str], spare: Iterable[str], count: int) -> list[str]:
    """Return `count` phrases that begin with different verbs, the plain ones before those that hold an "and"."""
    found: dict[str, str] = {}
    for phrase in chain(phrases, spare):
        found.setdefault(phrase.partition(" ")[0].rstrip(","), phrase)
        if len(found) == count:
            break
    return sorted(found.values(), key=_is_list)


def _first(texts: Iterable[str], count: int) -> list[str]:
    """Return the first `count` texts that differ."""
    found: dict[str, None] = {}
    for text in texts:
        found[text] = None
        if len(found) == count:
            break
    return list(found)


def _is_list(phrase: str) -> bool:
    return " and " in phrase


def _both(first: str, second: str) -> str:
    """Return "a and b", with a comma where `first` has an "and" of its own."""
    return f"{first}{',' if _is_list(first) else ''} and {second}"
