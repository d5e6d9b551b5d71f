"""Details: what is chosen once for a person and told alike in lists, in prose and in both calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona_engine.generator.llm.offline.derivation import Derivation
from persona_engine.generator.llm.offline.draws import Draw
from persona_engine.generator.llm.offline.equipment import told_tools
from persona_engine.generator.llm.offline.gerund import gerund_phrase
from persona_engine.generator.llm.offline.grammar import Grammar
from persona_engine.generator.llm.offline.portrait import Portrait
from persona_engine.generator.llm.offline.symbol import Alternative

_TASK = (84, 62)  # longest task in a narrative, and in a list
_TASKS, _WORK_SKILLS, _EVERYDAY_SKILLS = 3, 5, 8
_HOBBIES = (4, 3)  # at least so many beside the two of one's own, and so many choices of number
_TRIES = 60
WORDS = frozenset(
    {f"{letter}{place}" for letter in "hstk" for place in range(1, 10)}
    | {"h_rest", "k_list", "gear", "tasks"}
)
"""Words that `Details` gives, as slots name them, beside those of the grammar's `own_` symbols."""
TAGS = frozenset({"tasks", "gear"})
_CODERS = frozenset({"job_technical", "job_science"})
_NUMBERED = {letter: tuple(f"{letter}{place}" for place in range(1, 10)) for letter in "hstk"}
# O*NET names of skills and knowledge, as one would say that a person has them.
_SKILL_WORDS = {
    "administration and management": "team administration",
    "administrative": "office administration",
    "communications and media": "media communication",
    "computers and electronics": "computer skills",
    "coordination": "coordinating with others",
    "customer and personal service": "customer service",
    "design": "design principles",
    "economics and accounting": "basic accounting",
    "education and training": "training others",
    "engineering and technology": "engineering basics",
    "english language": "clear written English",
    "equipment selection": "choosing the right equipment",
    "fine arts": "artistic technique",
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
    "operation and control": "equipment operation",
    "operations monitoring": "reading gauges and indicators",
    "personnel and human resources": "hiring and staff relations",
    "philosophy and theology": "ethical reasoning",
    "physics": "applied physics",
    "production and processing": "production planning",
    "psychology": "applied psychology",
    "public safety and security": "workplace safety",
    "repairing": "equipment repair",
    "science": "scientific reasoning",
    "sociology and anthropology": "cultural awareness",
    "speaking": "clear speaking",
    "therapy and counseling": "counseling",
    "transportation": "transport logistics",
    "writing": "clear writing",
}


@dataclass(frozen=True, slots=True)
class Details:
    """What one person does well and likes, as slots of the grammar and as the two lists; `owned` is not drawn again."""

    words: Mapping[str, str]
    tags: int
    skills: tuple[str, ...]
    hobbies: tuple[str, ...]
    owned: tuple[Alternative, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any], portrait: Portrait, grammar: Grammar, draw: Draw) -> Details:
        """Choose leanings, then what is the person's own, then hobbies and skills.

        A leaning (`leaning_kitchen`) is a tag drawn for the person, which opens alternatives elsewhere. What is
        their own (`own_dish`) is a text drawn once, so that every text that names it names the same.
        """
        bits = grammar.bits.of
        tags = bits(portrait.tags)
        for symbol in grammar.leanings:
            tags |= bits((_drawn(symbol.pool(tags), draw).text,))
        words = dict(portrait.words)
        derivation = Derivation(grammar, draw, words=words, tags=tags, avoid=portrait.home)
        owned = [(symbol.name, derivation.draw(symbol.pool(tags))) for symbol in grammar.owned]
        for name, alternative in owned:
            words[name] = derivation.fill(alternative)
        hobbies = _hobbies(words, derivation, grammar.symbol("hobby").pool(tags), draw)
        words["h_rest"] = joined(hobbies[4:])
        if "worker" in portrait.tags or "military" in portrait.tags:
            skills, more = _work(facts, tags, grammar, draw, coder=not portrait.tags.isdisjoint(_CODERS))
            words |= more
            tags |= bits([name for name in TAGS if more.get(name)])
        else:
            skills = _choose(grammar.symbol("skill_everyday").pool(tags), _EVERYDAY_SKILLS, draw)
            words.update(zip(_NUMBERED["k"], skills, strict=False))
        words.update(zip(_NUMBERED["h"], hobbies, strict=False))
        return cls(
            words, tags, _capitalized(skills), _capitalized(hobbies), tuple([drawn for _, drawn in owned])
        )


