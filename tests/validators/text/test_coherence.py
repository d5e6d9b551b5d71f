"""Coherence: what the texts about work share with the other texts of a record."""

from __future__ import annotations

from census_personas.validators.text.coherence import shared_words
from census_personas.validators.text.record_view import RecordView

RECORD = {
    "first_name": "Ana",
    "last_name": "Wu",
    "persona": "Ana Wu collects accordions.",
    "professional_persona": "Ana Wu repairs accordions for the theaters of Scranton.",
    "skills_and_expertise_list": ["Beekeeping"],
}


def test_shared_rare_words_are_counted() -> None:
    assert shared_words(RecordView(RECORD)) == (1, 0)


def test_work_of_others_shares_nothing() -> None:
    other = {**RECORD, "professional_persona": "Ana Wu monitors patients in an intensive care unit."}
    assert shared_words(RecordView(other)) == (0, 0)


def test_everyday_words_say_nothing() -> None:
    both = "Ana Wu balances a love of community."
    assert shared_words(RecordView({**RECORD, "persona": both, "professional_persona": both})) == (0, 0)
