"""What the narrator without a model tells of one person belongs together."""

from __future__ import annotations

import re
from itertools import pairwise
from statistics import quantiles
from typing import Any

import pytest

from census_personas.census_priors.build.en_US.work_phrases import phrase_columns
from census_personas.foundation.schema import NARRATIVES
from census_personas.generator.offline.grammar import Grammar
from census_personas.generator.offline.narrator import OfflineNarrator
from census_personas.generator.offline.portrait_guide import PortraitGuide
from census_personas.generator.offline.work import Joins, Work, suited

NARRATOR = OfflineNarrator.load("en_US")
GUIDE = PortraitGuide.load("en_US")
JOINS = Joins(GUIDE.conjunction, GUIDE.gear)
GRAMMAR = Grammar.load("en_US")
CHORES = ("cleaning and oiling tools", "loading and stacking", "counting")
# Words per narrative, first and third quartile, of 1,500 adults of Nemotron-Personas-USA 1.1 (NVIDIA, CC BY 4.0).
RELEASED = {
    "professional_persona": (40, 49),
    "sports_persona": (43, 52),
    "arts_persona": (45, 54),
    "travel_persona": (44, 54),
    "culinary_persona": (42, 52),
    "persona": (31, 38),
}

ALL: dict[str, dict[str, int]] = {
    field: {}
    for field in (
        *NARRATIVES,
        "cultural_background",
        "skills_and_expertise",
        "hobbies_and_interests",
        "career_goals_and_ambitions",
    )
}


def adult(row: int, **changes: object) -> dict[str, Any]:
    person: dict[str, Any] = {
        "uuid": f"{row:08x}-0000-4000-8000-000000000000",
        "first_name": "Alex",
        "last_name": "Smith",
        "sex": ("Male", "Female")[row % 2],
        "age": 25 + row % 50,
        "marital_status": ("never_married", "married_present", "widowed")[row % 3],
        "education_level": "bachelors",
        "labor_force_status": "employed",
        "occupation": "carpenter",
        "occupation_title": "carpenter",
        "occupation_code": "6230",
        "city": "Dayton",
        "state": "OH",
        "state_name": "Ohio",
        "county": "Montgomery County",
        "metro_area": "Dayton-Kettering-Beavercreek, OH",
        "ethnicity": "white",
        "nativity": "us_born",
        "grounding": {
            **phrase_columns(
                ["Measure and mark cutting lines on materials.", "Build or repair cabinets."],
                ["circular saws"],
                ["mathematics"],
            ),
            "nearby": ["Kettering", "Xenia"],
        },
    }
    return person | changes


def written(person: dict[str, Any], *fields: str) -> dict[str, str]:
    return {
        field: str(text)
        for field, text in NARRATOR.write(person, {field: {} for field in fields}, seed=3).items()
    }


@pytest.mark.parametrize("field", NARRATIVES)
def test_narratives_are_about_as_long_as_the_released_ones(field: str) -> None:
    first, third = RELEASED[field]
    words = [len(written(adult(row), field)[field].split()) for row in range(300)]
    assert first - 4 <= quantiles(words, n=4)[1] <= third + 5


def test_a_family_keeps_the_customs_of_one_tradition() -> None:
    heritage = {text.text for text in GRAMMAR.alternatives("leaning_heritage")}
    customs = {
        tag: {text.text for text in GRAMMAR.pool("practice", frozenset({tag}))}
        - {text.text for text in GRAMMAR.pool("practice", frozenset())}
        for tag in heritage
    }
    told = [
        written(adult(row, ethnicity="asian", last_name=name), "cultural_background")["cultural_background"]
        for row in range(60)
        for name in ("Nguyen", "Kim", "Patel")
    ]
    for text in told:
        kept = [tag for tag in heritage if any(custom in text for custom in customs[tag])]
        shared = set.intersection(*(customs[tag] for tag in kept)) if kept else {""}
        assert len(kept) <= 1 or any(custom in text for custom in shared), (kept, text)


def test_every_tradition_has_customs_and_a_kitchen() -> None:
    anybody = len(GRAMMAR.pool("practice", frozenset()))
    for tag in {text.text for text in GRAMMAR.alternatives("leaning_heritage")}:
        assert len(GRAMMAR.pool("practice", frozenset({tag}))) >= anybody + 4, tag
        assert GRAMMAR.pool("leaning_kitchen", frozenset({tag}))


def test_every_state_offers_places_teams_and_dishes_of_its_own() -> None:
    states = {text.text for text in GRAMMAR.alternatives("region")}
    assert len(states) == 53
    for state in states:
        tags = GRAMMAR.tags_of("region", state)
        for symbol in ("own_outdoors", "own_venue", "own_team", "own_local"):
            texts = {text.text for text in GRAMMAR.pool(symbol, tags)}
            assert len(texts) >= 3, (state, symbol)
            assert not texts & {"the nearest state park", "the nearest museum", "the home team"}


