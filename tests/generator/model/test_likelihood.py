"""Log-likelihoods against the enumeration of the toy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.domain import DomainError
from census_personas.generator.model.likelihood import log_probabilities
from census_personas.generator.population.population import Population

pytestmark = pytest.mark.quick

ATTRIBUTES = ["region", "age", "sex", "status", "trade", "transport", "mood"]


def test_log_likelihoods_match_enumeration(toy: Population, toy_cells: pd.DataFrame) -> None:
    with np.errstate(divide="ignore"):
        expected = np.log(toy_cells["p"].to_numpy())
    np.testing.assert_allclose(toy.log_likelihood(toy_cells[ATTRIBUTES]), expected, atol=1e-5)


def test_likelihoods_sum_to_one(toy: Population, toy_cells: pd.DataFrame) -> None:
    assert np.exp(toy.log_likelihood(toy_cells[ATTRIBUTES])).sum() == pytest.approx(1, abs=1e-6)


def test_parts_add_up(toy: Population, toy_cells: pd.DataFrame) -> None:
    parts = log_probabilities(toy.network, toy.priors, toy_cells[ATTRIBUTES])
    assert list(parts) == [
        *("region", "age_band", "sex", "status"),
        *("age", "trade_group", "trade", "transport", "mood"),
    ]
    np.testing.assert_allclose(parts.sum(axis=1), toy.log_likelihood(toy_cells[ATTRIBUTES]))


def test_each_part_conditions_on_earlier_ones(toy: Population, toy_cells: pd.DataFrame) -> None:
    parts = np.exp(log_probabilities(toy.network, toy.priors, toy_cells[ATTRIBUTES])["sex"])
    before = toy_cells.groupby(["region", "age_band"])["p"].transform("sum")
    both = toy_cells.groupby(["region", "age_band", "sex"])["p"].transform("sum")
    np.testing.assert_allclose(parts, both / before, atol=1e-6)


def test_missing_children_are_summed_out(toy: Population, toy_cells: pd.DataFrame) -> None:
    few = ["region", "age_band", "sex", "status"]
    expected = toy_cells.groupby(few)["p"].transform("sum")
    np.testing.assert_allclose(np.exp(toy.log_likelihood(toy_cells[few])), expected, atol=1e-6)


def test_child_with_missing_parents_is_left_out(toy: Population, toy_cells: pd.DataFrame) -> None:
    few = ["region", "age", "sex", "status", "mood"]
    assert "mood" not in log_probabilities(toy.network, toy.priors, toy_cells[few])


@pytest.mark.parametrize(
    "changes",
    [
        {"trade": "clerk"},
        {"transport": "foot"},
        {"status": "working"},
        {"age": 18},
        {"status": "working", "trade": "mason", "region": "west", "transport": "cart"},
    ],
    ids=str,
)
def test_impossible_people_have_zero_likelihood(toy: Population, changes: dict[str, object]) -> None:
    resting = {
        "region": "north",
        "age": 24,
        "sex": "Male",
        "status": "resting",
        "trade": "no_trade",
        "transport": "none",
        "mood": "glad",
    }
    assert np.isfinite(toy.log_likelihood(pd.DataFrame([resting])))
    assert toy.log_likelihood(pd.DataFrame([resting | changes])) == -np.inf


def test_parts_after_an_impossible_one_are_zero(toy: Population, toy_cells: pd.DataFrame) -> None:
    core = toy.network.core.copy()
    core[toy.priors.domain.code("region", "west")] = 0
    parts = log_probabilities(replace(toy.network, core=core), toy.priors, toy_cells[ATTRIBUTES])
    west = parts[(toy_cells["region"] == "west").to_numpy()]
    assert (west["region"] == -np.inf).all()
    assert (west[["age_band", "sex", "status"]] == 0).all(axis=None)


def test_contradicting_columns_have_zero_likelihood(toy: Population, toy_cells: pd.DataFrame) -> None:
    young = toy_cells[toy_cells["age"] < 20].assign(age_band="23+")
    assert (toy.log_likelihood(young[[*ATTRIBUTES, "age_band"]]) == -np.inf).all()


def test_categorical_columns_are_read(toy: Population) -> None:
    sample = toy.sample(500, seed=3)
    plain = sample.astype({name: object for name in sample if sample[name].dtype == "category"})
    np.testing.assert_array_equal(toy.log_likelihood(sample), toy.log_likelihood(plain))


def test_sample_likelihood_matches_entropy(toy: Population, toy_cells: pd.DataFrame) -> None:
    mean = (toy_cells["p"] * np.log(toy_cells["p"])).sum()
    variance = (toy_cells["p"] * np.log(toy_cells["p"]) ** 2).sum() - mean**2
    found = toy.log_likelihood(toy.sample(20_000, seed=9)).mean()
    assert found == pytest.approx(mean, abs=5 * (variance / 20_000) ** 0.5)


def test_missing_core_column_is_named(toy: Population, toy_cells: pd.DataFrame) -> None:
    with pytest.raises(DomainError, match="column 'sex' is missing and cannot be derived from region, age"):
        toy.log_likelihood(toy_cells[["region", "age", "status"]])


@pytest.mark.parametrize(
    ("name", "value"), [("age", 17), ("sex", "male"), ("mood", None), ("trade", "smith")], ids=str
)
def test_unknown_state_is_named_with_its_row(
    toy: Population, toy_cells: pd.DataFrame, name: str, value: object
) -> None:
    people = toy_cells[ATTRIBUTES].head(4).astype(object)
    people.loc[2, name] = value
    with pytest.raises(DomainError, match=f"{name}: unknown state .* in row 2"):
        toy.log_likelihood(people)


def test_en_us_sample_has_finite_likelihoods(population: Population) -> None:
    found = population.log_likelihood(population.sample(3000, seed=4))
    assert np.isfinite(found).all()
    assert -40 < found.mean() < -20
