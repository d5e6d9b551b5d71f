"""Claims: titles that a text gives its person, and how a clause holds what it names."""

from __future__ import annotations

import pytest

from census_personas.validators.text.claims import mood_at, titles
from census_personas.validators.text.record_view import RecordView


def _titles(text: str) -> list[tuple[str, str]]:
    reading = RecordView({"first_name": "Ana", "last_name": "Wu", "professional_persona": text})
    return [(claim.title, claim.mood) for claim in titles(reading, "professional_persona")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Ana Wu, a 34-year-old front-end developer, builds sites.",
            [("34-year-old front-end developer", "present")],
        ),
        ("Ana Wu is a nurse who leads her team.", [("nurse", "present")]),
        (
            "A seasoned office administrator, Ana Wu keeps books.",
            [("seasoned office administrator", "present")],
        ),
        ("Ana Wu, an aspiring baker, sells at fairs.", [("aspiring baker", "training")]),
        ("Ana Wu, a data analyst in training, learns R.", [("data analyst", "training")]),
        (
            "Ana Wu, a retired nurse turned baker, rises early.",
            [("retired nurse", "past"), ("baker", "present")],
        ),
        (
            "Ana Wu, a retired teacher and facilitator, rests.",
            [("retired teacher", "past"), ("facilitator", "past")],
        ),
        (
            "Ana Wu, a retired teacher and part-time editor, rests.",
            [("retired teacher", "past"), ("part-time editor", "present")],
        ),
        ("Ana Wu, a volunteer docent, leads tours.", [("volunteer docent", "volunteer")]),
        ("Ana Wu plans her week with a manager, a nurse and a baker.", []),
        ("Ana Wu hopes to work as a nurse.", [("nurse", "aim")]),
    ],
)
def test_a_title_is_read_with_its_hedge(text: str, expected: list[tuple[str, str]]) -> None:
    assert _titles(text) == expected


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("ana holds a bachelor's degree", "present"),
        ("ana plans to earn a bachelor's degree", "aim"),
        ("ana plans a journey, while she holds a bachelor's degree", "present"),
        ("ana never earned a bachelor's degree", "negated"),
        ("ana mentors students toward a bachelor's degree", "aim"),
        ("ana helps her daughter through a bachelor's degree", "other"),
    ],
)
def test_the_nearest_hedge_of_a_clause_decides(text: str, mood: str) -> None:
    assert mood_at(text, text.index("bachelor")) == mood
