"""Limits that workers share: never exceeded, never left unused for want of asking, returned on death."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.executor.shared_budget import SharedBudget
from census_personas.generator.executor.shared_places import SharedPlaces

pytestmark = pytest.mark.quick

Steps = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.booleans()), max_size=60)


@settings(max_examples=200, deadline=None)
@given(places=st.integers(1, 20), steps=Steps)
def test_places_are_never_exceeded(places: int, steps: list[tuple[int, int, bool]]) -> None:
    shared = SharedPlaces()
    leased, used, answers = dict.fromkeys(range(4), 0), dict.fromkeys(range(4), 0), {}
    for worker, wants, dies in steps:
        if dies:
            shared.release(worker)
            leased[worker] = used[worker] = 0
            answers.pop(worker, None)
        elif worker in answers:  # the lease arrives; until then the former one was used to the full
            leased[worker] = answers.pop(worker)
            used[worker] = min(used[worker], wants)
        else:
            answers[worker] = shared.lease(worker, used[worker], used[worker] + wants, places)
            used[worker] = max(used[worker], min(leased[worker], used[worker] + wants))
        assert sum(used.values()) <= places


@settings(max_examples=100, deadline=None)
@given(places=st.integers(1, 50), wanted=st.lists(st.integers(0, 40), min_size=1, max_size=5))
def test_places_are_leased_fairly(places: int, wanted: list[int]) -> None:
    shared = SharedPlaces()
    for _ in range(3):  # places are free when those who had them have reported
        leases = [shared.lease(worker, 0, wants, places) for worker, wants in enumerate(wanted)]
    assert sum(leases) == places
    met = [min(lease, wants) for lease, wants in zip(leases, wanted, strict=True)]
    assert sum(met) == min(places, sum(wanted))
    unmet = [lease for lease, wants in zip(leases, wanted, strict=True) if lease < wants]
    assert not unmet or max(met) <= min(unmet) + 1


@settings(max_examples=30, deadline=None)
@given(most=st.integers(50, 5_000), seed=st.integers(0, 2**32))
def test_budget_is_spent_to_the_end(most: int, seed: int) -> None:
    chance = Random(seed)
    spends = [(chance.randrange(3), chance.randint(1, 40), chance.random() < 0.05) for _ in range(500)]
    config = LLMConfig(max_tokens_total=most)
    shared, spent, gone = SharedBudget(config, 3), dict.fromkeys(range(3), 0), 0
    names = {0: 0, 1: 1, 2: 2}
    for worker, tokens, dies in spends:
        if shared.error:
            break
        name = names[worker]
        allowed = shared.allow(name, spent[worker], 0, wants=True).tokens
        if spent[worker] < allowed:
            spent[worker] += tokens
        if dies:
            shared.allow(name, spent[worker], 0, wants=True)
            shared.release(name)
            gone, names[worker] = gone + spent[worker], max(names.values()) + 1
            spent[worker] = 0
    total = gone + sum(spent.values())
    assert total < most + 3 * 40 + 0.001 * most * 3
    for worker, name in names.items():
        shared.allow(name, spent[worker], 0, wants=True)
    assert (shared.error is not None) == (total >= most)


def test_unspent_money_goes_to_others() -> None:
    shared = SharedBudget(LLMConfig(max_cost=1.0, price_prompt=1e6), 2)  # a token costs 1
    first = shared.allow(0, 0, 0, wants=True).money
    shared.release(0)
    assert shared.allow(1, 0, 0, wants=True).money == first
    assert shared.error is None
    shared.allow(1, 1, 0, wants=True)
    assert "llm.max_cost=1 is spent" in str(shared.error)


def test_idle_worker_returns_budget() -> None:
    shared = SharedBudget(LLMConfig(max_tokens_total=100), 2)
    assert shared.allow(0, 0, 0, wants=True).tokens == 25
    assert shared.allow(0, 10, 0, wants=False).tokens == 10
    assert shared.allow(1, 0, 0, wants=True).tokens == pytest.approx(90 / 4)
