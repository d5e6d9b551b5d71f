"""Every column that the record has holds a value of its type, and coded ones a state that exists."""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.foundation.schema import LISTS, PROSE
from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.rule_context import NO_DEGREE
from census_personas.validators.text.number_words import ONE_TO_TEN
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "reject"
SCOPE: Scope = "record"

RULE = Rule.of(__name__)
# Roles: what is coded, and what other rules cannot do without.
CODED = ("sex", "marital", "schooling", "field", "work", "occupation", "region", "origin", "birth")
NEEDED = ("sex", "age", "marital", "schooling", "occupation", "region", "postcode")
TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
LEAST_TRAIT, MOST_TRAIT = 20, 80  # T scores (mean 50, deviation 10) are cut at three deviations
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_LOST = 2  # leading zeros that a postcode may lack; zip_leading_zero reports them
_COUNTS = {number: name for name, number in ONE_TO_TEN.items()}


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Look at types, then at coded values; a state that only the locale does not know is not judged."""
    reading = reference.read(record)
    record = reading.record
    for field in PROSE:
        value = record.get(field, "")
        if value is None or value != value:  # noqa: PLR0124 - NaN is missing
            yield RULE.error(field, "the text is missing")
        elif not isinstance(value, str):
            yield RULE.error(field, "a text must be a string", repr(value)[:60])
    for field in LISTS:
        value = record.get(field, "")
        if value is None:
            yield RULE.error(field, "the list is missing")
        elif value != "" and reading.list_of(field) is None:
            yield RULE.error(field, "a list must be a list of strings", repr(value)[:60])
    yield from reading.once(_facts, reference=reference)


def _facts(reading: RecordView, reference: RuleContext) -> tuple[Finding, ...]:
    return (*_age(reading), *_columns(reading, reference), *_identifiers(reading, reference))


def _columns(reading: RecordView, reference: RuleContext) -> Iterator[Finding]:
    record = reading.record
    for role in CODED:
        if (field := reading.column_of(role)) in record:
            value, states = record[field], reference.states(field)
            if not (value and isinstance(value, str)) or (states is not None and value not in states):
                yield from _coded(role, field, value, states)
    if record.get("country", reference.priors.country) != reference.priors.country:
        yield RULE.error(
            "country", f"the dataset is of {reference.priors.country}", repr(record["country"])[:60]
        )
    for field in TRAITS:
        if field in record:
            yield from _trait(field, record[field])


def _age(reading: RecordView) -> Iterator[Finding]:
    field = reading.column_of("age")
    age = reading.get(field)
    if age is None or isinstance(age, bool):
        if field in reading:
            yield RULE.error(field, "an age is a whole number", repr(age))
    elif not isinstance(age, numbers.Real) or not float(age).is_integer():
        yield RULE.error(field, "an age is a whole number", repr(age)[:60])


def _coded(role: str, field: str, value: Any, states: frozenset[Any] | None) -> Iterator[Finding]:
    """What is wrong with a value that is missing, or no known state."""
    if value is None or value == "" or not isinstance(value, str):
        if role == "field" and (value is None or value == "" or value != value):  # noqa: PLR0124 - NaN
            return
        yield RULE.error(field, "a value is missing or no string", repr(value)[:60])
        return
    if states is None or (role == "field" and value == NO_DEGREE):
        return
    known = ", ".join(sorted(map(str, states))[:8]) + (", …" if len(states) > 8 else "")
    if role == "occupation":
        yield RULE.not_judged(field, "the locale has no such occupation", value)
    else:
        yield RULE.error(field, f"unknown value; known: {known}", value)


def _trait(field: str, value: Any) -> Iterator[Finding]:
    """A score may be missing; in a CSV file it is text."""
    if value is None or value == "" or value != value:  # noqa: PLR0124 - NaN is missing
        return
    try:
        within = not isinstance(value, bool) and LEAST_TRAIT <= float(value) <= MOST_TRAIT
    except (TypeError, ValueError):
        within = False
    if not within:
        shown = repr(value)[:60]
        yield RULE.error(field, f"a trait is a T score between {LEAST_TRAIT} and {MOST_TRAIT}", shown)


def _identifiers(reading: RecordView, reference: RuleContext) -> Iterator[Finding]:
    uuid = reading.fact("uuid")
    if uuid is not None and not _UUID.fullmatch(uuid):
        yield RULE.error("uuid", "a UUID has 32 lowercase hexadecimal digits", uuid[:60])
    postcode, digits = reading.fact_of("postcode"), reference.postcode_digits
    if postcode is not None and digits:
        whole = postcode.isdecimal() and postcode.isascii() and digits - _LOST <= len(postcode) <= digits
        if not whole:
            count = f"a {reference.place_words['postcode']} has {_COUNTS.get(digits, digits)} digits"
            yield RULE.error(reading.column_of("postcode"), count, postcode[:60])
    for field in needed(reference):
        if field not in reading:
            yield RULE.not_judged(field, "the record has no such column")


def needed(reference: RuleContext) -> tuple[str, ...]:
    """The columns that other rules cannot do without, as far as the locale has them."""
    return tuple(reference.roles[role] for role in NEEDED if role in reference.roles)


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"uuid": "0b0e7c1a2f3d4e5f8a9b0c1d2e3f4a5b", "age": 40, "sex": "Female", "bachelors_field": None},
    {"education_level": "bachelors", "bachelors_field": "stem", "zipcode": "02139"},
    {"hobbies_and_interests_list": "['chess']", "persona": "Ana Wu paints."},
    {"openness": 80, "neuroticism": "20", "extraversion": None},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"sex": "F"},
    {"age": "forty"},
    {"age": 40.5},
    {"uuid": "17"},
    {"skills_and_expertise_list": "chess, go"},
    {"persona": 12},
    {"persona": None},
    {"hobbies_and_interests_list": None},
    {"country": "Canada"},
    {"marital_status": "single"},
    {"state": "Ohio"},
    {"openness": 130},
    {"neuroticism": "low"},
)
