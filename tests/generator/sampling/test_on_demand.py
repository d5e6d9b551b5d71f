"""Rows that are computed when a draw first needs them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from census_personas.generator.population.population import Population
from census_personas.generator.sampling.conditioning import condition
from census_personas.generator.sampling.on_demand import OnDemand
from census_personas.generator.sampling.sampler import Sampler
from census_personas.generator.sampling.where_clause import masks

pytestmark = pytest.mark.quick

PEOPLE, MANY = 300, 32_768


def test_only_reached_rows_are_made_once() -> None:
    made: list[int] = []
    rows = OnDemand(10, lambda asked: made.extend(asked.tolist()))
    rows.reach(np.array([7, 3, 7]))
    rows.reach(np.array([3, 4]))
    assert made == [3, 7, 4]
    rows.whole()
    assert sorted(made) == list(range(10))
    rows.reach(np.array([1]))
    rows.whole()
    assert len(made) == 10


def test_threads_make_shared_rows_once() -> None:
    made: list[int] = []
    rows = OnDemand(1000, lambda asked: made.extend(asked.tolist()))
    asked: list[npt.NDArray[Any]] = [np.random.default_rng(i).integers(0, 1000, 400) for i in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(rows.reach, asked))
    assert sorted(made) == sorted(set(np.concatenate(asked).tolist()))


@pytest.mark.parametrize("where", [{}, {"trade": "m*"}, {"openness": "60-", "transport": "cart"}], ids=str)
def test_lazy_and_eager_rows_agree(toy: Population, where: dict[str, Any]) -> None:
    given = condition(toy.network, toy.leaves, masks(where, toy.priors, toy.leaves))
    lazy, eager = (Sampler.compile(toy.network, toy.leaves).given(given, toy.leaves) for _ in range(2))
    whole = eager.ready().draw(1, 0, MANY)
    for start in range(0, MANY, MANY // 4):
        part = lazy.draw(1, start, PEOPLE)
        for name, codes in part.items():
            np.testing.assert_array_equal(codes, whole[name][start : start + PEOPLE], err_msg=name)


def test_conditioned_draws_leave_the_model_unchanged(toy: Population) -> None:
    before = [node.table.copy() for node in toy.network.nodes]
    Sampler.compile(toy.network, toy.leaves).draw(0, 0, PEOPLE)
    for node, table in zip(toy.network.nodes, before, strict=True):
        np.testing.assert_array_equal(node.table, table)
