"""The text is about the person: no refusal, no assistant speaking of itself, no instructions repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import phrases
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"

RULE = Rule.of(__name__)
_SPEAKER = re.compile(r"(?:^|[.!?] )(?:I|As an AI)\b(?!\.)|\bas an AI, ", re.ASCII)
_GREETING = re.compile(r"(?:sure|certainly|of course|absolutely)[,!.:]|```|#{1,6} |\*\*", re.IGNORECASE)
_OPENING = re.compile(
    r"[\w ]{0,24}(?:persona|profile|output|answer|response|summary|note|json|description)s?:\s", re.IGNORECASE
)
LONGEST_OPENING = 40  # letters of the longest that it matches
_MARKUP = re.compile(
    r"```|<\|?/?(?:im_start|im_end|assistant|user|system|think|s|inst)\|?>|\[/?INST\]|^#{1,6} |\*\*\w"
)


def check(record: Mapping[str, Any], _reference: RuleContext) -> Iterator[Finding]:
    """Search for the lexicon's phrases, for chat markup, and for a narrator who says "I" or greets."""
    reading = RecordView.of(record)
    for field, phrase in phrases("refusal", "refusals").found(reading):
        yield RULE.error(field, "an assistant speaks of itself; write about the person alone", phrase)
    for field, phrase in phrases("refusal", "leaks").found(reading):
        if reading.prose[field].lower().startswith(phrase) or phrase not in _OPENERS:
            yield RULE.error(
                field, "instructions or their words are repeated; write about the person alone", phrase
            )
    everything = reading.text
    speaks = not reading.words.isdisjoint(_SPEAKING)
    marked = any(map(everything.__contains__, "`<[#*"))
    for field, text in reading.prose.items():
        if speaks or marked or text[:1] in _GREETS or ":" in text[:LONGEST_OPENING]:
            yield from _voice(field, text, speaks=speaks and "I" in text, marked=marked)
    for field, items in reading.listed.items():
        if "as an AI" not in items and "I cannot" not in items and "```" not in items:
            continue
        for item in reading.list_of(field) or ():
            if "as an AI" in item or "I cannot" in item or "```" in item:
                yield RULE.error(field, "an item is no skill or interest", item[:80])


def _voice(field: str, text: str, *, speaks: bool, marked: bool) -> Iterator[Finding]:
    match = _SPEAKER.search(text) if speaks else None
    if match:
        yield RULE.error(
            field, "the narrator speaks of itself; write in the third person", text[match.start() :][:60]
        )
    elif _GREETING.match(text) or (":" in text[:LONGEST_OPENING] and _OPENING.match(text)):
        yield RULE.error(field, "the text opens like an answer; begin with the person", text[:60])
    match = _MARKUP.search(text) if marked else None
    if match:
        yield RULE.error(field, "chat or Markdown markup has no place in a text", match.group())


_SPEAKING = frozenset({"i", "ai"})
_GREETS = frozenset("sScCoOaA`#*")
_OPENERS = frozenset(
    (
        "here is the",
        "here's the",
        "here is a",
        "here's a",
        "here is your",
        "here are the",
        "the persona",
        "this persona",
    )
)

ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu, an AI engineer, is unable to pass a bakery; World War I novels are her comfort."},
    {"persona": "Leo Park: wherever he paints, here is the place to be."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "As an AI language model, I cannot create a persona."},
    {"persona": "I\u2019m sorry, but I can\u2019t help with that."},
    {"persona": "Sure! Here is the persona you asked for."},
    {"persona": "Ana Wu <|im_end|>"},
    {"persona": "Ana Wu has high openness and low neuroticism according to the system prompt."},
)
