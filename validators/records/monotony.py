"""A record is worded with variety: no run of words twice, nor in several texts, and no sentence said again.

Off unless a policy names it: a run that a model writes asks for a repair, and files from elsewhere and the offline
grammar, whose sentences come from one stock, are not read for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations, islice
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.prose import words
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "off"
WARNINGS: Policy = "repair"
SCOPE: Scope = "record"

RULE = Rule.of(__name__)
# Words in a row, names and figures left out, that none of 6,500 released rows has twice in one text, in two texts, or
# in three. Two texts share ten of them in 16 of these rows, and three texts share five in one.
WITHIN, IN_TWO, IN_THREE = 6, 12, 6
ALIKE = 0.6  # words that two sentences of a text share, as a part of all theirs; no released row has half
SHORT = 6  # words below which sentences are not compared
_STOP = re.compile(r"(?<=[.!?]) ")


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Look for runs of words within each text, then for those that texts share."""
    reading = reference.read(record)
    for field in reading.tokens:
        yield from reading.once(_within, field)
    yield from _across(reading)


def _within(reading: RecordView, field: str) -> tuple[Finding, ...]:
    """The first run of words that a text has twice, else the first two sentences that are nearly one."""
    runs = _runs(reading.tokens[field], WITHIN)
    if len(set(runs)) < len(runs):
        for run, times in Counter(runs).items():
            if times > 1 and _is_bare(run, reading.prose[field]):
                return (
                    RULE.error(field, "the text says the same twice; say each thing once", " ".join(run)),
                )
    counted = [Counter(words(sentence)) for sentence in _STOP.split(reading.prose[field])]
    for one, other in combinations([count for count in counted if count.total() >= SHORT], 2):
        if (one & other).total() >= ALIKE * (one | other).total():
            said = "a sentence is said again with few words changed; say something new"
            return (RULE.error(field, said, " ".join(other.elements())[:80]),)
    return ()


def _across(reading: RecordView) -> Iterator[Finding]:
    """One finding for each text, after the first, that shares a run of words."""
    reported: set[str] = set()
    for length, often in ((IN_TWO, 2), (IN_THREE, 3)):
        having: dict[tuple[str, ...], list[str]] = {}
        for field, tokens in reading.tokens.items():
            for run in dict.fromkeys(_runs(tokens, length)):
                having.setdefault(run, []).append(field)
        for run, fields in having.items():
            new = [field for field in fields[1:] if field not in reported]
            if len(fields) >= often and new and _is_bare(run, reading.prose[fields[0]]):
                reported.update(new)
                for field in new:
                    said = f"these words stand in {fields[0]} too; say something else, in another form"
                    yield RULE.warning(field, said, " ".join(run))


def _runs(tokens: list[str], length: int) -> list[tuple[str, ...]]:
    return list(zip(*(islice(tokens, start, None) for start in range(length)), strict=False))


def _is_bare(run: tuple[str, ...], text: str) -> bool:
    """Whether the words stand in the text in small letters, with no figure among them: names may come again."""
    return re.search(rf"\b{'[^A-Za-z0-9]+'.join(run)}\b", text) is not None


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "travel_persona": "Ana Wu likes the Museum of Arts and Crafts, and the park at the Museum of Arts and Crafts.",
        "persona": "Ana Wu, a 34-year-old baker, reads. She sings in a choir. She swims in a lake.",
        "sports_persona": "Ana Wu, a 34-year-old baker, swims before work at the public pool with old friends.",
        "arts_persona": "Ana Wu, a 34-year-old baker, paints after work in the shed with the door open.",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana is a good listener in any room and she is a good listener in any room."},
    {
        "arts_persona": "Ana also likes to read old books on trains. She also likes to read new books on trains."
    },
    {
        "arts_persona": "Ana Wu is always looking for ways to expand her horizons in music.",
        "travel_persona": "Ana Wu is always looking for ways to expand her experience of coasts.",
        "culinary_persona": "Ana Wu is always looking for ways to expand her kitchen.",
    },
    {
        "persona": "She finds solace in the comfort of her home and the company of her friends.",
        "arts_persona": "In paint she finds solace in the comfort of her home and the company of cats.",
    },
)
