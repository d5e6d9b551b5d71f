"""The dataset describes adults: ages lie between the adult age and the highest age that people reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "reject"
SCOPE: Scope = "facts"
ROLES: tuple[str, ...] = ("age",)

RULE = Rule.of(__name__)
OLDEST = 105  # one adult in 60,000 is older, and the highest age that the census tells is 99
RARE = 100


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare the age with the bounds."""
    reading = reference.read(record)
    age, column, youngest = reading.age, reading.column_of("age"), reference.adult_age
    if age is None:
        yield RULE.not_judged(column, "no age is given")
    elif not youngest <= age <= OLDEST:
        yield RULE.error(
            column, f"{age} lies outside {youngest}..{OLDEST}; the dataset describes adults", str(age)
        )
    elif age > RARE:
        yield RULE.warning(column, f"one adult in 3,000 is older than {RARE}", str(age))


ACCEPTS: tuple[Mapping[str, Any], ...] = ({"age": 18}, {"age": 99}, {"age": "64"})
REJECTS: tuple[Mapping[str, Any], ...] = ({"age": 17}, {"age": -1}, {"age": 126})