def test_the_team_of_a_metropolitan_area_comes_before_that_of_the_state() -> None:
    here = GRAMMAR.tags_of("region", "TX") | GRAMMAR.tags_of("metro", "Dallas")
    texts = {text.text for text in GRAMMAR.pool("own_team", here)}
    assert "the Cowboys" in texts
    assert not texts & {"the Astros", "the Spurs"}


def test_the_people_in_a_life_are_the_same_in_all_its_texts() -> None:
    fields = (*NARRATIVES, "cultural_background", "hobbies_and_interests", "career_goals_and_ambitions")
    friend = re.compile(
        r"\b(?:his|her) (?:oldest friend|closest friend|favorite cousin|best friend(?: from school)?|neighbor|nephew"
        r"|niece|old classmate|next-door neighbor|younger neighbor|friend of (?:thirty|forty) years)\b"
    )
    for row in range(80):
        named = set(friend.findall(" ".join(written(adult(row), *fields).values())))
        assert len(named) <= 1, named


def test_programs_of_programmers_are_told_of_those_who_program() -> None:
    grounding = phrase_columns([], ["JavaScript", "SAP software"], [])
    plain = Work.of(grounding, tasks=CHORES, skills=["tact"], desk=True, coder=False, joins=JOINS)
    assert plain.software == ["SAP software"]
    coded = Work.of(grounding, tasks=CHORES, skills=["tact"], desk=True, coder=True, joins=JOINS)
    assert coded.software == ["JavaScript"]


def test_office_programs_are_told_of_those_who_work_at_a_desk() -> None:
    grounding = phrase_columns([], ["pizza ovens", "SAP software"], [])
    done = Work.of(grounding, tasks=CHORES, skills=["tact"], desk=False, coder=False, joins=JOINS)
    assert (done.equipment, done.software) == (["pizza ovens"], [])
    lists = [
        NARRATOR.write(
            adult(row, occupation_code=code, grounding=phrase_columns([], ["SAP software"], [])),
            {"skills_and_expertise_list": {}},
            seed=1,
        )["skills_and_expertise_list"]
        for row in range(10)
        for code in ("4020", "0800")
    ]
    assert [("SAP software" in told) for told in lists] == [False, True] * 10


def test_the_tasks_of_a_person_begin_with_different_verbs_and_lists_come_last() -> None:
    grounding = phrase_columns(
        [
            "Plan, direct, and coordinate repairs, deliveries, and returns.",
            "Plan menus for large parties.",
            "Measure cutting lines.",
        ],
        [],
        [],
    )
    done = Work.of(
        grounding,
        tasks=["planning the week ahead", "sharpening knives"],
        skills=["tact"],
        desk=True,
        coder=False,
        joins=JOINS,
    )
    assert done.told == [
        "measuring cutting lines",
        "planning, directing and coordinating repairs, deliveries and returns",
    ]
    assert done.listed == [
        "planning menus for large parties",
        "measuring cutting lines",
        "sharpening knives",
    ]
    plain = Work.of(
        {},
        tasks=CHORES,
        skills=["tact"],
        desk=True,
        coder=False,
        joins=JOINS,
    )
    assert plain.words["t_both"] == "cleaning and oiling tools, and loading and stacking"


def test_nobody_drives_who_stacks_shelves() -> None:
    stocker = {
        "occupation": "stocker_or_order_filler",
        "occupation_title": "stocker",
        "occupation_code": "9645",
    }
    driver = {"occupation": "truck_driver", "occupation_title": "truck driver", "occupation_code": "9130"}
    for row in range(60):
        assert "vehicle" not in written(adult(row, **stocker), "professional_persona")["professional_persona"]
    told = [
        written(adult(row, **driver), "professional_persona")["professional_persona"] for row in range(60)
    ]
    assert any("walks around the vehicle" in text for text in told)


def test_wishes_that_last_have_no_date() -> None:
    lasting = {text.text for text in GRAMMAR.alternatives("goal_keep")}
    dated = {text.text for text in GRAMMAR.alternatives("goal_reach")}
    assert lasting.isdisjoint(dated)
    for frame in GRAMMAR.alternatives("career_goals_and_ambitions"):
        assert ("goal_now", "timeframe") not in pairwise(slot.symbol for slot in frame.slots), frame.text


def test_those_at_home_near_a_large_city_are_not_sent_to_the_far_end_of_the_state() -> None:
    here = GRAMMAR.tags_of("region", "CA") | GRAMMAR.tags_of("metro", "San Diego")
    texts = {text.text for text in GRAMMAR.pool("own_outdoors", here)}
    assert "Torrey Pines" in texts
    assert not texts & {"the Mendocino headlands", "Mount Lassen"}


