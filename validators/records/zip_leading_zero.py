"""Postcodes keep their leading zeros. The first releases of Nemotron-Personas lost them, so it is only flagged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "facts"
ROLES: tuple[str, ...] = ("postcode",)
LOOKUPS: tuple[str, ...] = ("places",)

RULE = Rule.of(__name__)


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Count the digits."""
    reading, digits = reference.read(record), reference.postcode_digits
    postcode = reading.fact_of("postcode")
    if postcode is not None and postcode.isdigit() and len(postcode) < digits:
        column = reading.column_of("postcode")
        yield RULE.error(column, f"write {postcode.zfill(digits)}; leading zeros were lost", postcode)


ACCEPTS: tuple[Mapping[str, Any], ...] = ({"zipcode": "02139"},)
REJECTS: tuple[Mapping[str, Any], ...] = ({"zipcode": "2139"}, {"zipcode": "601"})
