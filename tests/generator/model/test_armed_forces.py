"""The armed forces: half have a civilian occupation, distributed as in their own person records."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.population.population import Population

SERVING = {"labor_force_status": "armed_forces"}
MILITARY = "military"


def shares(population: Population, **where: object) -> pd.Series:
    """Civilian occupations of the armed forces in the model; they sum to 1."""
    table = population.marginal("occupation", where=SERVING | where)
    found = pd.Series(table.weights, index=[str(state) for state in table.domain["occupation"]])
    return civilian(population, found)


def civilian(population: Population, found: pd.Series) -> pd.Series:
    groups = np.array([population.priors.occupation_group(str(name)) for name in found.index])
    kept = found[groups != MILITARY]
    return kept / kept.sum()


def counted(population: Population) -> pd.Series:
    """The same in the table that was counted from their records."""
    table = population.priors.table(("service", "sex", "occupation"))
    serving = table.weights[table.domain.code("service", "armed_forces")].sum(axis=0)
    return civilian(population, pd.Series(serving, index=[str(s) for s in table.domain["occupation"]]))


def distance(one: pd.Series, other: pd.Series) -> float:
    return 0.5 * float((one - other).abs().sum())


def test_civilian_occupations_match_the_records(population: Population) -> None:
    assert distance(shares(population), counted(population)) < 0.08


@pytest.mark.parametrize("state", ["CA", "TX"])
def test_areas_without_records_use_donors(population: Population, state: str) -> None:
    assert distance(shares(population, state=state), counted(population)) < 0.25


def test_mechanics_and_pilots_lead_without_stockers(population: Population) -> None:
    first = shares(population).nlargest(4).index
    assert {"aircraft_mechanic_or_service_technician", "aircraft_pilot_or_flight_engineer"} <= set(first)
    assert shares(population)["stocker_or_order_filler"] < 0.03


def test_pilots_have_degrees_mechanics_do_not(population: Population) -> None:
    degree = shares(population, education_group="degree")
    school = shares(population, education_group="no_college")
    assert degree["aircraft_pilot_or_flight_engineer"] > 5 * school["aircraft_pilot_or_flight_engineer"]
    assert (
        school["aircraft_mechanic_or_service_technician"]
        > 3 * degree["aircraft_mechanic_or_service_technician"]
    )


def test_civilians_have_no_military_occupation(population: Population) -> None:
    with pytest.raises(EvidenceError, match="nobody in en_US meets these together"):
        population.probability({"service": "civilian", "occupation_group": MILITARY})
