from __future__ import annotations

import re
from typing import get_args

import pytest

from census_personas.census_priors.roles import ROLES
from census_personas.validators.finding import Policy, Severity
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import GUIDE_CHECKS, rules

pytestmark = pytest.mark.quick


def _errors(code: str, record: dict[str, object], reference: RuleContext) -> list[str]:
    found = rules()[code].check(reference.read(record), reference)
    return [finding.message for finding in found if finding.severity == "error"]


@pytest.mark.parametrize("code", rules())
def test_accepted_examples_have_no_finding(code: str, reference: RuleContext) -> None:
    assert rules()[code].ACCEPTS
    for record in rules()[code].ACCEPTS:
        assert _errors(code, dict(record), reference) == [], record


@pytest.mark.parametrize("code", rules())
def test_rejected_examples_have_an_error(code: str, reference: RuleContext) -> None:
    assert rules()[code].REJECTS
    for record in rules()[code].REJECTS:
        assert _errors(code, dict(record), reference), record


@pytest.mark.parametrize("code", rules())
def test_rules_state_severity_and_policy(code: str) -> None:
    assert rules()[code].SEVERITY in get_args(Severity)
    assert rules()[code].POLICY in get_args(Policy)


@pytest.mark.parametrize("code", rules())
def test_rules_survive_odd_records(code: str, reference: RuleContext) -> None:
    wrong = dict.fromkeys(
        ("age", "sex", "persona", "zipcode", "occupation", "skills_and_expertise_list", "state"), 3.5
    )
    for record in ({}, wrong, dict.fromkeys(wrong, None), dict.fromkeys(wrong, "")):
        for finding in rules()[code].check(reference.read(record), reference):
            assert finding.code == code


def test_checks_of_the_guide_exist() -> None:
    assert len(GUIDE_CHECKS) == 5
    assert {code for codes in GUIDE_CHECKS.values() for code in codes} <= set(rules())


@pytest.mark.parametrize("code", rules())
def test_what_a_rule_needs_exists(code: str) -> None:
    rule = rules()[code]
    assert set(getattr(rule, "ROLES", ())) <= set(ROLES)
    assert set(getattr(rule, "LOOKUPS", ())) <= {"names", "occupations", "places"}
    assert all(re.fullmatch("[a-z]{2,3}", language) for language in getattr(rule, "LANGUAGES", ("en",)))
