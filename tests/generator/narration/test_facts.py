"""Facts agree with their row, are in words, and have grounding from the row's own stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from census_personas.census_priors.occupations import PHRASES
from census_personas.census_priors.priors import Priors
from census_personas.generator.narration.facts import FactSheet
from census_personas.generator.narration.nearby_towns import NearbyTowns
from census_personas.generator.offline.portrait import Portrait
from census_personas.generator.offline.portrait_guide import PortraitGuide
from census_personas.prompts.template import PromptSet

pytestmark = pytest.mark.quick


@pytest.fixture(scope="session")
def sheet(priors: Priors, prompts: PromptSet) -> FactSheet:
    return FactSheet(priors, prompts)


def stream(row: int) -> np.random.Generator:
    return np.random.default_rng(row)


def test_codes_become_words(sheet: FactSheet, nurse: dict[str, Any]) -> None:
    told = sheet.of(nurse, stream(1))
    assert told["work"] == "works as a registered nurse"
    assert told["state_name"] == "Ohio"
    assert told["pronouns"]["possessive"] == "her"
    assert not [words for words in told["labels"].values() if "_" in words]


def test_no_occupation_means_no_work_details(sheet: FactSheet, retiree: dict[str, Any]) -> None:
    told = sheet.of(retiree, stream(1))
    assert told["occupation_title"] == ""
    assert "retired" in told["work"]
    assert told["grounding"]["tasks"] == []


def test_unemployed_people_do_not_work(sheet: FactSheet, nurse: dict[str, Any]) -> None:
    changed = nurse | {"labor_force_status": "unemployed", "occupation": "no_occupation"}
    assert sheet.of(changed, stream(1))["work"] == "has no job at present and is looking for one"


@pytest.mark.parametrize(
    ("sex", "occupation", "work"),
    [
        ("Female", "waiter_or_waitress", "works as a waitress"),
        ("Male", "waiter_or_waitress", "works as a waiter"),
        ("Male", "fast_food_or_counter_worker", "works as a fast food worker"),
    ],
)
def test_title_fits_one_person(
    sheet: FactSheet, nurse: dict[str, Any], sex: str, occupation: str, work: str
) -> None:
    assert sheet.of(nurse | {"sex": sex, "occupation": occupation}, stream(1))["work"] == work


def test_prompt_set_may_reword_a_state(sheet: FactSheet, nurse: dict[str, Any], priors: Priors) -> None:
    told = sheet.of(nurse | {"nativity": "us_born"}, stream(1))
    assert told["labels"]["ethnicity"] == "White" != priors.label("ethnicity", "white")
    assert told["labels"]["marital_status"] == priors.label("marital_status", "married_present")
    assert {"name": "Citizenship", "value": "American by birth"} in told["background"]


@pytest.mark.parametrize(
    ("recipe", "full", "mended"),
    [
        (("given_name", "family_name"), "Ruth Castellano", ("Ruth", "Castellano")),
        (("given_name", "middle_name", "family_name"), "Ruth Ann Castellano", ("Ruth", "Ann Castellano")),
        (("family_name", "given_name"), "Castellano Ruth", ("", "")),
        (("given_name", "family_name", "second_family_name"), "Ruth Castellano", ("Ruth", "Castellano")),
    ],
)
def test_full_name_follows_the_recipe(
    prompts: PromptSet, nurse: dict[str, Any], recipe: tuple[str, ...], full: str, mended: tuple[str, str]
) -> None:
    priors = Priors.load("en_US")
    names = priors.conventions.names.model_copy(update={"recipe": recipe})
    other = replace(priors, conventions=priors.conventions.model_copy(update={"names": names}))
    sheet = FactSheet(other, prompts)
    facts = sheet.of(nurse, stream(1))
    assert (facts["full_name"], sheet.name_of(nurse)) == (full, mended)
    assert Portrait.of(facts, PortraitGuide.load("en_US")).words["name"] == full


def test_grounding_depends_on_the_row_stream(sheet: FactSheet, nurse: dict[str, Any]) -> None:
    assert sheet.of(nurse, stream(1)) == sheet.of(nurse, stream(1))
    assert sheet.of(nurse, stream(1))["grounding"] != sheet.of(nurse, stream(2))["grounding"]


def test_nurses_have_different_grounding(sheet: FactSheet, nurse: dict[str, Any]) -> None:
    told = {str(sheet.of(nurse, stream(row))["grounding"]) for row in range(2000)}
    assert len(told) == 2000


def test_grounding_comes_from_the_occupation(sheet: FactSheet, nurse: dict[str, Any], priors: Priors) -> None:
    occupation = priors.occupations.get("registered_nurse")
    grounding = sheet.of(nurse, stream(3))["grounding"]
    assert grounding["tasks"]
    assert set(grounding["tasks"]) <= set(occupation.tasks)
    assert set(grounding["tools"]) <= set(occupation.tools)


def test_grounding_items_have_phrases(sheet: FactSheet, nurse: dict[str, Any], priors: Priors) -> None:
    occupation = priors.occupations.get("registered_nurse")
    grounding = sheet.of(nurse, stream(3))["grounding"]
    for kind, columns in PHRASES.items():
        rows = list(
            zip(getattr(occupation, kind), *(getattr(occupation, name) for name in columns), strict=True)
        )
        drawn = zip(grounding[kind], *(grounding[name] for name in columns), strict=True)
        assert all(row in rows for row in drawn)


def test_habits_show_the_extreme_traits(sheet: FactSheet, nurse: dict[str, Any], prompts: PromptSet) -> None:
    facets = sheet.of(nurse, stream(3))["grounding"]["facets"]
    assert facets[0] in prompts.words("personality", "facets", "neuroticism", "low")
    assert facets[1] in prompts.words("personality", "facets", "conscientiousness", "high")


def test_sample_of_the_linter_has_all_facts(
    sheet: FactSheet, nurse: dict[str, Any], prompts: PromptSet
) -> None:
    told = sheet.of(nurse, stream(1))
    sample = prompts.words("sample")
    later = {field.name for field in prompts.templates["attributes"].fields} | {
        "findings",
        "kept",
        "previous",
        "texts",
    }
    assert set(told) - set(sample) == set()
    assert set(sample) - set(told) - later == {"nativity"}
    assert set(sample["grounding"]) == set(told["grounding"])
    assert set(sample["labels"]) == set(told["labels"])


def test_nearby_towns_are_near(priors: Priors) -> None:
    towns = NearbyTowns(priors.places).towns("45402")
    assert "Dayton" not in towns
    assert "Kettering" in towns or "Beavercreek" in towns or "Fairborn" in towns
    assert set(towns) <= priors.places.municipalities("OH")


@pytest.mark.parametrize("zipcode", ["00801", "96799", "99501", "20001"])
def test_every_place_has_a_neighbourhood_or_none(priors: Priors, zipcode: str) -> None:
    if zipcode in priors.places:
        assert isinstance(NearbyTowns(priors.places).towns(zipcode), tuple)


def test_every_stage_of_life_has_words(sheet: FactSheet, nurse: dict[str, Any]) -> None:
    stages = {
        sheet.of(nurse | {"age": age, "birth_year": 2024 - age}, stream(0))["grounding"]["life_stage"]
        for age in range(18, 106)
    }
    assert len(stages) == 8


def test_negative_states_are_not_mentioned(sheet: FactSheet, nurse: dict[str, Any]) -> None:
    more = {"veteran_status": "never_served", "industry": "health", "disability_status": "without_disability"}
    told = sheet.of(nurse | more | {"commute_mode": "none", "urbanicity": "suburban"}, stream(1))[
        "background"
    ]
    assert [fact["name"] for fact in told] == ["Industry", "Surroundings"]


@pytest.mark.parametrize(
    ("occupation", "work"),
    [
        ("meter_reader_utilities", "a utility meter reader"),
        ("usher_lobby_attendant_or_ticket_taker", "an usher"),
    ],
)
def test_article_follows_the_sound(
    sheet: FactSheet, nurse: dict[str, Any], occupation: str, work: str
) -> None:
    assert work in sheet.of(nurse | {"occupation": occupation}, stream(1))["work"]
