"""ZIP codes keep their leading zeros. The first releases of Nemotron-Personas lost them, so it is only flagged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "facts"

RULE = Rule.of(__name__)
DIGITS = 5


def check(record: Mapping[str, Any], _reference: RuleContext) -> Iterator[Finding]:
    """Count the digits."""
    zipcode = RecordView.of(record).fact("zipcode")
    if zipcode is not None and zipcode.isdigit() and len(zipcode) < DIGITS:
        yield RULE.error("zipcode", f"write {zipcode.zfill(DIGITS)}; leading zeros were lost", zipcode)


ACCEPTS: tuple[Mapping[str, Any], ...] = ({"zipcode": "02139"},)
REJECTS: tuple[Mapping[str, Any], ...] = ({"zipcode": "2139"}, {"zipcode": "601"})
