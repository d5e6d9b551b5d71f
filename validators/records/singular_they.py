"""A named man or woman is not called "they". A style question, so it is flagged unless the policy says otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("sex",)

RULE = Rule.of(__name__)
# Patterns that begin with a letter, and look back past it, are found several times faster than after a boundary.
_THEY = re.compile(r"the(?<!\wthe)(?:y|mselves|mself)\b")
_TRIGGERS = frozenset({"they", "themselves", "themself"})
_OWN = frozenset({"he", "she", "himself", "herself"})
_PLURAL = re.compile(
    r"(?:a(?<!\wa)nd|w(?<!\ww)ith) (?:his|her|their|a|the) (?:\w+ ){0,2}"
    r"(?:wife|husband|partner|spouse|family|friends?|kids|children|team|crew|colleagues|siblings)"
)
_GROUPS = frozenset("couple parents neighbors coworkers customers patients students clients".split())
_GROUP = re.compile(rf"\b(?:{'|'.join(sorted(_GROUPS))})\b")


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Report personas in which "they" can only be the person: no other pronoun and no group to refer to."""
    reading = reference.read(record)
    if reading.words.isdisjoint(_TRIGGERS) or reading.fact_of("sex") is None:
        return
    vocabulary = reading.vocabulary
    for field, text in reading.narratives.items():
        known = vocabulary[field]
        if _TRIGGERS.isdisjoint(known) or not _OWN.isdisjoint(known):
            continue
        match = _THEY.search(reading.lowered[field])
        if match and not _someone(text[: match.start()], known):
            own = "he" if reference.gender(reading.fact_of("sex")) == "masculine" else "she"
            start = max(0, match.start() - 30)
            yield RULE.error(field, f"one person is called they; write {own}", text[start : match.end() + 20])


def _someone(before: str, known: frozenset[str]) -> bool:
    """Whether others than the person stand before the pronoun; `known` are the words of the text."""
    return _PLURAL.search(before) is not None or (
        not _GROUPS.isdisjoint(known) and _GROUP.search(before) is not None
    )


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"sex": "Female", "persona": "Ana Wu cooks as she likes."},
    {"sex": "Female", "persona": "Ana Wu and her husband say they will never move."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"sex": "Female", "persona": "Ana Wu paints on Sundays, and they often share the work online."},
)
