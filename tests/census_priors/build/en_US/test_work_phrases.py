"""Tasks, tools and skills get the words in which a text names them, and the shipped look-up holds them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from census_personas.census_priors.build.en_US.tool_names import KINDS, name_tool
from census_personas.census_priors.build.en_US.work_phrases import LONGEST, LONGEST_SHORT, phrase_columns
from census_personas.census_priors.occupations import PHRASES, Occupations

OCCUPATIONS = Occupations(Path(str(files("census_personas.census_priors") / "en_US")))


@pytest.mark.parametrize(
    ("tool", "name", "kind"),
    [
        ("pizza ovens", "pizza ovens", "equipment"),
        ("welding equipment", "welding equipment", "equipment"),
        ("SAP software", "SAP software", "program"),
        ("JavaScript", "JavaScript", "code"),
        ("The MathWorks MATLAB", "MATLAB", "program"),
        ("graphics tablets GT", "graphics tablets", "equipment"),
        ("desktop computers", "", ""),
        ("Microsoft Office", "", ""),
        ("operating theatre", "", ""),
        ("35 millimeter cameras", "", ""),
        ("laser measuring systems of extraordinary length", "", ""),
    ],
)
def test_tools_without_kind_are_dropped(tool: str, name: str, kind: str) -> None:
    assert name_tool(tool) == (name, kind)


def test_long_tasks_are_shortened() -> None:
    columns = phrase_columns(
        [
            "Test pumps.",
            "Measure and mark dimensions of parts on paper or lumber stock prior to cutting, following blueprints, "
            "to ensure a tight fit and quality product.",
            "Perform other duties.",
        ],
        [],
        [],
    )
    assert columns["task_phrases"] == ["", "", ""]
    assert columns["task_short_phrases"] == ["", "measuring and marking dimensions of parts", ""]


@pytest.mark.parametrize(
    ("task", "supervises"),
    [
        ("Supervise technologists or other engineers.", True),
        ("Train new staff.", True),
        ("Hire cooks.", True),
        ("Train horses.", False),
        ("Test pumps.", False),
    ],
)
def test_supervising_tasks_are_marked(task: str, supervises: bool) -> None:
    assert phrase_columns([task], [], [])["task_supervises"] == [supervises]


def test_skills_may_keep_their_names() -> None:
    assert phrase_columns([], [], ["mechanical", "active listening"])["skill_phrases"] == [
        "mechanical know-how",
        "active listening",
    ]


def test_phrases_match_their_sources() -> None:
    for occupation in OCCUPATIONS:
        phrases = phrase_columns(occupation.tasks, occupation.tools, occupation.skills)
        assert {name: list(getattr(occupation, name)) for name in phrases} == phrases, occupation.name


def test_phrases_keep_length_and_kind() -> None:
    assert {column for columns in PHRASES.values() for column in columns} == set(phrase_columns([], [], []))
    for occupation in OCCUPATIONS:
        # An "or" becomes an "and" after the cut.
        assert all(len(phrase) <= LONGEST + 2 for phrase in occupation.task_phrases)
        assert all(len(phrase) <= LONGEST_SHORT + 2 for phrase in occupation.task_short_phrases)
        assert {*occupation.tool_kinds} <= {"", *KINDS}
        assert [not name for name in occupation.tool_names] == [not kind for kind in occupation.tool_kinds]
