"""Details: the hobbies and skills chosen for one person, told alike in lists and in prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from persona_engine.generator.llm.gerund import gerund_phrase
from persona_engine.generator.llm.grammar import Derivation, Grammar
from persona_engine.generator.llm.portrait import Portrait

_TASK = (84, 62)  # longest task in a narrative, and in a list
_TOOL = 34
_TASKS, _TOOLS, _WORK_SKILLS, _EVERYDAY_SKILLS = 3, 3, 4, 8
_TRIES = 100
_SAME_VERB = 2  # hobbies that may begin alike ("playing bridge", "playing dominoes")
_ACRONYM = re.compile(r"^(?P<words>.+?) (?P<acronym>[A-Z]{2,5})(?P<rest> .*)?$")
_PUNCTUATED = re.compile(r"[,;:!?{}]|\.(?: |$)")
# O*NET names of skills and knowledge, as one would say that a person has them.
_SKILL_WORDS = {
    "administration and management": "administration",
    "administrative": "office routine",
    "biology": "applied biology",
    "building and construction": "construction know-how",
    "chemistry": "practical chemistry",
    "communications and media": "media sense",
    "computers and electronics": "computer skills",
    "coordination": "close coordination",
    "customer and personal service": "customer service",
    "design": "an eye for design",
    "economics and accounting": "basic accounting",
    "education and training": "a gift for training others",
    "engineering and technology": "engineering sense",
    "english language": "clear English",
    "fine arts": "artistic judgment",
    "food production": "knowledge of food production",
    "foreign language": "a second language",
    "geography": "a sense of geography",
    "history and archeology": "historical knowledge",
    "installation": "careful installation",
    "instructing": "patient instruction",
    "judgment and decision making": "sound judgment",
    "law and government": "knowledge of the rules",
    "management of financial resources": "budget management",
    "management of material resources": "materials management",
    "management of personnel resources": "personnel management",
    "mathematics": "confident arithmetic",
    "mechanical": "mechanical sense",
    "medicine and dentistry": "medical knowledge",
    "monitoring": "attentive monitoring",
    "operation and control": "equipment control",
    "operations monitoring": "an eye on gauges and dials",
    "personnel and human resources": "personnel know-how",
    "philosophy and theology": "ethical reflection",
    "physics": "a feel for physics",
    "production and processing": "production know-how",
    "programming": "programming logic",
    "psychology": "insight into people",
    "public safety and security": "safety awareness",
    "repairing": "careful repair",
    "sales and marketing": "sales sense",
    "science": "scientific reasoning",
    "sociology and anthropology": "social insight",
    "speaking": "clear speaking",
    "telecommunications": "telecom know-how",
    "therapy and counseling": "counseling skills",
    "transportation": "transport know-how",
    "writing": "clear writing",
}


@dataclass(frozen=True, slots=True)
class Details:
    """What one person does well and likes, as slots of the grammar and as the two lists."""

    words: Mapping[str, str]
    tags: frozenset[str]
    skills: tuple[str, ...]
    hobbies: tuple[str, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any], portrait: Portrait, grammar: Grammar, random: Random) -> Details:
        """Choose hobbies from the grammar, and skills from the occupation's grounding or from everyday life."""
        derivation = Derivation(grammar, random, words=portrait.words, tags=portrait.tags)
        hobbies = _hobbies(grammar.pool("hobby", portrait.tags), random)
        hobbies = [derivation.fill(text) for text in hobbies]
        words = _numbered("h", hobbies)
        tags = {7: {"seven"}, 8: {"eight"}}.get(len(hobbies), set())
        if "worker" in portrait.tags or gerunds(facts, _TASK[1]):
            tags = {*tags, "tasks"}
            skills = _work(facts, portrait, grammar, random, words)
        else:
            skills = tuple(_choose(grammar.pool("skill_everyday", portrait.tags), _EVERYDAY_SKILLS, random))
            words.update(_numbered("k", skills))
        items = (tuple(text[0].upper() + text[1:] for text in texts) for texts in (skills, hobbies))
        return cls(words, portrait.tags | tags, *items)


