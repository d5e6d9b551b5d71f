from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from census_personas.generator.population.population import Population
from census_personas.generator.report.expectation import Expectation
from census_personas.generator.report.reference_tables import ReferenceTables
from census_personas.validators.measure_registry import measures
from census_personas.validators.measurement import Measurements, measure_dataset
from census_personas.validators.measures import fidelity

FACTS = (
    "sex",
    "age",
    "ethnicity",
    "marital_status",
    "education_level",
    "labor_force_status",
    "occupation",
    "state",
)


@pytest.fixture(scope="module")
def judge(population: Population) -> ReferenceTables:
    return ReferenceTables(Expectation(population), FACTS)


def judged(judge: ReferenceTables, people: pd.DataFrame) -> Measurements:
    listed = {name: measures()[name] for name in ("fidelity", "names", "representation")}
    return measure_dataset(judge.dataset(people[list(FACTS)], listed), listed)


def tables_of(measured: Measurements) -> tuple[fidelity.TableFidelity, ...]:
    return measured.or_empty(fidelity.Result).tables


@pytest.fixture(scope="module")
def people(population: Population) -> pd.DataFrame:
    return population.sample(100_000, seed=4)


def test_run_of_the_model_has_no_mark(judge: ReferenceTables, people: pd.DataFrame) -> None:
    found = judged(judge, people)
    assert found.tests.marked == ()
    assert ("labor_force_status", "occupation") in [item.attributes for item in tables_of(found)]
    assert any(item.model is not None and item.model > 1e-5 for item in tables_of(found))


def test_armed_forces_drawn_as_civilians_are_marked(judge: ReferenceTables, people: pd.DataFrame) -> None:
    rng, status = np.random.default_rng(0), people["labor_force_status"]
    occupation = people["occupation"].to_numpy(dtype=object).copy()
    serving = np.flatnonzero(status == "armed_forces")
    occupation[serving] = occupation[rng.choice(np.flatnonzero(status == "employed"), len(serving))]
    found = judged(judge, people.assign(occupation=occupation))
    assert "labor_force_status x occupation" in found.tests.marked
    table = next(x for x in tables_of(found) if x.attributes == ("labor_force_status", "occupation"))
    assert table.cell.states[0] == "armed_forces"


def test_marital_status_without_education_is_marked(judge: ReferenceTables, people: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    status = people["marital_status"].to_numpy(dtype=object).copy()
    for rows in people.groupby(["age", "sex"], observed=True).indices.values():
        status[rows] = status[rng.permutation(rows)]
    assert (
        "marital_status x education_level" in judged(judge, people.assign(marital_status=status)).tests.marked
    )


@pytest.mark.parametrize(
    "selection",
    [
        {"where": {"sex": "Female", "state": ["NY", "WY"]}},
        {"target": {"sex": {"Female": 0.8, "Male": 0.2}}},
        {"quota": {"ethnicity": "uniform"}},
        {"stratified": True},
    ],
)
def test_selected_runs_are_compared_with_their_selection(
    population: Population, selection: dict[str, Any]
) -> None:
    where, target = selection.get("where"), selection.get("target") or selection.get("quota")
    judge = ReferenceTables(Expectation(population, where, target), FACTS)
    assert judged(judge, population.sample(5_000, seed=5, **selection)).tests.marked == ()
