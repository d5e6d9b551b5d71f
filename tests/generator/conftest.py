"""Two sampled rows as the population gives them, and the locale that they come from."""

from __future__ import annotations

from typing import Any

import pytest

from persona_engine.census_priors.priors import Priors
from persona_engine.prompts.template import PromptSet


@pytest.fixture(scope="session")
def priors() -> Priors:
    return Priors.load("en_US")


@pytest.fixture(scope="session")
def prompts() -> PromptSet:
    return PromptSet.load("en_US")


@pytest.fixture
def nurse() -> dict[str, Any]:
    return {
        "row": 7,
        "uuid": "3f1c9b52-8c14-4a3e-9d7a-0f6a5b1c2d3e",
        "first_name": "Ruth",
        "middle_name": "Ann",
        "last_name": "Castellano",
        "sex": "Female",
        "age": 47,
        "birth_year": 1977,
        "ethnicity": "white",
        "marital_status": "married_present",
        "education_level": "bachelors",
        "bachelors_field": "stem_related",
        "labor_force_status": "employed",
        "occupation": "registered_nurse",
        "occupation_code": "3255",
        "state": "OH",
        "city": "Dayton",
        "zipcode": "45402",
        "county": "Montgomery County",
        "metro_area": "Dayton-Kettering-Beavercreek, OH",
        "country": "USA",
        "openness": 58,
        "conscientiousness": 66,
        "extraversion": 41,
        "agreeableness": 52,
        "neuroticism": 33,
        "openness_label": "high",
        "conscientiousness_label": "very_high",
        "extraversion_label": "low",
        "agreeableness_label": "average",
        "neuroticism_label": "very_low",
    }


@pytest.fixture
def retiree(nurse: dict[str, Any]) -> dict[str, Any]:
    changes = {
        "row": 8,
        "uuid": "5b0d7c11-2f7b-4d52-8a0e-6c4f1e2d3b4a",
        "first_name": "Walter",
        "middle_name": "",
        "last_name": "Nguyen",
        "sex": "Male",
        "age": 74,
        "birth_year": 1950,
        "ethnicity": "asian",
        "marital_status": "widowed",
        "education_level": "high_school",
        "bachelors_field": "no_degree",
        "labor_force_status": "not_in_workforce",
        "occupation": "not_in_workforce",
        "occupation_code": "",
        "metro_area": "",
    }
    return nurse | changes
