"""Repair policy: errors of rules that repair, and warnings of those that say so."""

from __future__ import annotations

from census_personas.validators.finding import Finding
from census_personas.validators.repair_policy import asks_repair


def test_warning_asks_for_a_repair_if_declared() -> None:
    unfit = Finding("occupation_in_text", "warning", "professional_persona", "another's work")
    assert asks_repair(unfit, {})
    assert not asks_repair(unfit, {"occupation_in_text": "flag"})
    assert not asks_repair(Finding("name_present", "warning", "persona", "named twice"), {})
    assert asks_repair(Finding("name_present", "error", "persona", "not named"), {})
    assert not asks_repair(Finding("lists_agree", "not_judged", "persona", "no prose"), {})
