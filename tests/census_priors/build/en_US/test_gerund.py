"""Task statements become phrases for the middle of a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import census_personas.census_priors
from census_personas.census_priors.build.en_US.gerund import gerund, gerund_phrase
from census_personas.census_priors.occupations import Occupations

pytestmark = pytest.mark.quick

OCCUPATIONS = Occupations(Path(census_personas.census_priors.__path__[0]) / "en_US")


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("prepare", "preparing"), ("plan", "planning"), ("run", "running"), ("tie", "tying"), ("dye", "dyeing"),
        ("see", "seeing"), ("oversee", "overseeing"), ("refer", "referring"), ("offer", "offering"),
        ("travel", "traveling"), ("fix", "fixing"), ("sew", "sewing"), ("copy", "copying"), ("format", "formatting"),
        ("quit", "quitting"), ("equip", "equipping"), ("steam-clean", "steam-cleaning"), ("set", "setting"),
        ("visit", "visiting"), ("train", "training"), ("panic", "panicking"), ("be", "being"),
        ("program", "programming"),
    ],
)  # fmt: skip
def test_verbs_are_inflected(verb: str, form: str) -> None:
    assert gerund(verb) == form


@pytest.mark.parametrize(
    ("task", "phrase"),
    [
        ("Prepare reports.", "preparing reports"),
        ("Plan, direct, or coordinate programs.", "planning, directing and coordinating programs"),
        ("Set up and operate glue machines by pouring.", "setting up and operating glue machines by pouring"),
        ("Answer telephones and direct calls to appropriate staff.", "answering telephones"),
        ("Read data to find, track, and resolve it.", "reading data to find, track and resolve it"),
        ("Check supplies to ensure availability, and order new supplies.", "checking supplies to ensure availability"),
        ("Maintain accurate, detailed reports.", "maintaining accurate, detailed reports"),
        ("Maintain accurate, complete, and correct records.", "maintaining accurate, complete and correct records"),
        ("Answer questions about flights, aircraft, weather.", "answering questions about flights"),
        ("Visually inspect gums for sores.", "visually inspecting gums for sores"),
        ("Maintain records, such as charts (paper or digital).", "maintaining records"),
        ("Prepare reports or recommendations.", "preparing reports and recommendations"),
        ("Describe merchandise and explain its use.", "describing merchandise"),
        ("Regulate heating, lighting, and ventilating.", "regulating heating, lighting and ventilating"),
        ("Instruct staff on how to handle complaints.", "instructing staff on how to handle complaints"),
        ("Monitor network performance to determine whether adjustments are needed, and report.", None),
        ("Conduct training in areas such as safety.", None),
        ("Dig ditches or trenches, backfill excavations, or compact earth.", "digging ditches and trenches"),
        ("Examine returned parts for defects, and exchange parts.", "examining returned parts for defects"),
        ("Greet customers and ascertain what each wants.", "greeting customers"),
        ("Remove kitchen trash and clean garbage containers.", "removing kitchen trash"),
        ("Follow city, state, and firm policies, procedures, and rules.", "following city, state and firm policies"),
        ("Serve on committees and boards that deal.", "serving on committees and boards"),
        ("Follow procedures.", None),
        ("Verify customer and order information.", None),
        ("Perform other duties.", None),
        ("Remove black mold.", None),
        ("Sell, for a fee, real estate owned by others.", "selling real estate owned by others"),
        ("Purchase, for resale, farm products such as milk.", "purchasing farm products"),
        ("Check stock levels and reorder merchandise as needed.", "checking stock levels"),
        ("Space trees and control weeds and undergrowth.", None),
        ("Disassemble defective units, and repair or replace parts.", "disassembling defective units"),
        ("Install expansion and control valves.", "installing expansion and control valves"),
        ("", None),
        ("Sing", None),
    ],
)  # fmt: skip
def test_tasks_become_phrases(task: str, phrase: str | None) -> None:
    assert gerund_phrase(task, 90) == phrase


def test_most_tasks_become_phrases() -> None:
    tasks = [task for occupation in OCCUPATIONS for task in occupation.tasks]
    phrases = [phrase for task in tasks if (phrase := gerund_phrase(task, 84))]
    assert len(phrases) > 0.85 * len(tasks)
    for phrase in phrases:
        assert re.match(r"(?:[a-z]+ly )*[a-z-]*ing\b", phrase), phrase
        assert not re.search(r"(?:,| and| or| the| of| to| with| such as)$|  |[.;:]$", phrase), phrase


@given(st.text(max_size=200), st.integers(20, 120))
@settings(max_examples=200)
def test_phrases_are_bounded(text: str, longest: int) -> None:
    phrase = gerund_phrase(text, longest)
    assert phrase is None or 12 <= len(phrase.replace(" and ", " or ")) <= longest
