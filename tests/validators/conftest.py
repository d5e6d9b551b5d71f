"""One reference on the shipped priors for all tests of validators, and a record in which nothing is wrong."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from census_personas.census_priors.priors import Priors
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import RecordChecker

PROMPTS = ("Write about her life. She keeps bees behind the library and sells honey from a red cart.",)


@pytest.fixture(scope="session")
def reference() -> RuleContext:
    return RuleContext(Priors.load("en_US"), prompts=PROMPTS)


@pytest.fixture(scope="session")
def checker(reference: RuleContext) -> RecordChecker:
    return RecordChecker(reference)


@pytest.fixture(scope="session")
def mutations() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "mutations.py"
    spec = importlib.util.spec_from_file_location("mutations_of_the_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def good() -> dict[str, Any]:
    return dict(GOOD)


@pytest.fixture
def another() -> dict[str, Any]:
    return dict(ANOTHER)


GOOD: dict[str, Any] = {
    "uuid": "7d3f2a90-5c1e-4b7a-9f60-2c8d1e4b7a9f",
    "first_name": "Inés",
    "last_name": "Okafor",
    "sex": "Female",
    "age": 47,
    "marital_status": "divorced",
    "education_level": "associates",
    "bachelors_field": "no_degree",
    "occupation": "dental_hygienist",
    "labor_force_status": "employed",
    "city": "Duluth",
    "state": "MN",
    "county": "St. Louis County",
    "zipcode": "55805",
    "country": "USA",
    "persona": "Inés Okafor is a 47\u2011year\u2011old dental hygienist who keeps lists of everything, laughs easily"
    " with anxious patients, and forgets only her own appointments.",
    "professional_persona": "Inés Okafor, a dental hygienist with two decades of experience, scales and polishes"
    " teeth, takes X\u2011rays, and teaches patients to floss without making them feel judged.",
    "sports_persona": "Inés Okafor skis the groomed trails above Duluth before work, follows the Minnesota Wild"
    " through every losing streak, and swims laps at the YMCA when the lake wind turns.",
    "arts_persona": "Inés Okafor sings alto in a church choir, sketches ore boats from the canal wall, and reads"
    " mysteries until the kettle boils dry on the stove.",
    "travel_persona": "Inés Okafor plans one long train journey a year, books the sleeper months ahead, and has"
    " crossed to Seattle, Lisbon, and Lagos with the same green suitcase.",
    "culinary_persona": "Inés Okafor bakes cardamom buns for the whole practice, simmers jollof rice on Sundays, and"
    " still burns her onions when the radio plays something good.",
    "cultural_background": "Inés grew up on the hillside in Duluth, where her father ran a small grocery and her"
    " mother taught piano. The family kept two kitchens\u2019 worth of recipes, went to early Mass, and fed"
    " whoever was snowed in. She still thinks of hospitality as the first rule of a house.",
    "career_goals_and_ambitions": "Inés wants to train as a clinical instructor at the local college and to take"
    " preventive dental care to the smaller towns along the shore. She hopes to finish the certificate within two"
    " years, without giving up the patients whom she has known since they were children.",
    "skills_and_expertise": "Inés scales and polishes teeth, reads dental X\u2011rays, calms nervous patients, and"
    " keeps the sterilization records of the practice in order.",
    "skills_and_expertise_list": [
        "Scaling and polishing",
        "Dental X-rays",
        "Calming patients",
        "Sterilization records",
    ],
    "hobbies_and_interests": "Inés skis, sings in a choir, sketches boats, and bakes cardamom buns on Saturdays for"
    " anyone who happens to pass by the house.",
    "hobbies_and_interests_list": ["Skiing", "Choir singing", "Sketching boats", "Baking"],
}
ANOTHER: dict[str, Any] = {
    **GOOD,
    "uuid": "0b0e7c1a-2f3d-4e5f-8a9b-0c1d2e3f4a5b",
    "first_name": "Marcus",
    "last_name": "Tran",
    "sex": "Male",
    "age": 31,
    "marital_status": "never_married",
    "education_level": "high_school",
    "occupation": "roofer",
    "city": "Tulsa",
    "state": "OK",
    "county": "Tulsa County",
    "zipcode": "74104",
    "persona": "Marcus Tran is a 31\u2011year\u2011old roofer who trusts the forecast more than his friends, and his"
    " ladder more than the forecast.",
    "professional_persona": "Marcus Tran, a roofer, lays shingles, flashes chimneys, tears off storm damage, and"
    " checks every harness twice before the crew climbs.",
    "career_goals_and_ambitions": "Marcus wants to run a roofing crew of his own in Tulsa. He hopes to bid on metal"
    " roofs and to hire two apprentices within three years.",
    "skills_and_expertise_list": ["Shingle installation", "Flashing", "Roof inspection", "Fall protection"],
}
