"""The whole sampler: rows depend on their number alone, and counts differ only by chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from census_personas.generator.model.node import Node
from census_personas.generator.population.population import Population
from census_personas.generator.sampling.conditioning import condition
from census_personas.generator.sampling.sampler import BLOCK, Sampler
from census_personas.generator.sampling.where_clause import masks

pytestmark = pytest.mark.quick

ROWS = 60_000
ATTRIBUTES = ("region", "age", "sex", "status", "trade", "transport", "mood")


@pytest.fixture(scope="module")
def sampler(toy: Population) -> Sampler:
    return Sampler.compile(toy.network, toy.leaves)


def statistic(observed: Any, expected: Any) -> tuple[float, int]:
    """Pearson's X² of counts against expected ones, and its degrees of freedom."""
    possible = expected > 0
    assert not observed[~possible].any(), "an impossible combination was drawn"
    square = ((observed[possible] - expected[possible]) ** 2 / expected[possible]).sum()
    return float(square), int(possible.sum()) - 1


WHERES: dict[str, Mapping[str, Any]] = {
    "nobody left out": {},
    "a rare child": {"trade": "mason", "mood": "grim"},
    "a certain child": {"transport": "none", "voter": "18-20"},
    "a mixture": {"age": "19-23", "status": ["working", "resting"], "mood": "glad"},
}


@pytest.mark.parametrize("where", WHERES.values(), ids=WHERES)
def test_pairwise_tables_match_within_chance(
    toy: Population, sampler: Sampler, toy_cells: pd.DataFrame, where: Mapping[str, Any]
) -> None:
    conditioned = condition(toy.network, toy.leaves, masks(where, toy.priors, toy.leaves))
    codes = sampler.given(conditioned, toy.leaves).draw(7, 0, ROWS)
    kept = toy_cells.assign(p=0.0)
    sample = toy.sample(1, where=where)
    assert len(sample) == 1
    allowed = pd.Series(True, index=toy_cells.index)
    for name, wanted in where.items():
        values = [str(v) for v in (wanted if isinstance(wanted, list) else [wanted])]
        values = [str(age) for age in range(19, 24)] if name == "age" else values
        allowed &= toy_cells[name].astype(str).isin(values)
    kept = toy_cells[allowed]
    for one, other in combinations(ATTRIBUTES, 2):
        shape = (len(toy.priors.domain[one]), len(toy.priors.domain[other]))
        observed = np.zeros(shape)
        np.add.at(observed, (codes[one], codes[other]), 1)
        expected = np.zeros(shape)
        index = [toy.priors.domain.codes(name, kept[name]) for name in (one, other)]
        np.add.at(expected, tuple(index), kept["p"])
        expected *= ROWS / expected.sum()
        square, freedom = statistic(observed, expected)
        assert square < freedom + 5 * (2 * freedom) ** 0.5 + 12, f"{one} x {other}"


def test_rows_do_not_depend_on_blocks(sampler: Sampler) -> None:
    whole = sampler.draw(3, 0, 3 * BLOCK + 11)
    for start, count in ((0, 1), (1, 7), (BLOCK - 1, 2), (BLOCK, BLOCK), (3 * BLOCK, 11), (5, 2 * BLOCK + 3)):
        part = sampler.draw(3, start, count)
        for name, codes in part.items():
            np.testing.assert_array_equal(codes, whole[name][start : start + count], err_msg=name)


def test_seeds_draw_different_people(sampler: Sampler) -> None:
    one, other = sampler.draw(1, 0, 1000), sampler.draw(2, 0, 1000)
    assert all((one[name] != other[name]).any() for name in ATTRIBUTES)


def test_new_attribute_leaves_others_unchanged(toy: Population, sampler: Sampler) -> None:
    mood = next(node for node in toy.network.nodes if node.child == "mood")
    kept = tuple(node for node in toy.network.nodes if node is not mood)
    fewer = Sampler.compile(replace(toy.network, nodes=kept), toy.leaves)
    before, after = fewer.draw(5, 100, 2000), sampler.draw(5, 100, 2000)
    assert "mood" not in before
    for name, codes in before.items():
        np.testing.assert_array_equal(codes, after[name], err_msg=name)


def test_streams_are_independent(toy: Population) -> None:
    twin = np.full((len(toy.priors.domain["sex"]), 2), 0.5, dtype=np.float32)
    free = (Node("mood", ("sex",), twin), Node("voter", ("sex",), twin))
    codes = Sampler.compile(replace(toy.network, nodes=free), ()).draw(1, 0, 40_000)
    agree = (codes["mood"] == codes["voter"]).mean()
    assert agree == pytest.approx(0.5, abs=5 * 0.5 / 40_000**0.5)


def test_untouched_steps_are_not_recompiled(toy: Population, sampler: Sampler) -> None:
    where = {"trade": "mason", "openness": "60-"}
    conditioned = condition(toy.network, toy.leaves, masks(where, toy.priors, toy.leaves))
    given = sampler.given(conditioned, toy.leaves)
    changed = {
        new.child for new, old in zip(given.parts, sampler.parts, strict=True) if new.step is not old.step
    }
    assert changed == {"trade_group", "trade", "openness"}
