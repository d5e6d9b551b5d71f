"""A locale of published tables alone is loaded, fitted and sampled like the shipped one, without code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.generator.population.population import Population

EXAMPLE = Path(__file__).parents[2] / "examples" / "puerto_rico"
ROWS = 40_000


@pytest.fixture(scope="module")
def population() -> Population:
    return Population.load(EXAMPLE)


@pytest.fixture(scope="module")
def people(population: Population) -> pd.DataFrame:
    return population.sample(ROWS, seed=7)


def test_example_has_no_code_or_look_ups() -> None:
    assert {path.suffix for path in EXAMPLE.rglob("*") if path.is_file()} == {".yaml", ".csv", ".j2"}


@pytest.mark.parametrize("attributes", [names for _, names in Priors.load(EXAMPLE).tables], ids="-".join)
def test_model_matches_its_tables(population: Population, attributes: tuple[str, ...]) -> None:
    table = population.priors.table(attributes)
    model = population.marginal(attributes).weights
    if "occupation" in attributes:  # published for the employed alone
        model = model * (table.weights.sum(axis=-1, keepdims=True) > 0)
    assert np.abs(model / model.sum() - table.probabilities()).sum() / 2 < 0.005


def test_sample_follows_the_tables(people: pd.DataFrame) -> None:
    assert len(people) == ROWS
    assert people["age"].between(25, 94).all()
    assert set(people["country"]) == {"Puerto Rico"}
    assert (people["birth_year"] == 2018 - people["age"]).all()
    assert people["education_level"].isin(["bachelors", "graduate"]).mean() == pytest.approx(0.267, abs=0.01)
    assert (people["sex"] == "Female").mean() == pytest.approx(0.538, abs=0.01)


def test_only_workers_have_occupations(people: pd.DataFrame) -> None:
    without = {
        "unemployed": "no_occupation",
        "not_in_workforce": "not_in_workforce",
        "armed_forces": "armed_forces",
    }
    for status, occupation in without.items():
        assert set(people.loc[people["labor_force_status"] == status, "occupation"]) <= {occupation}
    working = people.loc[people["labor_force_status"] == "employed", "occupation"]
    assert not set(working) & set(without.values())


def test_conditions_work(population: Population) -> None:
    found = population.sample(200, seed=1, where={"occupation": "legal", "age": "30-39"})
    assert set(found["occupation"]) == {"legal"}
    assert found["age"].between(30, 39).all()


def test_command_samples_a_locale_folder(tmp_path: Path) -> None:
    target = tmp_path / "people.csv"
    config = tmp_path / "config.yaml"
    config.write_text(f"locale: {EXAMPLE}\nrows: 50\n", encoding="utf-8")
    command = [
        sys.executable,
        "-c",
        "from census_personas.generator.cli.main import main; main()",
        "sample",
        str(config),
    ]
    subprocess.run([*command, "--schema", "full", "-o", str(target)], check=True, capture_output=True)
    people = pd.read_csv(target)
    assert len(people) == 50
    assert {"sex", "age", "marital_status", "education_level", "labor_force_status", "occupation"} <= set(
        people
    )
