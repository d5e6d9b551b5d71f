"""The person's name stands in every persona, once, and it is this person's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import lexicon_if_any, stands
from census_personas.validators.text.person_name import PersonName

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "record"
ROLES: tuple[str, ...] = ("given_name", "family_name")

RULE = Rule.of(__name__)
BETWEEN = 40  # letters that may stand between first and last name: middle names, particles, a nickname
ALIKE = 0.75  # similarity from which a first name is a misspelling (Cassandra, Casandra); short forms are alike too


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Look for the full name in each persona, and for another person's where the text opens with one."""
    reading = reference.read(record)
    name = reading.name
    if name is None:
        if reading.narratives:
            yield RULE.not_judged("persona", "no name is given, and the personas do not agree on one")
        return
    for field, text in reading.narratives.items():
        yield from _narrative(field, text, name)
    background = {field: text for field, text in reading.prose.items() if field not in reading.narratives}
    sure = name.stated or any(name.first in text for text in background.values())
    subjects = _subjects(reference.language)
    for field, text in background.items():
        if subjects is not None:
            yield from _background(field, text, name, subjects, sure)


def _narrative(field: str, text: str, name: PersonName) -> Iterator[Finding]:
    times = text.count(name.full)
    if times == 1 or (times == 0 and _spread(text, name)):
        return
    if times == 0 and not name.stated and " " in name.last and name.last in text:
        return  # "Firefighter Ana Wu" in most texts, "Ana Wu" here
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
    lower, (first, last) = text.casefold(), map(str.casefold, name.ends)
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


class _Subjects(NamedTuple):
    """The pattern of a text that opens with somebody's name, and words that stand there and are none."""

    opening: re.Pattern[str]
    none: frozenset[str]


@cache
def _subjects(language: str) -> _Subjects | None:
    content = lexicon_if_any("name_subject", language)
    if not content:
        return None
    verbs = "|".join(content["verbs"].split())
    return _Subjects(re.compile(rf"{content['opening']} (?:{verbs})\b"), frozenset(content["none"].split()))


def _background(
    field: str, text: str, name: PersonName, subjects: _Subjects, sure: bool
) -> Iterator[Finding]:
    """Longer texts use the first name; where all agree on another, the name read from the personas is unsure."""
    if name.first in text:
        return
    match = subjects.opening.match(text)
    if match is None or match.group(1) in subjects.none:
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
    {
        "persona": "Ana Wu sings.",
        "sports_persona": "Firefighter Ana Wu runs.",
        "arts_persona": "Firefighter Ana Wu draws.",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"first_name": "Ana", "last_name": "Wu", "persona": "Mary Smith paints boats."},
    {"first_name": "Ana", "last_name": "Wu", "persona": "Ana Smith paints boats."},
    {"persona": "Ana Wu sings.", "sports_persona": "Ana Wu runs.", "arts_persona": "Leo Park paints."},
    {"first_name": "Ana", "last_name": "Wu", "cultural_background": "Leo grew up by the sea."},
)
