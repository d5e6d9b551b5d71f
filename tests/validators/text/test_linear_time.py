"""No text, whatever it repeats, holds up the rules: a model that loops writes such ones."""

from __future__ import annotations

import time
from typing import Any

import pytest

from census_personas.census_priors.priors import Priors
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import rules

SIZE = 8_000
# Something of everything that makes a rule look closer.
GUARD = (
    " @ {{ [ < _ 12 19 47 www. .com http:// ``` ** ( is degree years old in her 40s something now retired student"
    " they at 61, aged 50 in the 1990s Street "
)
REPEATED = (
    "a", "9", "1 ", " ", "a.", "a-", "a_", "a@", "A", "Ab-", "A'", "Ab. ", "A.B.", "{", "{{", "{%", "[", "[name",
    "[insert ", "(", "'", '"', "\\", "`", "#", "*", "@", "www.", "a.com", "[at]", "1-555-", "1234-", "+1",
    "123 Ab Ab Ab ", "Ana de la ", "de la ", "As aa aa ", "20 years ", "is 47 ", "at the age of ", "in her late 40s ",
    "born on a 1, in ", "grew up ", "retired ", "GED ", "bachelor's degree ", "enroll in a community college ", "she ",
    "they ", "and her a b ",
    "nearby ", "nearby Ab ", "weekend trips to Ab, ", "day trips to the ", "Dayton, Ab County ", "likely descent ",
    "on they as ", "hints at ", "Ab's Ab ", "gardenful garden ", "has no persona ", "licensed ", "a board-certified ",
    "CPA ", "runs a rye bakery ", "become a title examiner ", "the bee a b ",
    "New York ", "Dayton, OH ", "registered nurse ", "works as a ", "\u00e9", "\u202e", "\U0001f600", "<think>",
)  # fmt: skip


@pytest.fixture(scope="module")
def reference() -> RuleContext:
    return RuleContext(Priors.load("en_US"), prompts=("the bee a b " * 40,))


@pytest.mark.parametrize("named", [True, False])
def test_every_rule_reads_any_text_in_linear_time(reference: RuleContext, named: bool) -> None:
    slow = {}
    names = {"first_name": "Ruth", "last_name": "Castellano"} if named else {}
    for repeated in REPEATED:
        text = f"Ana {GUARD}{repeated * (SIZE // len(repeated))}{GUARD}"
        part = text[: SIZE // 4]
        record: dict[str, Any] = {
            **names,
            "sex": "Female",
            "age": 47,
            "birth_year": 1977,
            "education_level": "high_school",
            "occupation": "registered_nurse",
            "state": "OH",
            "city": "Dayton",
            "zipcode": "45402",
            "persona": text,
            "cultural_background": text,
            "professional_persona": part,
            "career_goals_and_ambitions": f"She hopes to launch a rye bakery. {part}",
            "skills_and_expertise_list": f"['{text}']",
        }
        for code, rule in rules().items():
            began = time.process_time()
            list(rule.check(record, reference))
            if (seconds := time.process_time() - began) > 0.7:
                slow[repeated, code] = seconds
    assert slow == {}


@pytest.mark.parametrize("born", ["\u00b2", "9" * 5000, "-1", "x"])
def test_bad_birth_year_ends_no_check(reference: RuleContext, born: str) -> None:
    record = {
        "age": 47,
        "birth_year": born,
        "persona": "Ana grew up in the 1990s. At the age of " + "9" * 5000 + ".",
    }
    for rule in rules().values():
        list(rule.check(record, reference))
