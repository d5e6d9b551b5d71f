"""The offline narrator's texts about one person are coherent."""

from __future__ import annotations

import re
from itertools import pairwise
from statistics import quantiles
from typing import Any

import pytest
import shipped

from census_personas.census_priors.build.en_US.work_phrases import phrase_columns
from census_personas.foundation.schema import NARRATIVES
from census_personas.generator.offline.portrait_guide import PortraitGuide
from census_personas.generator.offline.work import Joins, Work, suited

GUIDE = PortraitGuide.load("en_US")
JOINS = Joins(GUIDE.conjunction, GUIDE.gear)
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
        for field, text in shipped.narrator().write(person, {field: {} for field in fields}, seed=3).items()
    }


@pytest.mark.parametrize("field", NARRATIVES)
def test_narrative_lengths_match_the_released_set(field: str) -> None:
    first, third = RELEASED[field]
    words = [len(written(adult(row), field)[field].split()) for row in range(300)]
    assert first - 4 <= quantiles(words, n=4)[1] <= third + 5


def test_a_family_keeps_one_tradition() -> None:
    heritage = {text.text for text in shipped.grammar().alternatives("leaning_heritage")}
    customs = {
        tag: {text.text for text in shipped.grammar().pool("practice", frozenset({tag}))}
        - {text.text for text in shipped.grammar().pool("practice", frozenset())}
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


def test_every_tradition_has_customs_and_dishes() -> None:
    anybody = len(shipped.grammar().pool("practice", frozenset()))
    for tag in {text.text for text in shipped.grammar().alternatives("leaning_heritage")}:
        assert len(shipped.grammar().pool("practice", frozenset({tag}))) >= anybody + 4, tag
        assert shipped.grammar().pool("leaning_kitchen", frozenset({tag}))


def test_every_state_has_places_teams_and_dishes() -> None:
    states = {text.text for text in shipped.grammar().alternatives("region")}
    assert len(states) == 53
    for state in states:
        tags = shipped.grammar().tags_of("region", state)
        for symbol in ("own_outdoors", "own_venue", "own_team", "own_local"):
            texts = {text.text for text in shipped.grammar().pool(symbol, tags)}
            assert len(texts) >= 3, (state, symbol)
            assert not texts & {"the nearest state park", "the nearest museum", "the home team"}


def test_metro_team_comes_before_the_state_team() -> None:
    here = shipped.grammar().tags_of("region", "TX") | shipped.grammar().tags_of("metro", "Dallas")
    texts = {text.text for text in shipped.grammar().pool("own_team", here)}
    assert "the Cowboys" in texts
    assert not texts & {"the Astros", "the Spurs"}


def test_companions_are_the_same_in_all_texts() -> None:
    fields = (*NARRATIVES, "cultural_background", "hobbies_and_interests", "career_goals_and_ambitions")
    friend = re.compile(
        r"\b(?:his|her) (?:oldest friend|closest friend|favorite cousin|best friend(?: from school)?|neighbor|nephew"
        r"|niece|old classmate|next-door neighbor|younger neighbor|friend of (?:thirty|forty) years)\b"
    )
    for row in range(80):
        named = set(friend.findall(" ".join(written(adult(row), *fields).values())))
        assert len(named) <= 1, named


def test_development_tools_are_for_programmers() -> None:
    grounding = phrase_columns([], ["JavaScript", "SAP software"], [])
    plain = Work.of(grounding, tasks=CHORES, skills=["tact"], desk=True, coder=False, joins=JOINS)
    assert plain.software == ["SAP software"]
    coded = Work.of(grounding, tasks=CHORES, skills=["tact"], desk=True, coder=True, joins=JOINS)
    assert coded.software == ["JavaScript"]


def test_office_software_is_for_desk_workers() -> None:
    grounding = phrase_columns([], ["pizza ovens", "SAP software"], [])
    done = Work.of(grounding, tasks=CHORES, skills=["tact"], desk=False, coder=False, joins=JOINS)
    assert (done.equipment, done.software) == (["pizza ovens"], [])
    lists = [
        shipped.narrator().write(
            adult(row, occupation_code=code, grounding=phrase_columns([], ["SAP software"], [])),
            {"skills_and_expertise_list": {}},
            seed=1,
        )["skills_and_expertise_list"]
        for row in range(10)
        for code in ("4020", "0800")
    ]
    assert [("SAP software" in told) for told in lists] == [False, True] * 10


def test_tasks_start_with_different_verbs() -> None:
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
    assert done.narrated == [
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


def test_stockers_do_not_drive() -> None:
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


def test_lasting_wishes_have_no_date() -> None:
    lasting = {text.text for text in shipped.grammar().alternatives("goal_keep")}
    dated = {text.text for text in shipped.grammar().alternatives("goal_reach")}
    assert lasting.isdisjoint(dated)
    for frame in shipped.grammar().alternatives("career_goals_and_ambitions"):
        assert ("goal_now", "timeframe") not in pairwise(slot.symbol for slot in frame.slots), frame.text


def test_homebound_people_stay_near_home() -> None:
    here = shipped.grammar().tags_of("region", "CA") | shipped.grammar().tags_of("metro", "San Diego")
    texts = {text.text for text in shipped.grammar().pool("own_outdoors", here)}
    assert "Torrey Pines" in texts
    assert not texts & {"the Mendocino headlands", "Mount Lassen"}


def test_plain_texts_are_in_memory_once() -> None:
    women, men = (shipped.grammar().spoken({"he": word}) for word in ("she", "he"))
    assert women.pool("weekday", frozenset()) == men.pool("weekday", frozenset())


def test_late_starts_begin_at_thirty() -> None:
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


def test_passengers_do_not_drive() -> None:
    steered = {text.text for text in shipped.grammar().pool("travel_manner", frozenset({"at_wheel"}))}
    steered -= {text.text for text in shipped.grammar().pool("travel_manner", frozenset())}
    assert "taking turns at the wheel" in steered
    for row in range(120):
        text = written(adult(row, age=80, labor_force_status="not_in_workforce"), "travel_persona")
        assert not any(manner in text["travel_persona"] for manner in steered), text
    for stage in ("young", "prime", "mature", "senior"):
        for wheel in ("at_wheel", "taken_along"):
            assert len(shipped.grammar().pool("own_trip", frozenset({stage, wheel}))) >= 4


def test_distant_sights_are_no_saturday_outings() -> None:
    trips = [
        text.text for text in shipped.grammar().alternatives("sport_trip") if "{own_outdoors}" in text.text
    ]
    assert trips
    for text in trips:
        assert not re.search(r"Saturday|weekday|season|month|walk|afternoon|morning|hour|\bday\b", text), text


def test_juniors_do_not_supervise() -> None:
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


def test_pooled_codes_give_one_task_and_no_tool() -> None:
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


def test_most_married_people_mention_a_spouse() -> None:
    couples = [adult(row, marital_status="married_present") for row in range(120)]
    texts = [
        " ".join(str(text) for text in shipped.narrator().write(person, ALL, seed=3).values())
        for person in couples
    ]
    assert sum(bool(re.search(r"\b(?:wife|husband)\b", text)) for text in texts) >= 108


def test_promotion_plans_end_before_retirement() -> None:
    seniors = {
        text.text
        for text in shipped.grammar().pool("goal_work", frozenset({"senior", "worker", "job_health"}))
    }
    assert "earn a specialty certification" not in seniors
    assert "earn a specialty certification" in {
        text.text
        for text in shipped.grammar().pool("goal_work", frozenset({"prime", "worker", "job_health"}))
    }


def test_dreams_join_without_another_verb() -> None:
    assert not [
        text.text
        for text in shipped.grammar().alternatives("trip_spirit")
        if text.text.startswith("to ") and not text.text.startswith("to the ")
    ]
    assert not [
        text.text
        for text in shipped.grammar().alternatives("travel_persona")
        if "meant to see {trip_spirit}" in text.text
    ]
