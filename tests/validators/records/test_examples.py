from __future__ import annotations

import re
from typing import get_args

import pytest

from census_personas.census_priors.roles import ROLES
from census_personas.validators.finding import Policy, Severity
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import GUIDE_CHECKS, rules


def _errors(code: str, record: dict[str, object], reference: RuleContext) -> list[str]:
    found = rules()[code].check(reference.read(record), reference)
    return [finding.message for finding in found if finding.severity == "error"]


@pytest.mark.parametrize("code", rules())
def test_every_rule_finds_nothing_wrong_with_its_accepted_examples(code: str, reference: RuleContext) -> None:
    assert rules()[code].ACCEPTS
    for record in rules()[code].ACCEPTS:
        assert _errors(code, dict(record), reference) == [], record


@pytest.mark.parametrize("code", rules())
def test_every_rule_finds_an_error_in_its_rejected_examples(code: str, reference: RuleContext) -> None:
    assert rules()[code].REJECTS
    for record in rules()[code].REJECTS:
        assert _errors(code, dict(record), reference), record


@pytest.mark.parametrize("code", rules())
def test_every_rule_states_its_severity_and_a_known_policy(code: str) -> None:
    assert rules()[code].SEVERITY in get_args(Severity)
    assert rules()[code].POLICY in get_args(Policy)


@pytest.mark.parametrize("code", rules())
def test_every_rule_survives_an_empty_record_and_one_of_wrong_types(
    code: str, reference: RuleContext
) -> None:
    wrong = dict.fromkeys(
        ("age", "sex", "persona", "zipcode", "occupation", "skills_and_expertise_list", "state"), 3.5
    )
    for record in ({}, wrong, dict.fromkeys(wrong, None), dict.fromkeys(wrong, "")):
        for finding in rules()[code].check(reference.read(record), reference):
            assert finding.code == code


def test_the_five_checks_of_the_guide_name_only_rules_that_exist() -> None:
    assert len(GUIDE_CHECKS) == 5
    assert {code for codes in GUIDE_CHECKS.values() for code in codes} <= set(rules())


@pytest.mark.parametrize("code", rules())
def test_what_a_rule_needs_exists(code: str) -> None:
    rule = rules()[code]
    assert set(getattr(rule, "ROLES", ())) <= set(ROLES)
    assert set(getattr(rule, "LOOKUPS", ())) <= {"names", "occupations", "places"}
    assert all(re.fullmatch("[a-z]{2,3}", language) for language in getattr(rule, "LANGUAGES", ("en",)))
