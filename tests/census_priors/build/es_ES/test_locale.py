"""The builder of es_ES: what it refuses, how it spreads bands and names, and that it writes the shipped bytes."""

from __future__ import annotations

import filecmp
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.build.es_ES import single_ages
from census_personas.census_priors.build.es_ES.budget_survey import cohort_ages
from census_personas.census_priors.build.es_ES.labour_force import COLUMNS, read_labour_force
from census_personas.census_priors.build.es_ES.locale import build
from census_personas.census_priors.build.es_ES.municipalities import written
from census_personas.census_priors.build.es_ES.name_counts import COUNTED, by_cohort
from census_personas.census_priors.build.es_ES.published_tables import AGES, read_published
from census_personas.census_priors.build.es_ES.spelling import given_name, surname
from census_personas.census_priors.build.source import SourceError
from census_personas.census_priors.cohorts import cohort_codes
from census_personas.census_priors.priors import HERE, Priors

pytestmark = pytest.mark.quick

PERSON = {
    "NIVEL": "1",
    "CCAA": "13",
    "PROV": "28",
    "NVIVI": "00001",
    "EDAD5": "40",
    "SEXO": "6",
    "NCONY": "02",
    "ECIV": "2",
    "REGNA": None,
    "NAC": "1",
    "EXREGNA": None,
    "NFORMA": "SU",
    "OCUP1": "2",
    "ACT1": "8",
    "SITU": "07",
    "AOI": "04",
    "weight": 250.0,
}


def survey(folder: Path, *changes: dict[str, object]) -> Path:
    """A survey of the person above, changed."""
    path = folder / "epa.parquet"
    pd.DataFrame([PERSON | change for change in changes], columns=COLUMNS).to_parquet(path)
    return path


def members(**columns: object) -> pd.DataFrame:
    """Members of households, one of each age from 0 to 85 in each year, with constants in the other columns."""
    ages = pd.DataFrame({"age": np.arange(86)}).merge(pd.DataFrame({"year": range(2016, 2023)}), how="cross")
    whole = pd.concat([ages.assign(sex=sex) for sex in ("Male", "Female")], ignore_index=True)
    constant = {"marital_status": "married", "education_group": "higher", "labor_force_status": "employed"}
    return whole.assign(**constant, weight=np.where(whole["age"] == 85, 5.0, 1.0), **columns)


def test_persons_are_recoded(tmp_path: Path) -> None:
    seeking = {
        "AOI": "06",
        "OCUP1": None,
        "ACT1": None,
        "SITU": None,
        "NAC": "3",
        "EXREGNA": "350",
        "REGNA": "350",
    }
    persons = read_labour_force(survey(tmp_path, {}, seeking, {"NIVEL": "2"}))
    assert len(persons) == 2
    assert persons.loc[0, ["province", "occupation", "branch", "employment_status"]].tolist() == [
        "Madrid",
        "professionals",
        "administration_education_health",
        "public_employee",
    ]
    assert persons.loc[0, ["cohabitation", "birth_region", "nationality"]].tolist() == [
        "with_partner",
        "spain",
        "spanish",
    ]
    assert persons.loc[
        1, ["occupation", "branch", "employment_status", "birth_region", "nationality"]
    ].tolist() == [
        "no_occupation",
        "none",
        "none",
        "south_america",
        "other",
    ]


@pytest.mark.parametrize("change", [{"PROV": "99"}, {"OCUP1": None}, {"NFORMA": "XX"}])
def test_unknown_codes_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(SourceError, match=f"{next(iter(change))}=.* is not a code of the EPA 2016"):
        read_labour_force(survey(tmp_path, change))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "epa.parquet"
    path.write_bytes(b"no table")
    with pytest.raises(SourceError, match="not the EPA's microdata"):
        read_labour_force(path)
    with pytest.raises(SourceError, match="not a published table"):
        read_published(tmp_path, "poblacion_edad", "edad", AGES)


def test_missing_sources_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"epa_2016q4\.parquet: no such file and 5 more"):
        build(tmp_path, tmp_path / "es_ES")
    assert not (tmp_path / "es_ES").exists()


