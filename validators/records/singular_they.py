"""A named man or woman is not called "they". A style question, so it is flagged unless the policy says otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from persona_engine.validators.finding import Finding, Policy, Rule, Scope, Severity
from persona_engine.validators.reading import Reading

if TYPE_CHECKING:
    from persona_engine.validators.reference import Reference

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "field"

RULE = Rule.of(__name__)
_THEY = re.compile(r"\b(?:they|themselves|themself)\b")
_TRIGGERS = frozenset({"they", "themselves", "themself"})
_OWN = frozenset({"he", "she", "himself", "herself"})
_PLURAL = re.compile(
    r"\b(?:and|with) (?:his|her|their|a|the) (?:\w+ ){0,2}(?:wife|husband|partner|spouse|family|friends?|kids|children"
    r"|team|crew|colleagues|siblings)|\b(?:couple|parents|neighbors|coworkers|customers|patients|students|clients)\b"
)


def check(record: Mapping[str, Any], _reference: Reference) -> Iterator[Finding]:
    """Report personas in which "they" can only be the person: no other pronoun and no group to refer to."""
    reading = Reading.of(record)
    if reading.words.isdisjoint(_TRIGGERS) or reading.fact("sex") is None:
        return
    for field, text in reading.narratives.items():
        known = reading.vocabulary[field]
        if _TRIGGERS.isdisjoint(known) or not _OWN.isdisjoint(known):
            continue
        match = _THEY.search(reading.lowered[field])
        if match and not _PLURAL.search(text[: match.start()]):
            own = "he" if reading.fact("sex") == "Male" else "she"
            start = max(0, match.start() - 30)
            yield RULE.error(field, f"one person is called they; write {own}", text[start : match.end() + 20])


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"sex": "Female", "persona": "Ana Wu cooks as she likes."},
    {"sex": "Female", "persona": "Ana Wu and her husband say they will never move."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"sex": "Female", "persona": "Ana Wu paints on Sundays, and they often share the work online."},
)
