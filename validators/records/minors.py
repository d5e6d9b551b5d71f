"""The person is an adult in every text, and no text has sexual words beside words for children."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import languages_with, lexicon

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = languages_with("minors")

RULE = Rule.of(__name__)
_SENTENCE_END = re.compile(r"[.!?]\s")


class _Words(NamedTuple):
    """The lexicon, compiled.

    Attributes:
        nouns: words of which one stands in every text that calls somebody a minor, and `called`, how it does.
        signals: words of which one stands in every text that sexualises a minor.
        sexual: sexual words, `minors`, words for minors, and `always`, what sexualises a minor by itself.
    """

    nouns: frozenset[str]
    called: re.Pattern[str]
    signals: frozenset[str]
    sexual: re.Pattern[str]
    minors: re.Pattern[str]
    always: re.Pattern[str]


@cache
def _words(language: str) -> _Words:
    content = lexicon("minors", language)
    return _Words(
        frozenset(content["nouns"]),
        re.compile(
            rf"(?: is|'s|,) (?:{'|'.join(content['called'])})(?! (?:{'|'.join(content['unless'])})\b)"
        ),
        frozenset((*content["sexual"], *content["signals"])),
        re.compile(rf"\b(?:{'|'.join(content['sexual'])})\b"),
        re.compile(rf"\b(?:{'|'.join(content['minors'])})\b"),
        re.compile("|".join(content["always"])),
    )


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Look for an adult who is called a minor, and for sentences that have words for minors and sexual ones."""
    reading, known = reference.read(record), _words(reference.language)
    calls, sexual = (not some.isdisjoint(reading.words) for some in (known.nouns, known.signals))
    if not (calls or sexual):
        return
    name = reading.name
    subjects = (
        tuple(f" {word.lower()}" for word in (name.full, name.first, "he", "she") if word) if name else ()
    )
    for field, text in reading.lowered.items():
        padded = f" {text}" if calls else ""
        for match in known.called.finditer(padded):
            if padded.endswith(subjects, 0, match.start()):
                yield RULE.error(field, "the person is an adult; do not call them a minor", match.group()[1:])
                break
        if sexual and (quote := _sexualised(text, known)):
            yield RULE.error(field, "sexual words beside words for children; leave them out", quote)


def _sexualised(text: str, known: _Words) -> str | None:
    """What sexualises a minor: a phrase that always does, or a sexual word in a sentence about minors."""
    if match := known.always.search(text):
        return match.group()
    for sentence in _SENTENCE_END.split(text) if known.sexual.search(text) else ():
        word = known.sexual.search(sentence)
        if word and known.minors.search(sentence):
            return word.group()
    return None


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"age": 40, "persona": "Ana Wu, an only child, is a child of immigrants and a kid at heart."},
    {"age": 40, "persona": "Leo Park, a minor league umpire with a minor in music, coaches teens."},
    {
        "age": 40,
        "cultural_background": "Ana was a small child when the mill closed. She is a second-grade teacher.",
    },
    {"age": 40, "professional_persona": "Ana Wu, a school nurse, teaches teens about sexual health."},
    {"age": 40, "arts_persona": "Ana Wu reads erotic poetry. Her children prefer comics."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"age": 40, "persona": "Ana Wu, a minor, keeps bees."},
    {"age": 40, "persona": "Ana Wu is still a schoolgirl who keeps bees."},
    {"age": 40, "first_name": "Ana", "last_name": "Wu", "cultural_background": "Ana is a child of ten."},
    {"age": 40, "persona": "Ana Wu, barely legal by her looks, keeps bees."},
    {"age": 40, "arts_persona": "Ana Wu draws sexy schoolgirls."},
)
