"""The lists of skills and hobbies say what the prose about them says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import languages_with, lexicon
from census_personas.validators.text.prose import letters, plain_each
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "record"
LANGUAGES: tuple[str, ...] = languages_with("function_words")

RULE = Rule.of(__name__)
STEM = 5  # letters by which two words count as the same
FEW = 0.35  # share of items found in the prose below which a finding is a warning
PAIRS = (
    ("skills_and_expertise", "skills_and_expertise_list"),
    ("hobbies_and_interests", "hobbies_and_interests_list"),
)


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Look for each item's words in the prose of the same name; none found is an error, few a warning."""
    reading = reference.read(record)
    for prose, listed in PAIRS:
        if listed in reading.record:
            yield from reading.once(_compared, prose, listed, language=reference.language)


def _compared(reading: RecordView, prose: str, listed: str, language: str) -> tuple[Finding, ...]:
    items = reading.list_of(listed)
    if items is None:
        wrong = reading.record[listed] not in (None, "")
        shown = str(reading.record[listed])[:80]
        return (RULE.error(listed, "not a list of strings", shown),) if wrong else ()
    if not items:
        return ()
    if prose not in reading.prose:
        return (RULE.not_judged(listed, f"the record has no {prose} to compare with"),)
    known = reading.vocabulary[prose]
    empty = _empty(language)
    wanted = [[word for word in line.split() if word not in empty] for line in _lines(items)]
    missing = [item for item, words in zip(items, wanted, strict=True) if words and known.isdisjoint(words)]
    if missing:  # whole words of the others are there
        stems = {word[:STEM] for word in known}
        missing = [
            item
            for item, words in zip(items, wanted, strict=True)
            if words and stems.isdisjoint([word[:STEM] for word in words])
        ]
    share = 1 - len(missing) / len(items)
    if share == 0:
        told = ", ".join(items)[:120]
        return (RULE.error(listed, f"no item of the list is in {prose}; list what it tells", told),)
    few = share < FEW
    return (RULE.warning(listed, f"few items are in {prose}", ", ".join(missing)[:120]),) if few else ()


@cache
def _empty(language: str) -> frozenset[str]:
    """Words by which an item and a text are not alike."""
    return frozenset(lexicon("function_words", language)["lists"].split())


def _lines(items: list[str]) -> list[str]:
    """The items in lower-case letters."""
    joined = "\n".join(items)
    if not joined.isascii() or joined.count("\n") >= len(items):
        joined = "\n".join(plain_each(items))
    return letters(joined).split("\n")


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "skills_and_expertise": "Ana bakes bread, manages budgets and writes Python.",
        "skills_and_expertise_list": "['Bread baking', \"Budget management\", 'Python']",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        "hobbies_and_interests": "Ana paints and hikes.",
        "hobbies_and_interests_list": ["Chess", "Stamp collecting"],
    },
    {"skills_and_expertise": "Ana bakes.", "skills_and_expertise_list": "baking"},
)
