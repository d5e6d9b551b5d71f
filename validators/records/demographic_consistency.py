"""No combination of facts is impossible, or so rare that hardly anyone is like that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from census_personas.census_priors.occupations import WITHOUT_WORK
from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
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
# Without a fitted model: child and parents. Marital status by age and occupation by education have rules of their
# own. Ethnicity is no parent: a rare combination with it is somebody's life, never a mistake to reject.
TABLES = (
    ("education_level", ("sex", "age")),
    ("labor_force_status", ("sex", "age")),
    ("occupation", ("age_span", "sex")),
    ("veteran_status", ("sex", "age_band")),
)
DEGREES = frozenset({"bachelors", "graduate"})
NO_FIELD = frozenset({"", "no_degree"})


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """First what the schema itself excludes, then what the fitted model, or without one the tables, find odd."""
    reading = RecordView.of(record)
    yield from _structure(reading)
    judged = reference.judged(reading.record)
    if judged is None:
        yield from _by_tables(reading, reference)
        return
    for fact, oddity in judged.items():
        if oddity.tail < WARNING_SHARE:
            make = RULE.error if oddity.tail < ERROR_SHARE else RULE.warning
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
    for child, parents in TABLES:
        oddity = reference.oddity(child, parents, facts)
        if oddity is not None and oddity.tail < WARNING_SHARE:
            make = RULE.error if oddity.tail < TABLE_ERROR_SHARE else RULE.warning
            given = ", ".join(str(facts[parent]) for parent in parents)
            yield make(
                child,
                f"{facts[child]} is {1 / oddity.lift:.0f} times rarer for {given} than for all adults",
                f"tail {oddity.tail:.1e}",
            )


def _structure(reading: RecordView) -> Iterator[Finding]:
    level, field = reading.fact("education_level"), reading.fact("bachelors_field")
    if level is not None and "bachelors_field" in reading:
        if level in DEGREES and (field is None or field in NO_FIELD):
            yield RULE.error("bachelors_field", f"{level} without a field of degree", str(field))
        elif level not in DEGREES and field is not None and field not in NO_FIELD:
            yield RULE.error("bachelors_field", f"a field of degree with {level}", field)
    status, occupation = reading.fact("labor_force_status"), reading.fact("occupation")
    if status is None or occupation is None:
        return
    working = occupation not in WITHOUT_WORK
    if (status == "not_in_workforce") != (occupation == "not_in_workforce"):
        yield RULE.error("occupation", f"{occupation} while {status}", status)
    elif status == "employed" and not working:
        yield RULE.error("occupation", f"{occupation} while employed", status)


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
