"""Every text is in the dataset's language, English, in Latin letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.prose import words
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"

RULE = Rule.of(__name__)
_FUNCTION_WORDS = (
    " and ",
    " the ",
    " with ",
    " of ",
    " to ",
    " for ",
    " in ",
    " is ",
    " who ",
    " on ",
    " by ",
)
_OTHER_FUNCTION_WORDS = frozenset(
    "de la el los las un una que y para con por su del en und der die das mit ist ein eine le les des et une est dans"
    " pour il che di con per e o os uma com em ang ng sa na".split()
)
ENOUGH = 2  # different function words; English sentences of twelve words nearly always have more
SHORT = 12  # words; shorter texts are not judged by their function words
FOREIGN_LETTERS = 0.2  # share of letters outside the Latin script


def check(record: Mapping[str, Any], _reference: RuleContext) -> Iterator[Finding]:
    """Count different English function words in each text, and letters of other scripts."""
    reading = RecordView.of(record)
    prose, originals = reading.prose, reading.record
    for field, text in prose.items():
        if not (" and " in text and (" the " in text or " with " in text)) and not _english(text):
            yield RULE.error(field, "the text does not read as English; write it in English", text[:80])
        original = originals[field]
        if len(text) < len(original) * (1 - FOREIGN_LETTERS) and _foreign(original) > FOREIGN_LETTERS:
            yield RULE.error(field, "most letters are not Latin; write the text in English", original[:80])
    if "persona" not in prose and isinstance(value := record.get("persona"), str) and _foreign(value) > 0:
        yield RULE.error("persona", "no letter is Latin; write the text in English", value[:80])


def _english(text: str) -> bool:
    """Whether a text is short, or has English function words that those of other languages do not outnumber."""
    lower = f" {text.lower()} "
    known = sum(word in lower for word in _FUNCTION_WORDS)
    if known >= ENOUGH:
        return True
    tokens = words(text)
    others = len(_OTHER_FUNCTION_WORDS & set(tokens))
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
        "persona": "Ana Wu cocina todos los domingos para sus vecinos, porque le gusta ver las caras de la gente."
    },
    {
        "persona": "\u674e\u5a1c\u559c\u6b22\u5728\u5468\u672b\u753b\u753b\uff0c\u4e5f\u559c\u6b22\u505a\u996d\u3002"
    },
)
