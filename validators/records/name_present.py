"""The person's name stands in every persona, once, and it is this person's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import stands
from census_personas.validators.text.record_view import PersonName, RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "record"

RULE = Rule.of(__name__)
BETWEEN = 40  # letters that may stand between first and last name: middle names, particles, a nickname
ALIKE = 0.75  # similarity from which a first name is a misspelling (Cassandra, Casandra); short forms are alike too
_SUBJECT = re.compile(
    r"(?:As [a-z]+ [a-z ]+, )?([A-Z][a-z]+(?:-[A-Z][a-z]+)?)(?: [A-Z][A-Za-z'-]+)?"
    r" (?:is|was|grew|comes|hails|identifies|aims|plans|hopes|wants|has|seeks|intends|aspires|embraces|lives|works"
    r"|strives|looks|possesses|brings|excels|enjoys|loves|dreams|envisions|maintains|embodies)\b"
)
_NO_NAMES = frozenset(
    "He She They It This That There Who One Her His Their Family Growing Raised Born Now Today Life Work Nobody".split()
)


def check(record: Mapping[str, Any], _reference: RuleContext) -> Iterator[Finding]:
    """Look for the full name in each persona, and for another person's where the text opens with one."""
    reading = RecordView.of(record)
    name = reading.name
    if name is None:
        if reading.narratives:
            yield RULE.not_judged("persona", "no name is given, and the personas do not agree on one")
        return
    for field, text in reading.narratives.items():
        yield from _narrative(field, text, name)
    background = {field: text for field, text in reading.prose.items() if field not in reading.narratives}
    sure = name.stated or any(name.first in text for text in background.values())
    for field, text in background.items():
        yield from _background(field, text, name, sure)


def _narrative(field: str, text: str, name: PersonName) -> Iterator[Finding]:
    times = text.count(name.full)
    if times == 1 or (times == 0 and _spread(text, name)):
        return
    if times > 1:
        yield RULE.warning(
            field, f"the full name {name.full} stands {times} times; once is enough", name.full
        )
        return
    evidence = text[:80]
    if stands(name.first.casefold(), text.casefold()) and not _other_surname(text, name):
        yield RULE.warning(field, f"only a part of the name is there; write {name.full} once", evidence)
    else:
        yield RULE.error(
            field, f"{name.full} must be named in this text, once, with first and last name", evidence
        )


def _spread(text: str, name: PersonName) -> bool:
    """Whether first and last name stand close together, in any case and with other names between."""
    lower, first, last = text.casefold(), name.first.casefold(), name.last.casefold()
    at = lower.find(first)
    while at >= 0:
        end = at + len(first)
        if last in lower[end : end + BETWEEN + len(last)]:
            return True
        at = lower.find(first, end)
    return False


def _other_surname(text: str, name: PersonName) -> bool:
    """Whether a capitalised word that is not the last name follows the first name."""
    _, found, after = text.partition(name.first + " ")
    return bool(found) and after[:1].isupper() and not after.casefold().startswith(name.last.casefold())


def _background(field: str, text: str, name: PersonName, sure: bool) -> Iterator[Finding]:
    """Longer texts use the first name; where all agree on another, the name read from the personas is unsure."""
    if name.first in text:
        return
    match = _SUBJECT.match(text)
    if match is None or match.group(1) in _NO_NAMES:
        return
    known = name.full.casefold().replace("-", " ").split()
    other = match.group(1)
    if any(part in known for part in other.casefold().split("-")):
        return
    alike = name.first.startswith(other) or (
        SequenceMatcher(None, other.casefold(), name.first.casefold()).ratio() >= ALIKE
    )
    make = RULE.warning if alike or not sure else RULE.error
    yield make(field, f"the text speaks of {other}, the person is {name.full}", text[:80])


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "first_name": "José",
        "last_name": "de la Cruz",
        "persona": "Jose De La Cruz\u2019s garden feeds the street.",
    },
    {"first_name": "Joy", "last_name": "Will", "persona": "Joy Ann Will finds joy in long walks."},
    {
        "persona": "Ana Wu sings.",
        "sports_persona": "Ana Wu runs.",
        "arts_persona": "A painter, Ana Wu also draws.",
    },
    {"first_name": "Ana", "last_name": "Wu", "cultural_background": "Growing up in Ohio shaped her."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"first_name": "Ana", "last_name": "Wu", "persona": "Mary Smith paints boats."},
    {"first_name": "Ana", "last_name": "Wu", "persona": "Ana Smith paints boats."},
    {"persona": "Ana Wu sings.", "sports_persona": "Ana Wu runs.", "arts_persona": "Leo Park paints."},
    {"first_name": "Ana", "last_name": "Wu", "cultural_background": "Leo grew up by the sea."},
)
