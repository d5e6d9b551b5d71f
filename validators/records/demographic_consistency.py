"""No combination of facts is impossible, or so rare that hardly anyone is like that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.rule_context import NO_DEGREE
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "reject"
SCOPE: Scope = "facts"

RULE = Rule.of(__name__)
# Shares of the population that each fact, or each table, may report; not limits on any combination.
ERROR_SHARE = 1e-5
WARNING_SHARE = 5e-4
TABLE_ERROR_SHARE = 5e-6
# Without a fitted model: child and parents, by role where an attribute has one. Marital status by age and occupation by
# education have rules of their own. Ethnicity is no parent: a rare combination with it is somebody's life, never a
# mistake to reject.
TABLES = (
    ("schooling", ("sex", "age")),
    ("work", ("sex", "age")),
    ("occupation", ("age_span", "sex")),
    ("military", ("sex", "age_band")),
)
NO_FIELD = frozenset({"", NO_DEGREE})


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """First what the schema itself excludes, then what the fitted model, or without one the tables, find odd."""
    reading = reference.read(record)
    yield from _structure(reading, reference)
    judged = reference.judged(reading.record)
    if judged is None:
        yield from _by_tables(reading, reference)
        return
    sex = reading.column_of("sex")  # of women and men in rare trades somebody is always the one
    for fact, oddity in judged.items():
        if oddity.tail < WARNING_SHARE:
            make = RULE.error if oddity.tail < ERROR_SHARE and fact != sex else RULE.warning
            rarer = (
                "never seen"
                if not oddity.lift
                else f"{1 / oddity.lift:.0f} times rarer than among all adults,"
            )
            yield make(
                fact,
                f"{record[fact]} is {rarer} among people with the other facts",
                f"tail {oddity.tail:.1e}",
            )


def prepare(readings: Sequence[RecordView], reference: RuleContext) -> None:
    """Ask the model about many records at once, which takes much longer one by one."""
    reference.expect(readings)


def _by_tables(reading: RecordView, reference: RuleContext) -> Iterator[Finding]:
    facts = reference.with_views(reading.record)
    for table in TABLES:
        child, parents = reading.column_of(table[0]), tuple(map(reading.column_of, table[1]))
        oddity = reference.oddity(child, parents, facts)
        if oddity is not None and oddity.tail < WARNING_SHARE:
            make = RULE.error if oddity.tail < TABLE_ERROR_SHARE else RULE.warning
            given = ", ".join(str(facts[parent]) for parent in parents)
            yield make(
                child,
                f"{facts[child]} is {1 / oddity.lift:.0f} times rarer for {given} than for all adults",
                f"tail {oddity.tail:.1e}",
            )


def _structure(reading: RecordView, reference: RuleContext) -> Iterator[Finding]:
    level, field = reading.fact_of("schooling"), reading.fact_of("field")
    column = reading.column_of("field")
    if level is not None and column in reading:
        without = field is None or field in NO_FIELD
        if level in reference.degrees and without:
            yield RULE.error(column, f"{level} without a field of degree", str(field))
        elif level not in reference.degrees and not without:
            yield RULE.error(column, f"a field of degree with {level}", str(field))
    status, occupation = reading.fact_of("work"), reading.fact_of("occupation")
    if status is None or occupation is None:
        return
    column = reading.column_of("occupation")
    working = occupation not in reference.without_work
    if (status == reference.outside) != (occupation in reference.outside_occupations) or (
        status == reference.employed and not working
    ):
        yield RULE.error(column, f"{occupation} while {status}", status)


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"sex": "Female", "age": 40, "education_level": "bachelors", "bachelors_field": "stem"},
    {"sex": "Male", "age": 70, "education_level": "high_school", "bachelors_field": None},
    {"labor_force_status": "employed", "occupation": "cashier"},
    {"labor_force_status": "unemployed", "occupation": "no_occupation"},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"education_level": "high_school", "bachelors_field": "stem"},
    {"education_level": "graduate", "bachelors_field": ""},
    {"labor_force_status": "not_in_workforce", "occupation": "cashier"},
    {"sex": "Female", "age": 18, "education_level": "graduate"},
)
