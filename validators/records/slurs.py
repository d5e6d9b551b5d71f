"""No text has a slur. The list is short, and only of words that mean nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import languages_with, lexicon, phrases, stands
from census_personas.validators.text.prose import words

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = languages_with("slurs")

RULE = Rule.of(__name__)


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Search texts and lists for the lexicon's words, as whole words and outside its harmless phrases."""
    reading, language = reference.read(record), reference.language
    for field, word in phrases("slurs", "words", language).found(reading):
        yield from _slur(field, word, reading.lowered[field], language)
    for field, items in reading.listed.items():
        text = items.lower()
        if not _tokens(language).isdisjoint(words(text)):
            for word in lexicon("slurs", language)["words"]:
                yield from _slur(field, word, text, language)


def _slur(field: str, word: str, text: str, language: str) -> Iterator[Finding]:
    for harmless in lexicon("slurs", language)["harmless"]:
        text = text.replace(harmless, "")
    if stands(word, text):
        yield RULE.error(field, "a slur; leave it out", word)


@cache
def _tokens(language: str) -> frozenset[str]:
    """Every word of the lexicon's words and phrases."""
    return frozenset(words(" ".join(lexicon("slurs", language)["words"])))


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu keeps the shop spic and span, owns a Maine Coon, and finds the chink in any armor."},
    {
        "culinary_persona": "Leo Park cooks with kaffir lime, whips niggardly cream, and serves faggots and peas."
    },
    {"hobbies_and_interests_list": ["Honky-tonk piano", "Scunthorpe United"]},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu calls the new neighbors wetbacks."},
    {"persona": "Leo Park is a Faggot, spic and span."},
    {"hobbies_and_interests_list": ["Chess", "Laughing at white trash"]},
)
