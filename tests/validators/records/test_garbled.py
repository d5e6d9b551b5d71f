from __future__ import annotations

import pytest

from census_personas.validators.records import garbled
from census_personas.validators.rule_context import RuleContext


def faults(reference: RuleContext, text: str, field: str = "persona") -> list[str]:
    record = {"first_name": "Ana", "last_name": "Wu", field: text}
    return [finding.message for finding in garbled.check(record, reference)]


@pytest.mark.parametrize(
    "text",
    [
        "Ana drives on on Sundays.",
        "Ana opens a boutique\u202fboutique hotel.",
        "Ana has a skeptical skepticism.",
        "Ana brews a paleo pale ale.",
        "Ana frequents Birmingham\u2019s Birmingham Museum.",
        "Ana, as they frets over margins, saves.",
        "Ana waters herbs from they garden.",
        "Ana works while they genealogy passion grows.",
        "Ana\u00a0Wu rows.",
        "Ana rows with her sister and the.",
    ],
)
def test_garbled_words_are_found_across_spaces(reference: RuleContext, text: str) -> None:
    assert len(faults(reference, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Ana plays the yo-yo and eats mahi-mahi with Thomas Thomas.",
        "Ana had had enough of side-road road trips.",
        "Ana loves locally sourced sourdough and traditional trades.",
        "Ana knows the streets they walk, the herbs they press, and what they always cook.",
        "Ana likes the work she is good at.",
        "Ana reads Garc\u00eda\u202fM\u00e1rquez in New\u202fYork.",
    ],
)
def test_names_and_idioms_pass(reference: RuleContext, text: str) -> None:
    assert faults(reference, text) == []


def test_guess_at_descent_is_found(reference: RuleContext) -> None:
    guess = "Ana grew up in Iowa, and her surname hints at German ancestry."
    assert len(faults(reference, guess, "cultural_background")) == 1
    plan = "Ana will possibly write for a heritage magazine."
    assert faults(reference, plan, "career_goals_and_ambitions") == []
    assert faults(reference, "Ana is of German descent.", "cultural_background") == []