def test_fractions_of_a_person_add_up(tmp_path: Path) -> None:
    bands = [{"EDAD5": str(age)} for age in (16, 40, 65)]
    persons = read_labour_force(survey(tmp_path, *bands, *({**band, "SEXO": "1"} for band in bands)))
    adults = single_ages.spread(persons, members())
    whole = adults.groupby(["sex", single_ages.band_of(adults["age"].to_numpy())])["fraction"].sum()
    assert whole.loc[:, [40, 65]].to_numpy() == pytest.approx(1)
    assert whole.loc[:, 16].to_numpy() == pytest.approx(0.5)  # two of the four years are adult
    assert adults["age"].min() == 18
    assert adults["age"].max() == 100
    assert adults["weight"].to_numpy() == pytest.approx(250 * adults["fraction"].to_numpy())


def test_cohorts_are_pooled_over_years() -> None:
    cohorts = cohort_ages(members(), 2024)
    assert cohorts["weight"].to_numpy() == pytest.approx(1)
    assert cohorts["age"].min() == 2  # born in 2022, the last year of the survey
    assert cohorts["age"].max() == 92


def test_names_meet_bearers_and_cohorts() -> None:
    bearers, mean_age = np.array([1000.0, 3000.0, 500.0]), np.array([20.0, 45.0, 70.0])
    residents = np.bincount(cohort_codes(COUNTED - np.arange(90)), minlength=17).astype(float)
    table = by_cohort(bearers, mean_age, residents)
    assert table.sum(axis=1) == pytest.approx(bearers, rel=1e-3)
    assert table.sum(axis=0) == pytest.approx(residents / residents.sum() * bearers.sum(), rel=0.05)
    middle = [float(np.average(np.arange(17), weights=row)) for row in table]
    assert middle == sorted(middle, reverse=True)


@pytest.mark.parametrize(
    ("plain", "spelt"),
    [
        ("MARIA JOSE", "María José"),
        ("JOSEP MARIA", "Josep Maria"),
        ("IÑIGO", "Íñigo"),
        ("MARIA ANGELS", "Maria Àngels"),
        ("JORDI", "Jordi"),
    ],
)
def test_given_names_have_accents(plain: str, spelt: str) -> None:
    assert given_name(plain) == spelt


@pytest.mark.parametrize(
    ("plain", "spelt"),
    [
        ("GARCIA", "García"),
        ("DOMINGUEZ", "Domínguez"),
        ("PELAEZ", "Peláez"),
        ("ALVAREZ", "Álvarez"),
        ("JEREZ", "Jerez"),
        ("DE LA FUENTE", "de la Fuente"),
        ("MUÑOZ", "Muñoz"),
        ("PUIG", "Puig"),
        ("AGUILERA SANCHEZ", "Aguilera Sánchez"),
    ],
)
def test_surnames_have_accents(plain: str, spelt: str) -> None:
    assert surname(plain, {"DOMINGUEZ", "PELAEZ", "ALVAREZ", "SANCHEZ"}) == spelt


def test_rare_surnames_stay_plain() -> None:
    assert surname("KADEZ", {"SANCHEZ"}) == "Kadez"


def test_articles_come_first() -> None:
    assert written("Hospitalet de Llobregat, L'") == "L'Hospitalet de Llobregat"
    assert written("Prat de Llobregat, El") == "El Prat de Llobregat"
    assert written("Madrid") == "Madrid"


def test_shipped_names_follow_cohorts() -> None:
    first = Priors.load("es_ES").names.first
    shares = {}
    for cohort in ("1990_1994", "1935_1939"):
        cell = [
            first.parents.code(name, state)
            for name, state in zip(first.parents, ("Female", cohort, "spain", "born_here"), strict=True)
        ]
        states, probabilities = first.row(int(np.ravel_multi_index(cell, first.parents.shape)))
        shares[cohort] = dict(zip(first.states[states], probabilities, strict=True))
    assert shares["1990_1994"]["Laura"] > 5 * shares["1935_1939"]["Laura"]
    assert shares["1935_1939"]["Josefa"] > 5 * shares["1990_1994"]["Josefa"]


@pytest.mark.sources
@pytest.mark.skipif(
    "PERSONAS_SOURCES" not in os.environ, reason="PERSONAS_SOURCES names no folder of official files"
)
def test_shipped_locale_is_what_the_sources_give(tmp_path: Path) -> None:
    built = build(Path(os.environ["PERSONAS_SOURCES"]), tmp_path / "es_ES")
    assert built.persons == 120_930
    names = [path.relative_to(HERE / "es_ES").as_posix() for path in (HERE / "es_ES").rglob("*.parquet")]
    same, other, lost = filecmp.cmpfiles(HERE / "es_ES", tmp_path / "es_ES", names, shallow=False)
    assert (len(same), other, lost) == (len(names), [], [])
