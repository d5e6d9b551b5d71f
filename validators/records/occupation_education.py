"""The occupation is one that people of this education have: licences, preparation, and the census."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "reject"
SCOPE: Scope = "facts"
ROLES: tuple[str, ...] = ("occupation", "schooling")
LOOKUPS: tuple[str, ...] = ("occupations",)

RULE = Rule.of(__name__)
# Shares of real adults that the rule may report, not limits on any combination.
ERROR_SHARE = 1e-6
LICENSED_ERROR_SHARE = 1e-5
WARNING_SHARE = 2e-3
LEAST_FOR_ZONE = {
    4: 2,
    5: 4,
}  # O*NET job zone -> place in the ladder of schooling below which it is odd; used without a table


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Ask the census how much rarer the occupation is with this education; licensed ones are judged harder."""
    reading = reference.read(record)
    name, level = reading.fact_of("occupation"), reading.fact_of("schooling")
    column, schooling = reading.column_of("occupation"), reading.column_of("schooling")
    if name is None or level is None:
        yield RULE.not_judged(column, "no occupation or education is given")
        return
    if name in reference.without_work:
        return
    occupation = reference.occupation(name)
    if occupation is None:
        yield RULE.not_judged(column, "the locale has no such occupation", name)
        return
    words = reference.label(schooling, level)
    oddity = reference.oddity(column, (schooling,), record)
    if oddity is None:
        least = LEAST_FOR_ZONE.get(occupation.job_zone or 0, 0)
        if level in reference.levels and reference.levels.index(level) < least:
            yield RULE.warning(column, f"{words} for job zone {occupation.job_zone}", occupation.title)
        return
    if oddity.tail < WARNING_SHARE:
        share = LICENSED_ERROR_SHARE if occupation.licensed else ERROR_SHARE
        make = RULE.error if oddity.tail < share else RULE.warning
        licence = ", which needs a licence," if occupation.licensed else ""
        yield make(
            column,
            f"{occupation.title}{licence} with {words} is {1 / oddity.lift:.0f} times rarer than with any education",
            f"tail {oddity.tail:.1e}",
        )


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"occupation": "physician", "education_level": "graduate"},
    {"occupation": "cashier", "education_level": "high_school"},
    {"occupation": "not_in_workforce", "education_level": "less_than_9th"},
)
REJECTS: tuple[Mapping[str, Any], ...] = ({"occupation": "physician", "education_level": "less_than_9th"},)
