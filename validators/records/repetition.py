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


def check(record: Mapping[str, Any], _reference: Reference) -> Iterator[Finding]:
    """Compare sentences across fields, then look for loops within one."""
    reading = Reading.of(record)
    seen: dict[str, str] = {}
    asks = "!" in reading.lower or "?" in reading.lower
    for field, lower in reading.lowered.items():
        text = lower.replace("!", ".").replace("?", ".") if asks else lower
        yield from _loops(field, text, reading.tokens[field], len(reading.vocabulary[field]))
        for sentence in text.split(". "):
            key = sentence.strip(" .\"')")
            if key.count(" ") < RUN - 1:
                continue
            first = seen.setdefault(key, field)
            if first != field:
                yield RULE.error(
                    field, f"a sentence is the same as in {first}; say something new", sentence[:80]
                )
                break


def _loops(field: str, text: str, tokens: list[str], different: int) -> Iterator[Finding]:
    if len(tokens) >= LONG and different < LOOP * len(tokens):
        yield RULE.error(field, "the text repeats itself; say each thing once", text[:80])
        return
    if different == len(tokens) or not any(map(eq, tokens, islice(tokens, 1, None))):
        return
    for first, second, third in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if first == second == third and len(first) > 1:
            yield RULE.error(field, "a word is repeated", f"{first} {second} {third}")
            return


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
