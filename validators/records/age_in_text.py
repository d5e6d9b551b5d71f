"""What the texts tell of, all together, fits the age: a person of eighty is not told of as if starting out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from persona_engine.validators.finding import Finding, Policy, Rule, Scope, Severity
from persona_engine.validators.lexicon import lexicon
from persona_engine.validators.reading import BACKGROUND, NARRATIVES, Reading

if TYPE_CHECKING:
    from persona_engine.validators.reference import Reference

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "record"

RULE = Rule.of(__name__)
# The texts that the weights were fitted on; of those that the release also has as lists, the words are left out.
FIELDS = (*NARRATIVES, "cultural_background", "career_goals_and_ambitions")
OTHERS = frozenset(BACKGROUND) - frozenset(FIELDS)
# Years between the age and what the words add up to. One in a thousand released rows lies beyond the bound.
FAR = 23
EVIDENCE = 10  # years of words that speak against the age, without which a text says too little
SHOWN = 6


def check(record: Mapping[str, Any], _reference: Reference) -> Iterator[Finding]:
    """Add up the years by which words make their reader think of an older or a younger person."""
    reading = Reading.of(record)
    age = reading.age
    if age is None or any(field not in reading.prose for field in FIELDS):
        return
    start, years, telling = _years()
    words = sorted(telling & reading.words)
    if not OTHERS.isdisjoint(reading.prose):
        texts = [reading.vocabulary[field] for field in FIELDS]
        words = [word for word in words if any(word in known for known in texts)]
    found = {word: years[word] for word in words}
    gap = age - start - sum(found.values())
    if abs(gap) <= FAR:
        return
    against = {word: abs(weight) for word, weight in found.items() if (weight < 0) == (gap > 0)}
    if sum(against.values()) >= EVIDENCE:
        told = sorted(against, key=lambda word: -against[word])[:SHOWN]
        other = "younger" if gap > 0 else "older"
        yield RULE.error(
            "persona",
            f"the texts together read like those of a much {other} person than one of {age}",
            ", ".join(told),
        )


@cache
def _years() -> tuple[float, Mapping[str, float], frozenset[str]]:
    """The age to start from, the years of each word, and the words."""
    content = lexicon("age_words")
    return content["intercept"], content["years"], frozenset(content["years"])


_TEXTS = dict.fromkeys(FIELDS, "Ana Wu bakes bread.")
_OLD = "Ana Wu, a veteran baker, retired after decades, compiles a memoir, plays shuffleboard on a cruise, curates"
_YOUNG = "Ana Wu, an aspiring student, plays intramural basketball, likes Instagram and wants an entry-level career"
ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"age": 70, **_TEXTS, "persona": f"{_OLD}."},
    {"age": 24, **_TEXTS, "persona": f"{_YOUNG}."},
    {"age": 80, **_TEXTS},
    {"age": 80, "persona": f"{_YOUNG}."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"age": 24, **_TEXTS, "persona": f"{_OLD}."},
    {"age": 80, **_TEXTS, "persona": f"{_YOUNG}."},
)
