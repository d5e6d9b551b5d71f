"""A portrait derives words and tags from the facts alone."""

from __future__ import annotations

from importlib import resources

import pytest

from census_personas.foundation.yaml_file import parse_yaml
from census_personas.generator.offline.portrait import LEVELS, Portrait, life_tags, occupation_words
from census_personas.generator.offline.portrait_guide import PortraitGuide

pytestmark = pytest.mark.quick

GUIDE = PortraitGuide.load("en_US")
SOMEBODY = {"first_name": "Ana", "last_name": "Wu", "sex": "Female", "age": 40}


def test_trait_scores_have_the_published_levels() -> None:
    scores = {34: "o1", 35: "o2", 44: "o2", 45: "o3", 54: "o3", 55: "o4", 64: "o4", 65: "o5"}
    assert {
        score: tag
        for score in scores
        for tag in Portrait.of({**SOMEBODY, "openness": score}, GUIDE).salience
        if tag[0] == "o"
    } == scores
    assert "n1" in Portrait.of({**SOMEBODY, "neuroticism_label": LEVELS[0]}, GUIDE).salience


def test_retirement_age_matches_the_prompts() -> None:
    wording = resources.files("census_personas.prompts").joinpath("en_US", "wording.yaml")
    assert parse_yaml(wording.read_text(encoding="utf-8"))["work"]["retired_from"] == GUIDE.retired


@pytest.mark.parametrize(
    ("age", "status", "tag"),
    [
        (70, "not_in_workforce", "retired"),
        (62, "not_in_workforce", "retired"),
        (61, "not_in_workforce", "homebound"),
        (24, "not_in_workforce", "student"),
        (70, "employed", "worker"),
        (30, "unemployed", "seeking"),
        (30, "armed_forces", "military"),
    ],
)
def test_work_and_age_select_one_life_stage(age: int, status: str, tag: str) -> None:
    walks = {"retired", "homebound", "student", "worker", "seeking", "military"}
    assert life_tags({"age": age, "labor_force_status": status}, GUIDE) & walks == {tag}


@pytest.mark.parametrize(
    ("title", "sex", "words"),
    [
        ("accountant or auditor", "Male", "accountant"),
        ("waiter or waitress", "Female", "waitress"),
        ("waiter or waitress", "Male", "waiter"),
        ("elementary or middle school teacher", "Female", "elementary school teacher"),
        ("plumber, pipefitter or steamfitter", "Male", "plumber"),
        ("computer or information systems manager", "Male", "computer systems manager"),
        ("talent or sports agent", "Female", "talent agent"),
        ("construction or extraction supervisor", "Male", "construction supervisor"),
        ("elevator or escalator installer or repairer", "Male", "elevator installer"),
        ("computer, automated teller or office machine repairer", "Female", "computer repairer"),
        ("packaging or filling machine operator or tender", "Female", "packaging machine operator"),
        ("electrical or electronics engineer", "Male", "electrical engineer"),
        ("water or wastewater treatment plant or system operator", "Male", "water system operator"),
        ("word processor or typist", "Female", "typist"),
        ("registered nurse", "Male", "registered nurse"),
        ("automotive body or related repairer", "Male", "automotive body repairer"),
        ("director of religious activities or education", "Female", "director of religious activities"),
    ],
)
def test_joined_titles_become_one_title(title: str, sex: str, words: str) -> None:
    facts = {"occupation": "any", "occupation_title": title}
    assert occupation_words(facts, sex.lower(), GUIDE) == words
