"""Joint tables of any attributes: the toy's enumeration, and names and places of the real population."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from census_personas.generator.model import network as networks
from census_personas.generator.model.fitting import FitError
from census_personas.generator.model.pruning import reduced
from census_personas.generator.population.population import Population

ATTRIBUTES = (
    "region",
    "age",
    "sex",
    "status",
    "trade",
    "transport",
    "mood",
    "age_half",
    "voter",
    "trade_group",
)


@pytest.mark.parametrize("names", list(combinations(ATTRIBUTES, 2)), ids="-".join)
def test_sliced_tables_match_whole_ones(
    toy: Population, names: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = toy.network.joint(names)
    monkeypatch.setattr(networks, "SLICE_CELLS", 10)
    np.testing.assert_allclose(toy.network.joint(names), whole, atol=1e-7)


def test_slice_is_the_model_at_one_state(toy: Population) -> None:
    west = toy.network.at("region", 2)
    assert west.joint(("region",)).tolist() == [pytest.approx(toy.network.joint(("region",))[2])]
    np.testing.assert_allclose(west.joint(("trade",)), toy.network.joint(("region", "trade"))[2], atol=1e-7)


@pytest.mark.parametrize("child", ["age", "trade", "transport", "mood"])
def test_merged_states_sum_their_probabilities(toy: Population, child: str) -> None:
    classes = np.arange(toy.network.size(child)) % 2
    smaller, merged = reduced(toy.network, [child, "sex"], {child: classes})
    table = smaller.joint((child, "sex"))
    want = toy.network.joint((child, "sex"))
    for number in (0, 1):
        np.testing.assert_allclose(
            table[merged[child] == number].sum(axis=0), want[classes == number].sum(axis=0), atol=1e-6
        )


def test_unneeded_children_are_pruned(toy: Population) -> None:
    smaller, _ = reduced(toy.network, ["trade"], {})
    assert [node.child for node in smaller.nodes] == ["trade_group", "trade"]


def test_traits_are_independent(toy: Population) -> None:
    both = toy.marginal(["openness", "mood"]).weights
    np.testing.assert_allclose(both, np.outer(both.sum(axis=1), both.sum(axis=0)), atol=1e-9)


def test_trait_evidence_is_respected(toy: Population) -> None:
    table = toy.marginal(["openness"], where={"openness": "60-"})
    assert table.weights[np.array(table.domain["openness"], dtype=int) < 60].sum() == 0
    assert table.total == pytest.approx(1)


def test_birth_year_mirrors_age(toy: Population) -> None:
    by_year, by_age = toy.marginal(["birth_year", "sex"]), toy.marginal(["age", "sex"])
    for age, row in zip(by_age.domain["age"], by_age.weights, strict=True):
        np.testing.assert_allclose(by_year.weights[by_year.domain.code("birth_year", 2024 - int(age))], row)


@pytest.mark.parametrize(
    "names",
    [
        ["urbanicity", "ethnicity"],
        ["state", "urbanicity"],
        ["occupation_code"],
    ],
    ids="-".join,
)
def test_places_and_codes_match_a_sample(population: Population, names: list[str]) -> None:
    frame = population.sample(200_000, seed=9)
    want = population.marginal(names)
    have = frame.value_counts(names, normalize=True)
    cells = pd.MultiIndex.from_product([want.domain[name] for name in names])
    found = have.reindex(cells, fill_value=0.0)
    assert 0.5 * np.abs(found.to_numpy() - want.weights.ravel()).sum() < 0.03
    assert want.total == pytest.approx(1, abs=1e-4)


def test_names_follow_sex_and_cities_their_state(population: Population) -> None:
    names = population.marginal(["first_name", "sex"], where={"state": "VT"})
    male = names.domain.code("sex", "Male")
    row = names.weights[names.domain.code("first_name", "Mary")]
    assert row[male] < 0.02 * row.sum()
    cities = population.marginal(["city", "state"], where={"city": "Cleveland"}).weights.sum(axis=0)
    assert cities[population.priors.domain.code("state", "OH")] > 0.7


def test_oversized_table_is_refused(population: Population) -> None:
    with pytest.raises(FitError, match="too large"):
        population.marginal(["first_name", "last_name"])
