"""Every text is in the dataset's language, in Latin letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import languages_with, lexicon
from census_personas.validators.text.prose import words

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = languages_with("function_words")

RULE = Rule.of(__name__)
ENOUGH = 2  # different function words; sentences of twelve words nearly always have more
SHORT = 12  # words; shorter texts are not judged by their function words
FOREIGN_LETTERS = 0.2  # share of letters outside the Latin script
# Words of Chinese, Japanese or Korean within a sentence, as multilingual models write; 6,500 released rows have none.
_SLIP = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}")


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Count different function words of the language in each text, and letters of other scripts."""
    reading = reference.read(record)
    prose, originals = reading.prose, reading.record
    words_of = _function_words(reference.language)
    name, (first, second, third) = words_of.name, words_of.likeliest
    for field, text in prose.items():
        if not (first in text and (second in text or third in text)) and not _in_language(text, words_of):
            yield RULE.error(field, f"the text does not read as {name}; write it in {name}", text[:80])
        original = originals[field]
        if len(text) < len(original) * (1 - FOREIGN_LETTERS) and _foreign(original) > FOREIGN_LETTERS:
            yield RULE.error(field, f"most letters are not Latin; write the text in {name}", original[:80])
        elif not original.isascii() and (slip := _SLIP.search(original)):
            said = f"{slip.group()!r} is not {name}; write the whole text in {name}"
            yield RULE.error(field, said, original[max(slip.start() - 40, 0) : slip.end() + 40])
    if "persona" not in prose and isinstance(value := record.get("persona"), str) and _foreign(value) > 0:
        yield RULE.error("persona", f"no letter is Latin; write the text in {name}", value[:80])


class _FunctionWords(NamedTuple):
    """The small words of a language.

    Attributes:
        name: of the language, in English.
        own: each between spaces.
        likeliest: a word that most texts have, and two of which most have one.
        others: words of other languages that this one has not.
    """

    name: str
    own: tuple[str, ...]
    likeliest: tuple[str, str, str]
    others: frozenset[str]


@cache
def _function_words(language: str) -> _FunctionWords:
    content = lexicon("function_words", language)
    own = tuple(f" {word} " for word in content["own"].split())
    return _FunctionWords(
        content["language"], own, (own[0], own[1], own[2]), frozenset(content["others"].split())
    )


def _in_language(text: str, words_of: _FunctionWords) -> bool:
    """Whether a text is short, or has function words of the language that those of others do not outnumber."""
    lower = f" {text.lower()} "
    known = sum(word in lower for word in words_of.own)
    if known >= ENOUGH:
        return True
    tokens = words(text)
    others = len(words_of.others & set(tokens))
    return len(tokens) < SHORT or (known > 0 and others <= ENOUGH * known)


def _foreign(text: str) -> float:
    """Share of the letters that are not Latin."""
    letters = [character for character in text if character.isalpha()]
    foreign = sum(
        not unicodedata.name(letter, "").startswith("LATIN") for letter in letters if letter > "\u024f"
    )
    return foreign / max(len(letters), 1)


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "persona": "Ana Wu cooks ropa vieja and mole poblano for the neighbours in her street each Sunday evening."
    },
    {"persona": "Zo\u00eb's na\u00efve caf\u00e9."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        "persona": "Ana Wu is often at the park with her sister, playing with \u5979\u7684 dog until it is dark."
    },
    {
        "persona": "Ana Wu cocina todos los domingos para sus vecinos, porque le gusta ver las caras de la gente."
    },
    {
        "persona": "\u674e\u5a1c\u559c\u6b22\u5728\u5468\u672b\u753b\u753b\uff0c\u4e5f\u559c\u6b22\u505a\u996d\u3002"
    },
)
