"""A record says each thing once: no text, sentence or run of words is repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from operator import eq
from typing import TYPE_CHECKING, Any

from persona_engine.validators.finding import Finding, Policy, Rule, Scope, Severity
from persona_engine.validators.reading import Reading

if TYPE_CHECKING:
    from persona_engine.validators.reference import Reference

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "record"

RULE = Rule.of(__name__)
RUN = 12  # words in a row that two texts of one record may not share
LOOP = 0.35  # share of distinct words below which a text of LONG words is looked at as a loop
LONG = 40
AROUND = " .\"')"  # what may stand around a sentence


def check(record: Mapping[str, Any], _reference: Reference) -> Iterator[Finding]:
    """Compare sentences across fields, then look for loops within one."""
    reading = Reading.of(record)
    seen: dict[str, str] = {}
    for field in reading.prose:
        loops, sentences = reading.once(_said, field)
        yield from loops
        for key, sentence in sentences:
            first = seen.setdefault(key, field)
            if first != field:
                yield RULE.error(
                    field, f"a sentence is the same as in {first}; say something new", sentence[:80]
                )
                break


def _said(reading: Reading, field: str) -> tuple[list[Finding], list[tuple[str, str]]]:
    """The loops of a text, and its long sentences, each bare and as it stands."""
    text = reading.lowered[field]
    if "!" in text or "?" in text:
        text = text.replace("!", ".").replace("?", ".")
    bare = [(part.strip(AROUND), part) for part in text.split(". ")]
    loops = _loops(field, text, reading.tokens[field], len(reading.vocabulary[field]))
    return loops, [pair for pair in bare if pair[0].count(" ") >= RUN - 1]


def _loops(field: str, text: str, tokens: list[str], different: int) -> list[Finding]:
    if len(tokens) >= LONG and different < LOOP * len(tokens):
        return [RULE.error(field, "the text repeats itself; say each thing once", text[:80])]
    if different != len(tokens) and any(map(eq, tokens, islice(tokens, 1, None))):
        for first, second, third in zip(tokens, tokens[1:], tokens[2:], strict=False):
            if first == second == third and len(first) > 1:
                return [RULE.error(field, "a word is repeated", f"{first} {second} {third}")]
    return []


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "persona": "Ana Wu swims.",
        "sports_persona": "Ana Wu swims.",
        "arts_persona": "Ana Wu had had enough of jazz.",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        "persona": "Ana Wu folds dumplings on Sundays and reads long novels to all her plants.",
        "arts_persona": "Ana Wu folds dumplings on Sundays and reads long novels to all her plants.",
    },
    {"persona": "Ana Wu is very very very happy."},
    {"persona": "Ana Wu paints and sings and " * 12 + "rests."},
)
