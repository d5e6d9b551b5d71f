"""Conventions in `locale.yaml`; each fault is one line that names file, key and remedy."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from released import NEMOTRON, NEMOTRON_1_1

from census_personas.census_priors.conventions import Conventions
from census_personas.census_priors.declaration import DeclarationError
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.roles import ROLES
from census_personas.foundation.schema import public_columns

ROOT = Path(__file__).parents[2]
SAID: dict[str, Any] = {
    "language": "es",
    "roles": {
        "age": "age",
        "sex": "sex",
        "schooling": "education_level",
        "marital": "marital_status",
        "work": "labor_force_status",
        "occupation": "occupation",
    },
}


def locale(folder: Path, changes: dict[str, Any]) -> Path:
    """Load the example with these conventions."""
    folder = folder / "locale"
    shutil.copytree(ROOT / "examples/puerto_rico", folder)
    text = yaml.safe_dump({**SAID, **changes}, sort_keys=False, allow_unicode=True)
    (folder / "locale.yaml").write_text(text, encoding="utf-8")
    return folder


def test_names_give_default_roles(
    tmp_path: Path,
) -> None:
    folder = locale(tmp_path, {})
    (folder / "locale.yaml").unlink()
    assert dict(Priors.load(folder).roles) == {"age": "age", "sex": "sex", "occupation": "occupation"}


def test_words_fall_back_to_the_tables(tmp_path: Path) -> None:
    words = {"sex": {"name": "Sexe", "states": {"Male": "homme"}}}
    priors = Priors.load(locale(tmp_path, {"words": {"fr": words}}))
    assert priors.conventions.languages == ("es", "fr")
    assert [priors.label("sex", state, "fr") for state in ("Male", "Female")] == ["homme", "mujer"]
    assert (priors.label("sex", "Male"), priors.name("sex"), priors.name("sex", "fr")) == (
        "hombre",
        "Sexo",
        "Sexe",
    )


def test_conventions_belong_to_the_digest(tmp_path: Path) -> None:
    folder = locale(tmp_path, {})
    before = Priors.load(folder).digest
    with (folder / "locale.yaml").open("a") as file:
        file.write("adult: 21\n")
    assert Priors.load(folder).digest != before


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"roles": {"regio": "sex"}}, "file: roles: unknown role 'regio'; did you mean region"),
        ({"roles": {"region": "estado"}}, "roles.region: unknown attribute 'estado'; known: age, "),
        ({"roles": {"postcode": "zip"}}, "roles.postcode: 'zip' is not an attribute; add it, or places to `lookups`"),
        (
            {"roles": {"sex": "sex", "birth": "sex"}},
            "file: roles: sex plays sex and birth; an attribute plays one role",
        ),
        ({"background": ["income"]}, "background: the locale has no role income; declare it under `roles`, or"),
        ({"gender": {"Woman": "feminine"}}, "gender: 'Woman' is not a state of sex: Male, Female"),
        ({"pronouns": {"es": {"Mujer": {"subject": "ella"}}}}, "pronouns.es: 'Mujer' is not a state of sex"),
        ({"unsaid": {"work": ["none"]}}, "unsaid.work: 'none' is not a state of labor_force_status"),
        ({"work": {"employed": "working"}}, "work: 'working' is not a state of labor_force_status"),
        (
            {"without_occupation": {"none": {"title": "no job"}}},
            "without_occupation: 'none' is not a state of occupation",
        ),
        ({"schooling": {"ladder": ["bachelors"]}}, "schooling.ladder: '9th_12th_no_diploma' of education_level is"),
        ({"schooling": {"degrees": ["phd"]}}, "schooling.degrees: 'phd' is not a state of education_level"),
        ({"columns": {"public": ["region"]}}, "columns.public: the locale has no role region"),
        ({"columns": {"public": ["sexo"]}}, "file: columns.public: unknown role 'sexo'; did you mean sex"),
        ({"words": {"en": {"estado": {}}}}, "words.en: unknown attribute 'estado'; known: age, age_band, "),
        ({"words": {"english": {}}}, "words.english"),
        ({"hidden": ["schooling"]}, "hidden: unknown attribute 'schooling'"),
        ({"names": {"recipe": ["surname"]}}, "names: recipe: 'surname' is not a role of a name; known: given_name, "),
        ({"names": {"groups": {"all": ["white"]}}}, "names.groups.all: the locale has no role origin"),
        ({"zip": 1}, "zip: Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_wrong_convention_is_one_line(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        Priors.load(locale(tmp_path, changes))
    assert f"locale.yaml: {fault}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_guide_names_all_conventions() -> None:
    text = (ROOT / "docs/how-to/new-locale.md").read_text(encoding="utf-8")
    assert [name for name in (*ROLES, *Conventions.model_fields) if f"`{name}`" not in text] == []


def test_en_us_has_released_columns() -> None:
    columns = Priors.load("en_US").context_columns
    assert public_columns("nemotron", columns) == NEMOTRON
    assert public_columns("nemotron-1.1", columns) == NEMOTRON_1_1


def test_roles_give_default_columns(tmp_path: Path) -> None:
    columns = Priors.load(locale(tmp_path, {})).context_columns
    assert columns.public == ("sex", "age", "marital_status", "education_level", "occupation", "country")
    assert columns.full == ("birth_year", "labor_force_status", "occupation_code")
    assert columns.integers == {"age"}


def test_look_up_needs_its_roles(tmp_path: Path) -> None:
    folder = locale(tmp_path, {})
    with (folder / "priors.yaml").open("a") as file:
        file.write("lookups: [places]\n")
    for name in ("locale.yaml", "roles that have the names of attributes"):
        with pytest.raises(
            DeclarationError, match="roles: the look-up of places needs region, postcode; name the attribute"
        ):
            Priors.load(folder)
        (folder / name).unlink(missing_ok=True)
