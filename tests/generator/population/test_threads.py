"""One population, many conditions, many threads."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest

from census_personas.generator.population import selection_cache
from census_personas.generator.population.population import Population
from census_personas.generator.population.selection_cache import CACHE_BYTES

ROWS = 300
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"where": {"region": "north"}},
    {"where": {"age": "18-20"}},
    {"where": {"trade": ["mason", "clerk"], "sex": "Female"}},
    {"where": {"mood": "glad", "region": "south"}},
    {"target": {"sex": {"Female": 0.9}}},
    {"quota": {"region": "uniform"}},
    {"where": {"transport": "foot"}, "stratified": True},
    {},
)


def fresh(toy: Population, cache_bytes: int = CACHE_BYTES) -> Population:
    return Population(toy.priors, toy.network, cache_bytes)


def sample(population: Population, number: int) -> pd.DataFrame:
    return population.sample(ROWS, seed=5, **CONDITIONS[number])


@pytest.mark.parametrize("cache_bytes", [CACHE_BYTES, 1], ids=["all are kept", "one is kept"])
def test_threads_draw_what_one_thread_draws(toy: Population, cache_bytes: int) -> None:
    alone = [sample(fresh(toy), number) for number in range(8)]
    shared = fresh(toy, cache_bytes)
    tasks = [((thread + turn) % 8) for thread, turn in product(range(8), range(8))]
    with ThreadPoolExecutor(8) as pool:
        for number, drawn in zip(tasks, pool.map(lambda n: sample(shared, n), tasks), strict=True):
            pd.testing.assert_frame_equal(drawn, alone[number])


def test_condition_is_computed_once(toy: Population) -> None:
    shared = fresh(toy)
    with (
        patch.object(selection_cache, "condition", wraps=selection_cache.condition) as condition,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(lambda _: sample(shared, 2), range(16)))
    assert condition.call_count == 1


def test_conditioned_models_stay_within_bytes(toy: Population) -> None:
    roomy = fresh(toy)
    for number in range(8):
        sample(roomy, number)
    kept = roomy._selections  # noqa: SLF001  what is kept is no part of the API
    assert len(kept) == 8
    tight = fresh(toy, kept.size // 2)
    for number in (*range(8), *range(8)):
        sample(tight, number)
        assert tight._selections.size <= kept.size // 2  # noqa: SLF001
    assert 1 <= len(tight._selections) < 8  # noqa: SLF001


def test_unused_population_is_freed(toy: Population) -> None:
    population = fresh(toy)
    for number in range(8):
        sample(population, number)
    kept = weakref.ref(population._selections)  # noqa: SLF001
    gc.disable()  # it counts objects, and would leave gigabytes of arrays for long
    try:
        del population
        assert kept() is None
    finally:
        gc.enable()


def test_shared_memory_is_not_counted(toy: Population) -> None:
    population = fresh(toy)
    sample(population, 7)
    assert population._selections.size == 0  # noqa: SLF001
