"""The text is about the person, not about the field that it stands in: no "has no travel persona"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH, lexicon

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = (ENGLISH,)

RULE = Rule.of(__name__)


@cache
def _anchors() -> frozenset[str]:
    return frozenset(lexicon("about_the_field", ENGLISH)["anchors"])


@cache
def _said() -> re.Pattern[str]:
    return re.compile("|".join(lexicon("about_the_field", ENGLISH)["patterns"]))


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Search the texts that have a word of the lexicon's for its patterns."""
    reading = reference.read(record)
    if _anchors().isdisjoint(reading.words):
        return
    for field, lower in reading.lowered.items():
        if not _anchors().isdisjoint(reading.vocabulary[field]):
            said = _said().search(lower)
            if said:
                yield RULE.error(field, "the text is about the field; write about the person", said.group())


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu keeps a low profile on stage, though her persona there is loud."},
    {"persona": "Ana Wu builds user personas, and describes them in a paragraph each."},
    {"persona": "Ana Wu has no interest in sports."},
    {"persona": "Ana Wu has no experience of boats, and shares her experiences of trains."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"travel_persona": "Ana Wu has not traveled anywhere and does not have a travel persona."},
    {"sports_persona": "Ana Wu's sports persona is that of a fan."},
    {"arts_persona": "Not applicable."},
    {"persona": "Ana Wu lives as described above."},
    {"culinary_persona": "Ana Wu enjoys breakfast, but she has no breakfast experiences yet."},
    {"sports_persona": "Ana Wu does not have the energy to exercise or play a sport."},
)
