"""Texts are whole sentences of the length that the schema's texts have; lists have items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from census_personas.foundation.schema import LISTS, NARRATIVES, PROSE
from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import lexicon_if_any

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
WARNINGS: Policy = "repair"
SCOPE: Scope = "field"

RULE = Rule.of(__name__)
SHORTEST, LONGEST = 40, 3000  # characters; beyond these a text is a fragment, or has run away
USUAL = {True: (100, 1000), False: (120, 1600)}  # personas, longer texts: warned outside
_USUAL = {field: USUAL[field in NARRATIVES] for field in PROSE}
MOST_SENTENCES = 4
MOST_ITEMS = 40
LONGEST_ITEM = 160
END = frozenset(".!?")
CLOSING = "\"')]"


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Measure each text and list that the record has."""
    reading = reference.read(record)
    prose, record = reading.prose, reading.record
    for field, text in prose.items():
        shortest, longest = _USUAL[field]
        if not (shortest <= len(text) <= longest and text[-1] in END and text.count(". ") < MOST_SENTENCES):
            yield from _text(field, text, _sentence_ends(reference.language))
    for field in NARRATIVES:
        if field not in prose and isinstance(value := record.get(field), str) and not value.strip():
            yield RULE.error(field, "the text is empty")
    for field in LISTS:
        yield from _list(field, reading.list_of(field))


@cache
def _sentence_ends(language: str) -> re.Pattern[str]:
    """The end of a sentence before another, but for the full stops of abbreviations."""
    known = lexicon_if_any("abbreviations", language).get("two_letters", ())
    not_short = rf"(?<!\b(?:{'|'.join(known)}))" if known else ""
    return re.compile(rf"(?<![A-Z.]){not_short}[.!?][\"')]* +(?=[A-Z\"'])")


def _text(field: str, text: str, ends: re.Pattern[str]) -> Iterator[Finding]:
    length = len(text)
    persona = field in NARRATIVES
    if not SHORTEST <= length <= LONGEST:
        shortest, longest = USUAL[persona]
        yield RULE.error(field, f"{length} characters; write between {shortest} and {longest}", text[:60])
    elif text.rstrip(CLOSING)[-1:] not in END:
        yield RULE.error(field, "the text breaks off; end it with a full sentence", text[-40:])
    elif not USUAL[persona][0] <= length <= USUAL[persona][1]:
        yield RULE.warning(
            field, f"{length} characters; most have between {USUAL[persona][0]} and {USUAL[persona][1]}"
        )
    if persona and text.count(". ") >= MOST_SENTENCES and len(ends.findall(text)) >= MOST_SENTENCES:
        yield RULE.warning(field, "more sentences than a persona has; write one or two", text[:60])


def _list(field: str, items: list[str] | None) -> Iterator[Finding]:
    if items is None:
        return
    if not items:
        yield RULE.error(field, "the list is empty")
    elif len(items) > MOST_ITEMS:
        yield RULE.warning(field, f"{len(items)} items; at most {MOST_ITEMS} are usual")
    elif not all(map(str.strip, items)):
        yield RULE.error(field, "an item is empty")
    elif max(map(len, items)) > LONGEST_ITEM:
        yield RULE.warning(
            field, "an item is a sentence; name the thing in a few words", max(items, key=len)[:80]
        )
    elif len(set(map(str.strip, map(str.casefold, items)))) < len(items):
        yield RULE.warning(field, "an item stands twice", ", ".join(items)[:80])


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "persona": "Ana Wu folds dumplings on Sundays, and reads Mrs. Dalloway to her plants while the broth simmers."
    },
    {"skills_and_expertise_list": ["Python", "SQL"]},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu."},
    {"persona": "Ana Wu folds dumplings on Sundays, reads novels to her plants while the broth simmers and"},
    {"persona": "  "},
    {"hobbies_and_interests_list": "[]"},
)
