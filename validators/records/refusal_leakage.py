"""The text is about the person: no refusal, no assistant speaking of itself, no instructions repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import languages_with, lexicon, phrases

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = languages_with("refusal")

RULE = Rule.of(__name__)
LONGEST_OPENING = 40  # letters of the longest that it matches
_MARKS = r"```|#{1,6} |\*\*"
_MARKUP = re.compile(
    r"```|<\|?/?(?:im_start|im_end|assistant|user|system|think|s|inst)\|?>|\[/?INST\]|^#{1,6} |\*\*\w"
)


class _Voice(NamedTuple):
    """How an assistant speaks in a language.

    Attributes:
        speaker: where it speaks of itself, and `speaking`, words one of which it then uses.
        greeting: how its answers open, and `greets`, the letters that they open with.
        opening: a heading of an answer.
        openers: leaks that are leaks at the start of a text alone.
        items: what no item of a list has.
    """

    speaker: re.Pattern[str]
    greeting: re.Pattern[str]
    opening: re.Pattern[str]
    speaking: frozenset[str]
    greets: frozenset[str]
    openers: frozenset[str]
    items: tuple[str, ...]


@cache
def _voices(language: str) -> _Voice:
    content = lexicon("refusal", language)
    greetings = content["greetings"]
    return _Voice(
        re.compile(content["speaker"], re.ASCII),
        re.compile(rf"(?:{'|'.join(greetings)})[,!.:]|{_MARKS}", re.IGNORECASE),
        re.compile(rf"[\w ]{{0,24}}(?:{'|'.join(content['headings'])})s?:\s", re.IGNORECASE),
        frozenset(content["speaking"]),
        frozenset("".join(greeting[0].upper() + greeting[0] for greeting in greetings) + "`#*"),
        frozenset(content["openers"]),
        (*content["items"], "```"),
    )


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Search for the lexicon's phrases, for chat markup, and for a narrator who says "I" or greets."""
    reading, language = reference.read(record), reference.language
    voice = _voices(language)
    for field, phrase in phrases("refusal", "refusals", language).found(reading):
        yield RULE.error(field, "an assistant speaks of itself; write about the person alone", phrase)
    for field, phrase in phrases("refusal", "leaks", language).found(reading):
        if reading.prose[field].lower().startswith(phrase) or phrase not in voice.openers:
            yield RULE.error(
                field, "instructions or their words are repeated; write about the person alone", phrase
            )
    everything = reading.text
    speaks = not reading.words.isdisjoint(voice.speaking)
    marked = any(map(everything.__contains__, "`<[#*"))
    for field, text in reading.prose.items():
        if speaks or marked or text[:1] in voice.greets or ":" in text[:LONGEST_OPENING]:
            yield from _voice(field, text, voice, speaks=speaks, marked=marked)
    for field, items in reading.listed.items():
        if not any(map(items.__contains__, voice.items)):
            continue
        for item in reading.list_of(field) or ():
            if any(map(item.__contains__, voice.items)):
                yield RULE.error(field, "an item is no skill or interest", item[:80])


def _voice(field: str, text: str, voice: _Voice, *, speaks: bool, marked: bool) -> Iterator[Finding]:
    match = voice.speaker.search(text) if speaks else None
    if match:
        yield RULE.error(
            field, "the narrator speaks of itself; write in the third person", text[match.start() :][:60]
        )
    elif voice.greeting.match(text) or (":" in text[:LONGEST_OPENING] and voice.opening.match(text)):
        yield RULE.error(field, "the text opens like an answer; begin with the person", text[:60])
    match = _MARKUP.search(text) if marked else None
    if match:
        yield RULE.error(field, "chat or Markdown markup has no place in a text", match.group())


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