def test_a_text_without_slots_stands_once_in_memory_for_both_sexes() -> None:
    women, men = (GRAMMAR.spoken({"he": word}) for word in ("she", "he"))
    assert women.pool("weekday", frozenset()) == men.pool("weekday", frozenset())


def test_nobody_comes_late_to_a_thing_before_thirty() -> None:
    fields = ("arts_persona", "sports_persona", "hobbies_and_interests")
    late = re.compile(
        r"\bcame (?:back )?(?:late )?to .{3,60}(?:\blate\b|after a long pause)|\bcame late to\b"
    )
    told = {
        age: [late.search(" ".join(written(adult(row, age=age), *fields).values())) for row in range(150)]
        for age in (19, 60)
    }
    assert not any(told[19])
    assert any(told[60])


def test_who_is_driven_does_not_take_the_wheel() -> None:
    steered = {text.text for text in GRAMMAR.pool("travel_manner", frozenset({"at_wheel"}))}
    steered -= {text.text for text in GRAMMAR.pool("travel_manner", frozenset())}
    assert "taking turns at the wheel" in steered
    for row in range(120):
        text = written(adult(row, age=80, labor_force_status="not_in_workforce"), "travel_persona")
        assert not any(manner in text["travel_persona"] for manner in steered), text
    for stage in ("young", "prime", "mature", "senior"):
        for wheel in ("at_wheel", "taken_along"):
            assert len(GRAMMAR.pool("own_trip", frozenset({stage, wheel}))) >= 4


def test_sights_across_the_state_are_no_saturday_outings() -> None:
    trips = [text.text for text in GRAMMAR.alternatives("sport_trip") if "{own_outdoors}" in text.text]
    assert trips
    for text in trips:
        assert not re.search(r"Saturday|weekday|season|month|walk|afternoon|morning|hour|\bday\b", text), text


def test_nobody_starts_a_career_by_supervising_others() -> None:
    tasks = ["Supervise technologists or other engineers.", "Train new staff.", "Test pumps."]
    engineer = {"occupation": "engineer", "occupation_title": "civil engineer", "occupation_code": "1360"}
    grounding = adult(0)["grounding"] | phrase_columns(tasks, ["circular saws"], ["mathematics"])
    for age, supervises in ((26, False), (52, True)):
        text = " ".join(
            written(adult(row, age=age, grounding=grounding, **engineer), "skills_and_expertise")[
                "skills_and_expertise"
            ]
            for row in range(8)
        )
        assert ("supervising" in text) is supervises
    assert GUIDE.leads("construction supervisor")
    assert not GUIDE.leads("civil engineer")


def test_one_task_and_no_tool_is_told_where_a_code_pools_several_occupations() -> None:
    grounding = phrase_columns(["Place wafers.", "Mix chemicals."], ["scissor lifts"], ["physics"])
    kept = suited(grounding, junior=False, pooled=True, manager=False)
    assert kept["task_phrases"] == grounding["task_phrases"][:1]
    assert kept["tool_names"] == ()
    assert kept["skill_phrases"] == ["applied physics"]
    assert suited(grounding, junior=False, pooled=False, manager=False) == grounding
    worker = {"occupation": "production_worker", "occupation_title": "production worker"}
    told = written(
        adult(0, occupation_code="8990", grounding=grounding, **worker),
        "professional_persona",
        "skills_and_expertise",
    )
    assert "scissor lifts" not in " ".join(told.values())


def test_most_married_people_have_a_spouse_in_their_texts() -> None:
    couples = [adult(row, marital_status="married_present") for row in range(120)]
    texts = [
        " ".join(str(text) for text in NARRATOR.write(person, ALL, seed=3).values()) for person in couples
    ]
    assert sum(bool(re.search(r"\b(?:wife|husband)\b", text)) for text in texts) >= 108


def test_plans_of_advancement_end_before_the_last_years_of_work() -> None:
    seniors = {text.text for text in GRAMMAR.pool("goal_work", frozenset({"senior", "worker", "job_health"}))}
    assert "earn a specialty certification" not in seniors
    assert "earn a specialty certification" in {
        text.text for text in GRAMMAR.pool("goal_work", frozenset({"prime", "worker", "job_health"}))
    }


def test_a_dream_is_joined_by_no_phrase_that_needs_another_verb() -> None:
    assert not [
        text.text
        for text in GRAMMAR.alternatives("trip_spirit")
        if text.text.startswith("to ") and not text.text.startswith("to the ")
    ]
    assert not [
        text.text
        for text in GRAMMAR.alternatives("travel_persona")
        if "meant to see {trip_spirit}" in text.text
    ]