def _work(
    facts: Mapping[str, Any], portrait: Portrait, grammar: Grammar, random: Random, words: dict[str, str]
) -> tuple[str, ...]:
    """Fill the slots of work: tasks t1.. for narratives and s1.. for skills, tools `g_list`, skills `k_list`."""
    openings = {_opening(text) for text in gerunds(facts, _TASK[0])}
    pool = [text for text in grammar.pool("work_task", portrait.tags) if _opening(text) not in openings]
    spare = _choose(pool, 2 * _TASKS, random)
    told = _first(2, gerunds(facts, _TASK[0]), spare)
    short = [text for text in gerunds(facts, _TASK[1]) if text not in told[:1]]
    listed = _first(_TASKS, short, [text for text in told if len(text) <= _TASK[1]], spare[2:])
    tools = [text for text in map(_tool, _grounding(facts, "tools")) if text]
    tools = _first(
        _TOOLS, tools, _choose(grammar.pool("work_tool", portrait.tags), 2, random) if not tools else ()
    )
    known = [_SKILL_WORDS.get(skill.lower(), skill.lower()) for skill in _grounding(facts, "skills")]
    own = _choose(grammar.pool("work_skill", portrait.tags), _WORK_SKILLS, random)
    skills = _first(_WORK_SKILLS, known[:_TASKS], own)
    everyday = _choose(grammar.pool("skill_everyday", portrait.tags), _EVERYDAY_SKILLS - len(skills), random)
    words.update(_numbered("t", told) | _numbered("s", listed) | _numbered("k", [*skills, *everyday]))
    words.update(g_list=joined(tools), k_list=joined(skills))
    return (*listed, *tools, *skills)


def gerunds(facts: Mapping[str, Any], longest: int) -> list[str]:
    """Return the tasks that the facts are grounded in as gerund phrases of at most `longest` characters."""
    phrases = (gerund_phrase(task, longest) for task in _grounding(facts, "tasks"))
    return list(dict.fromkeys(phrase for phrase in phrases if phrase))


def joined(texts: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


def _hobbies(pool: Sequence[str], random: Random) -> list[str]:
    count = 6 + int(random.random() * 3)
    chosen: list[str] = []
    verbs: list[str] = []
    for _ in range(_TRIES):
        text = pool[int(random.random() * len(pool))]
        verb = text.split(" ", 1)[0]
        if text not in chosen and verbs.count(verb) < _SAME_VERB:
            chosen.append(text)
            verbs.append(verb)
        if len(chosen) == count:
            break
    return chosen


def _choose(pool: Sequence[str], count: int, random: Random) -> list[str]:
    """Draw without replacement; `Random.sample` may change between Python versions, `random()` may not."""
    left = list(pool)
    return [left.pop(int(random.random() * len(left))) for _ in range(min(count, len(left)))]


def _first(count: int, *sources: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for source in sources for text in source))[:count]


def _opening(text: str) -> tuple[str, ...]:
    return tuple(text.split(" ")[:2])


def _numbered(letter: str, texts: Sequence[str]) -> dict[str, str]:
    return {f"{letter}{place}": text for place, text in enumerate(texts, 1)}


def _grounding(facts: Mapping[str, Any], kind: str) -> Sequence[str]:
    grounding = facts.get("grounding") or {}
    return [str(text) for text in grounding.get(kind) or ()]


def _tool(text: str) -> str | None:
    """Return a tool without its spelled-out acronym ("flash drives USB"), None if too long to name in passing."""
    found = _ACRONYM.match(text)
    if found:
        words = found["words"].split(" ")
        initials = "".join(word[0] for word in words[-len(found["acronym"]) :]).upper()
        if initials == found["acronym"]:
            text = " ".join(words) + (found["rest"] or "")
            text = text[0].lower() + text[1:]
    return text if len(text) <= _TOOL and not _PUNCTUATED.search(text) else None
