"""Faults of a small model's records: wordings that repeat, facts recited, births and degrees that the facts deny."""

from __future__ import annotations

from typing import Any

import pytest

from census_personas.validators.repair_policy import asks_repair
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import BY_MODEL, SAMPLED, WRITTEN, RecordChecker

pytestmark = pytest.mark.quick

MODEL = {**WRITTEN, **BY_MODEL}
SKELETON = "Ana Wu loves {}. However, she finds that her days are short, and she looks for ways to expand."


def _found(reference: RuleContext, record: dict[str, Any], code: str, policy: dict[str, str]) -> list[str]:
    checker = RecordChecker(reference, policy)
    return [f.severity for f in checker.check(record) if f.code == code and asks_repair(f, checker.policy)]


def test_shared_skeleton_is_repaired_in_model_texts(reference: RuleContext) -> None:
    record = {
        field: SKELETON.format(what)
        for field, what in (
            ("arts_persona", "jazz"),
            ("travel_persona", "coasts"),
            ("culinary_persona", "rice"),
        )
    }
    assert _found(reference, record, "monotony", MODEL) == ["warning", "warning"]
    assert _found(reference, record, "monotony", dict(SAMPLED)) == []
    assert _found(reference, record, "monotony", {}) == []


def test_names_may_come_again(reference: RuleContext) -> None:
    record = {
        field: f"Ana Wu {does} at the Elk Grove Community Arts Center with friends."
        for field, does in (("arts_persona", "paints"), ("sports_persona", "bowls"), ("persona", "sings"))
    }
    assert _found(reference, record, "monotony", MODEL) == []


@pytest.mark.parametrize(
    ("text", "severities"),
    [
        ("Her heritage is White, and her county is Licking County.", ["error"]),
        ("Her income is $25,000 to $49,999.", ["error"]),
        ("Ana Wu is an agreeable person who is frank.", ["warning"]),
        ("Ana Wu is a Black woman from Licking County.", []),
    ],
)
def test_a_recited_fact_is_repaired(text: str, severities: list[str], reference: RuleContext) -> None:
    assert _found(reference, {"cultural_background": text}, "recited_facts", MODEL) == severities


@pytest.mark.parametrize(
    ("nativity", "text", "severities"),
    [
        ("naturalized", "Ana was born in 1972 in Austin, Texas.", ["error"]),
        ("not_citizen", "Ana's daughter was born in Austin, Texas.", []),
        ("not_citizen", "Born and raised in Pflugerville, Ana loves the land.", ["warning"]),
        ("us_born", "Ana has been in the United States for 14 years.", ["warning"]),
        ("us_born", "Ana was born in Austin, Texas.", []),
    ],
)
def test_a_birth_fits_the_nativity(
    nativity: str, text: str, severities: list[str], reference: RuleContext
) -> None:
    record = {"nativity": nativity, "city": "Austin", "state": "TX", "cultural_background": text}
    assert _found(reference, record, "birthplace", MODEL) == severities


@pytest.mark.parametrize(
    ("education", "codes"),
    [("high_school", {"education_in_text", "credentials"}), ("graduate", set())],
)
def test_a_degree_in_law_needs_a_degree(education: str, codes: set[str], reference: RuleContext) -> None:
    record = {
        "education_level": education,
        "skills_and_expertise": "Ana has a degree in law and is an experienced lawyer.",
    }
    found = RecordChecker(reference, MODEL).check(record)
    assert {f.code for f in found if f.severity == "error"} == codes


def test_too_many_sentences_ask_for_a_repair(reference: RuleContext) -> None:
    record = {
        "persona": "Ana Wu swims well. She reads much. She sings low. She bakes rye. She walks far. She rests."
    }
    assert _found(reference, record, "sentence_count_length", MODEL) == ["warning"] * 2