def _work(
    facts: Mapping[str, Any], tags: int, grammar: Grammar, draw: Draw, *, coder: bool
) -> tuple[list[str], dict[str, str]]:
    """Choose tasks t1.. for narratives and s1.. for skills, `gear`, and the skills of mind `k_list`."""
    grounding = facts.get("grounding") or {}
    tasks = gerunds(facts, _TASK[0])
    listed = gerunds(facts, _TASK[1])
    told = tasks[:2]
    if len(told) < 2 or len(listed) < _TASKS:
        spare = _choose(grammar.symbol("work_task").pool(tags), _TASKS, draw)
        told = [*told, *spare][:2]
        listed = [*listed, *spare]
    listed = listed[:_TASKS]
    equipment, software = told_tools(tuple(grounding.get("tools") or ()), coder=coder)
    named = joined([*equipment, *software])
    skills = [_SKILL_WORDS.get(skill, skill) for skill in grounding.get("skills") or ()][:_TASKS]
    for skill in _choose(grammar.symbol("work_skill").pool(tags), _WORK_SKILLS, draw):
        if len(skills) < _WORK_SKILLS and skill not in skills:
            skills.append(skill)
    words = dict(zip(_NUMBERED["t"], told, strict=False))
    words.update(zip(_NUMBERED["s"], listed, strict=False))
    words.update(zip(_NUMBERED["k"], skills, strict=False))
    words["k_list"] = joined(skills)
    if named:
        words["gear"] = f"working with {named}"
    if tasks:
        words["tasks"] = tasks[0]
    tools = [f"working with {joined(equipment)}"] if equipment else []
    return [*listed, *tools, *software, *skills], words


def gerunds(facts: Mapping[str, Any], longest: int) -> list[str]:
    """Return the tasks that the facts are grounded in as gerund phrases of at most `longest` characters."""
    tasks = (facts.get("grounding") or {}).get("tasks") or ()
    phrases = [gerund_phrase(task, longest) for task in tasks]
    return list(dict.fromkeys([phrase for phrase in phrases if phrase]))


def joined(texts: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    if len(texts) < 2:
        return texts[0] if texts else ""
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def _hobbies(
    words: Mapping[str, str], derivation: Derivation, pool: Sequence[Alternative], draw: Draw
) -> list[str]:
    """The person's own sport and craft, and others that begin with other words."""
    count = 2 + _HOBBIES[0] + (draw() * _HOBBIES[1] >> 16)
    chosen = [words[own] for own in ("own_sport", "own_craft") if own in words]
    verbs = {text.partition(" ")[0] for text in chosen}
    for _ in range(_TRIES):
        hobby = pool[draw() * len(pool) >> 16]
        if hobby.opening not in verbs:
            verbs.add(hobby.opening)
            chosen.append(derivation.fill(hobby))
            if len(chosen) == count:
                break
    for place in range(len(chosen) - 1, 0, -1):
        other = draw() * (place + 1) >> 16
        chosen[place], chosen[other] = chosen[other], chosen[place]
    return chosen


def _drawn(pool: Sequence[Alternative], draw: Draw) -> Alternative:
    return pool[draw() * len(pool) >> 16]


def _choose(pool: Sequence[Alternative], count: int, draw: Draw) -> list[str]:
    """Draw without replacement."""
    chosen: dict[str, None] = {}
    for _ in range(_TRIES):
        chosen[_drawn(pool, draw).text] = None
        if len(chosen) == count:
            break
    return list(chosen)


def _capitalized(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple([text[0].upper() + text[1:] for text in texts])
