"""Marital status is one that people of this age and sex have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "reject"
SCOPE: Scope = "facts"
ROLES: tuple[str, ...] = ("age", "marital")

RULE = Rule.of(__name__)
# Shares of real adults that the rule may report, not limits on any combination.
ERROR_SHARE = 3e-5
WARNING_SHARE = 1e-3
RARE_FROM = (
    20  # age from which a status that is rare so early is somebody's all the same: a widower of twenty-five
)
MARRIAGEABLE = 16  # age below which no state lets people marry without a court


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Ask the census how much rarer the status is at this age than among all adults."""
    reading = reference.read(record)
    status, age = reading.fact_of("marital"), reading.age
    column, years = reading.column_of("marital"), reading.column_of("age")
    if status is None or age is None:
        yield RULE.not_judged(column, "no marital status or age is given")
        return
    if age < MARRIAGEABLE and status != reference.single:
        yield RULE.error(column, f"{status} at {age}", f"{status}, {age}")
        return
    oddity = reference.oddity(column, (reading.column_of("sex"), years), record) or reference.oddity(
        column, (years,), record
    )
    if oddity is None:
        yield RULE.not_judged(column, "the locale has no table of marital status by age")
    elif oddity.tail < WARNING_SHARE:
        make = RULE.error if oddity.tail < ERROR_SHARE and age < RARE_FROM else RULE.warning
        words = reference.label(column, status)
        yield make(
            column,
            f"{words} at {age} is {1 / oddity.lift:.0f} times rarer than among all adults",
            f"tail {oddity.tail:.1e}",
        )


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"sex": "Female", "age": 80, "marital_status": "widowed"},
    {"sex": "Male", "age": 19, "marital_status": "never_married"},
    {"sex": "Male", "age": 45, "marital_status": "divorced"},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"sex": "Male", "age": 18, "marital_status": "widowed"},
    {"sex": "Female", "age": 12, "marital_status": "married_present"},
)
