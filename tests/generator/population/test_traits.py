"""Trait levels have one declaration with the published bounds, which all code uses."""

from __future__ import annotations

import pandas as pd
import pytest

from census_personas.foundation.traits import HIGHEST, LEVELS, LOWEST, TRAITS, level_of
from census_personas.generator.offline.portrait import trait_levels
from census_personas.generator.population.population import Population

pytestmark = pytest.mark.quick

SCORES = range(LOWEST, HIGHEST + 1)


@pytest.mark.parametrize(
    ("level", "first", "last"),
    [("very_low", 20, 34), ("low", 35, 44), ("average", 45, 54), ("high", 55, 64), ("very_high", 65, 80)],
)
def test_levels_have_their_published_bounds(level: str, first: int, last: int) -> None:
    assert [score for score in SCORES if LEVELS[level_of(score)] == level] == list(range(first, last + 1))


def test_level_names_agree_everywhere(toy: Population) -> None:
    frame = toy.sample(5000, seed=4)
    for trait in TRAITS:
        pairs = frame[[trait, f"{trait}_label"]].drop_duplicates()
        for score, label in pairs.itertuples(index=False):
            assert label == LEVELS[level_of(score)]
            assert trait_levels({trait: score})[TRAITS.index(trait)] == 1 + LEVELS.index(label)
    for number, level in enumerate(LEVELS):
        drawn = toy.sample(300, seed=4, where={"openness_label": level})["openness"]
        assert {level_of(score) for score in drawn} == {number}


def test_shares_are_those_of_a_normal_score(toy: Population) -> None:
    shares = toy.marginal("openness_label").weights
    assert pd.Series(shares, index=LEVELS).round(4).to_dict() == {
        "very_low": 0.0606,
        "low": 0.2306,
        "average": 0.3825,
        "high": 0.2528,
        "very_high": 0.0735,
    }
