"""Details: tasks, skills and hobbies drawn once for a person and used in every text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from census_personas.foundation.randomness import Draw
from census_personas.generator.offline import work
from census_personas.generator.offline.derivation import Derivation
from census_personas.generator.offline.grammar import Grammar
from census_personas.generator.offline.portrait import Portrait
from census_personas.generator.offline.portrait_guide import PortraitGuide
from census_personas.generator.offline.symbol import Alternative, Pool
from census_personas.generator.offline.work import Joins, Work, suited

_EVERYDAY_SKILLS = 8
_HOBBIES = (4, 3)  # fewest besides the person's own two, and number of possible counts
_TRIES = 60
WORDS = work.WORDS | {f"{letter}{place}" for letter in "hk" for place in range(1, 10)} | {"h_rest"}
"""Words that `Details` provides, as slots name them, besides those of the grammar's `own_` symbols."""
TAGS = frozenset({"tasks", "gear"})
_H, _K = (tuple(f"{letter}{place}" for place in range(1, 10)) for letter in "hk")


@dataclass(frozen=True, slots=True)
class Details:
    """Skills and hobbies of one person, as words for slots and as the two lists; `owned` is not drawn again."""

    words: Mapping[str, str]
    tags: int
    skills: tuple[str, ...]
    hobbies: tuple[str, ...]
    owned: tuple[Alternative, ...]

    @classmethod
    def of(
        cls,
        facts: Mapping[str, Any],
        portrait: Portrait,
        grammar: Grammar,
        guide: PortraitGuide,
        draw: Draw,
        *,
        tags: int,
    ) -> Details:
        """Choose leanings, then the person's own things, then hobbies and skills, for a person with these tags.

        A leaning (`leaning_kitchen`) is a tag drawn for the person, which selects alternatives elsewhere. An own
        thing (`own_dish`) is a text drawn once, so that all texts name the same one.
        """
        for leaning in grammar.leanings:
            tags |= grammar.bits.of((_drawn(leaning.pool(tags), draw).text,))
        words = dict(portrait.words)
        derivation = Derivation(grammar, draw, words=words, tags=tags, avoid=portrait.home)
        owned = [derivation.draw(symbol) for symbol in grammar.owned]
        for symbol, alternative in zip(grammar.owned, owned, strict=True):
            words[symbol.name] = derivation.fill(alternative)
        hobbies = _hobbies(words, derivation, grammar.symbol("hobby").pool(tags), draw)
        words["h_rest"] = Joins(guide.conjunction, guide.gear).joined(hobbies[4:])
        words.update(zip(_H, hobbies, strict=False))
        if "worker" in portrait.tags or "military" in portrait.tags:
            junior = "young" in portrait.tags and not guide.leads(portrait.words["title"])
            job = _work(facts, tags, grammar, guide, draw, junior=junior)
            words |= job.words
            tags |= grammar.bits.of([tag for tag in TAGS if tag in words])
            skills = job.items
        else:
            everyday = _distinct(grammar.symbol("skill_everyday").pool(tags), draw)
            skills = list(islice(everyday, _EVERYDAY_SKILLS))
            words.update(zip(_K, skills, strict=False))
        return cls(words, tags, _capitalized(skills), _capitalized(hobbies), tuple(owned))


def _work(
    facts: Mapping[str, Any], tags: int, grammar: Grammar, guide: PortraitGuide, draw: Draw, *, junior: bool
) -> Work:
    bits = grammar.bits.of
    return Work.of(
        suited(
            facts.get("grounding") or {},
            junior=junior,
            pooled=bool(tags & bits(("pooled_job",))),
            manager=bool(tags & bits(guide.managers)),
        ),
        tasks=_distinct(grammar.symbol("work_task").pool(tags), draw),
        skills=_distinct(grammar.symbol("work_skill").pool(tags), draw),
        desk=bool(tags & bits((*guide.coders, *guide.desks))),
        coder=bool(tags & bits(guide.coders)),
        joins=Joins(guide.conjunction, guide.gear),
    )


def _hobbies(words: Mapping[str, str], derivation: Derivation, pool: Pool, draw: Draw) -> list[str]:
    """Choose hobbies: the person's own sport and craft, and others with different first words."""
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


def _drawn(pool: Pool, draw: Draw) -> Alternative:
    return pool[draw() * len(pool) >> 16]


def _distinct(pool: Pool, draw: Draw) -> Iterator[str]:
    """Draw without replacement, as many as the caller takes."""
    drawn: set[str] = set()
    for _ in range(_TRIES):
        text = _drawn(pool, draw).text
        if text not in drawn:
            drawn.add(text)
            yield text


def _capitalized(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple([text[0].upper() + text[1:] for text in texts])
