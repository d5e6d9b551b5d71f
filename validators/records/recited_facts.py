"""The text shows facts in a life, and does not recite them: no income band, no "her county is", no names of scales."""

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
WARNINGS: Policy = "repair"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = (ENGLISH,)

RULE = Rule.of(__name__)


@cache
def _anchors() -> frozenset[str]:
    return frozenset(lexicon("recited_facts", ENGLISH)["anchors"])


@cache
def _patterns(section: str) -> re.Pattern[str]:
    return re.compile("|".join(lexicon("recited_facts", ENGLISH)[section]))


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Search for facts in the words of a form, and, as a warning, for words that only a form would use."""
    reading = reference.read(record)
    for field, lower in reading.lowered.items():
        if "$" not in lower and _anchors().isdisjoint(reading.vocabulary[field]):
            continue
        if said := _patterns("recited").search(lower):
            yield RULE.error(field, "a fact is recited; show it in what the person does", said.group())
        elif said := _patterns("named").search(lower):
            yield RULE.warning(
                field, "a form's word names a fact; show it in what the person does", said.group()
            )


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "cultural_background": "Ana is a Black woman from Licking County whose household was full of relatives."
    },
    {"cultural_background": "Her heritage is white-collar Boston. Raised on English and Twi, she teaches."},
    {"persona": "Ana Wu is conscientious at work, and saves $50 a week."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"cultural_background": "Her heritage is White, and her county is Licking County."},
    {"cultural_background": "Ana lives with her sons, and her income is $25,000 to $49,999."},
    {"professional_persona": "Ana Wu works by car, and packs boxes."},
)
