"""The Spanish set of es_ES: sound, true to the facts, and its offline texts in correct Spanish."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from census_personas import Config, generate

FEMININE = re.compile(
    r"\b(?:camarera|enfermera|maestra|profesora|ingeniera|abogada|médica|limpiadora|cocinera)\b"
)
MASCULINE = re.compile(
    r"\b(?:camarero|enfermero|maestro|profesor|ingeniero|abogado|médico|limpiador|cocinero)\b"
)
TEXTS = ("persona", "professional_persona", "culinary_persona", "cultural_background", "skills_and_expertise")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    config = Config.model_validate(
        {"locale": "es_ES", "rows": 150, "seed": 3, "prompts": {"set": "es_ES"}, "output": {"schema": "full"}}
    )
    run = generate(config, tmp_path_factory.mktemp("runs") / "espana")
    return run.to_pandas()


def test_every_person_is_accepted(people: pd.DataFrame) -> None:
    assert len(people) == 150


def test_contractions_are_written(people: pd.DataFrame) -> None:
    for name in TEXTS:
        wrong = people[name].str.contains(r"\b(?:a|de) el\b|\by (?:i|hi)[a-z]", regex=True)
        assert not wrong.any(), people.loc[wrong, name].iloc[0]


def test_titles_agree_with_the_sex(people: pd.DataFrame) -> None:
    for name in ("persona", "professional_persona"):
        women, men = (people.loc[people["sex"] == sex, name] for sex in ("Female", "Male"))
        assert not women.str.contains(MASCULINE).any()
        assert not men.str.contains(FEMININE).any()


def test_names_have_two_surnames(people: pd.DataFrame) -> None:
    parts = ("first_name", "first_surname", "second_surname")
    for record in people.to_dict("records"):
        assert " ".join(record[part] for part in parts) in record["persona"]


def test_people_without_work_have_no_job(people: pd.DataFrame) -> None:
    idle = people[people["labor_force_status"] != "employed"]
    assert not idle["professional_persona"].str.contains("turno|jornada de trabajo|compañer").any()
    assert not idle["persona"].str.contains("trabaja como").any()
