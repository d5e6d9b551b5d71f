"""Repair policy: which findings a run shows to the model to have the field written anew."""

from __future__ import annotations

from collections.abc import Mapping

from census_personas.validators.finding import Finding
from census_personas.validators.rules import rules


def asks_repair(finding: Finding, policy: Mapping[str, str]) -> bool:
    """Whether a run asks the model to write the field anew.

    For errors of rules whose policy is `repair`, and for warnings of those among them that say so by
    `WARNINGS = "repair"`: a repair costs less than a lost row. A row whose warnings remain is accepted all the same.
    """
    if policy.get(finding.code, "repair") != "repair":
        return False
    rule = rules().get(finding.code)
    return finding.severity == "error" or (
        finding.severity == "warning" and getattr(rule, "WARNINGS", "flag") == "repair"
    )
