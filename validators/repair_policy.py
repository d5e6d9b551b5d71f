"""Repair policy: the findings for which a run asks the model for a repair."""

from __future__ import annotations

from collections.abc import Mapping

from census_personas.validators.finding import Finding
from census_personas.validators.rules import rules


def asks_repair(finding: Finding, policy: Mapping[str, str]) -> bool:
    """Return whether a run asks the model to repair the field of a finding.

    It does for errors of rules whose policy is `repair`, since a repair costs less than a lost row, and for their
    warnings if the rule declares `WARNINGS = "repair"`. A row whose warnings remain is accepted nevertheless.
    """
    if policy.get(finding.code, "repair") != "repair":
        return False
    rule = rules().get(finding.code)
    return finding.severity == "error" or (
        finding.severity == "warning" and getattr(rule, "WARNINGS", "flag") == "repair"
    )
