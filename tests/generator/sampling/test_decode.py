"""The rows of a population as a table: columns, values, categories and UUIDs."""

from __future__ import annotations

import uuid

import numpy as np
import pandas as pd
import pytest

from census_personas.foundation.traits import LEVELS, TRAITS
from census_personas.generator.population.population import Population
from census_personas.generator.sampling.decode import Values, uuids

pytestmark = pytest.mark.quick


def test_uuids_are_version_8() -> None:
    for text in uuids(1, 0, 200, "model"):
        found = uuid.UUID(text)
        assert (found.version, found.variant, str(found)) == (8, uuid.RFC_4122, text)


def test_uuids_are_unique() -> None:
    drawn = [*uuids(1, 0, 5000, "a"), *uuids(2, 0, 5000, "a"), *uuids(1, 0, 5000, "b")]
    assert len(set(drawn)) == 15_000


def test_uuids_do_not_depend_on_the_start() -> None:
    np.testing.assert_array_equal(uuids(1, 0, 50, "a")[17:], uuids(1, 17, 33, "a"))


def test_columns_are_ordered_without_helpers(toy: Population) -> None:
    traits = [part for name in TRAITS for part in (name, f"{name}_label")]
    assert list(toy.sample(2)) == [
        *("row", "uuid", "sex", "age", "birth_year", "region", "country"),
        *("status", "trade", "transport", "mood"),
        *traits,
    ]


def test_derived_columns_follow_their_sources(toy: Population) -> None:
    frame = toy.sample(4000, seed=2)
    assert (frame["birth_year"] == 2024 - frame["age"]).all()
    assert (frame["country"] == "TOY").all()
    edges = [0, 34, 44, 54, 64, 80]
    for name in TRAITS:
        labels = pd.cut(frame[name], edges, labels=LEVELS).astype(str)
        assert (labels == frame[f"{name}_label"].astype(str)).all()


def test_traits_are_rounded_normal_scores(toy: Population) -> None:
    frame = toy.sample(40_000, seed=2)
    for name in TRAITS:
        assert frame[name].between(20, 80).all()
        assert frame[name].mean() == pytest.approx(50, abs=5 * 10 / 200)
        assert frame[name].std() == pytest.approx(10, abs=5 * 10 / (2 * 40_000) ** 0.5)
    assert frame[list(TRAITS)].corr().to_numpy()[np.triu_indices(5, 1)] == pytest.approx(0, abs=5 / 200)


def test_texts_are_categories(toy: Population) -> None:
    frame = toy.sample(10)
    assert {name for name in frame if frame[name].dtype.kind == "i"} == {"row", "age", "birth_year", *TRAITS}
    texts = [name for name in frame if frame[name].dtype.kind != "i" and name != "uuid"]
    assert all(isinstance(frame[name].dtype, pd.CategoricalDtype) for name in texts)


def test_categories_are_the_same_in_every_part(toy: Population) -> None:
    one, other = toy.sample(1, seed=1), toy.sample(3, seed=2, start=70)
    assert one.dtypes.drop("uuid").equals(other.dtypes.drop("uuid"))


def test_equal_values_share_a_category() -> None:
    values = Values.of_states(["b", "a", "b"])
    assert values.by_code.tolist() == [0, 1, 0]
    assert list(values.of(np.array([2, 1]))) == ["b", "a"]
