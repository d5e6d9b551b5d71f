"""The concurrency limit follows a server's capacity, from latencies or from the queue in its metrics."""

from __future__ import annotations

import asyncio

import pytest

from census_personas.generator.llm.concurrency_limit import START, ConcurrencyLimit

pytestmark = pytest.mark.quick


class FakeServer:
    """A queue with so many places, on a clock that costs no time: latency is work plus waiting."""

    def __init__(self, places: int, work_s: float) -> None:
        """Work takes `work_s` seconds in one of `places`."""
        self.places, self.work_s = places, work_s

    def latency(self, in_flight: int) -> float:
        return self.work_s * max(1.0, in_flight / self.places)

    def load(self, in_flight: int) -> tuple[int, int, float]:
        running = min(in_flight, self.places)
        return in_flight - running, running, 0.3


def settled(gate: ConcurrencyLimit, server: FakeServer, windows: int) -> list[int]:
    """Limits over time when as many are in flight as the gate allows."""
    limits = []
    for _ in range(windows):
        gate.in_flight = gate.limit
        for _ in range(2 * gate.limit):
            gate.answered(gate.epoch, server.latency(gate.limit))
        limits.append(gate.limit)
    return limits


def looked(gate: ConcurrencyLimit, server: FakeServer, looks: int) -> list[int]:
    """Limits over time when the server is looked at, as many are in flight as allowed, and answers come at once."""
    limits = []
    for _ in range(looks):
        gate.in_flight = gate.limit
        gate.observed(*server.load(gate.in_flight))
        limits.append(gate.limit)
    return limits


def test_limit_doubles_to_the_ceiling() -> None:
    gate = ConcurrencyLimit(1024)
    limits = []
    while gate.limit < 1024:
        gate.in_flight = gate.limit
        for _ in range(gate.limit // 2):
            gate.answered(gate.epoch, 0.2)
        limits.append(gate.limit)
    assert limits == [128, 256, 512, 1024]


@pytest.mark.parametrize("places", [8, 40, 100, 300])
def test_queueing_stops_the_growth(places: int) -> None:
    gate = ConcurrencyLimit(4096)
    limits = settled(gate, FakeServer(places, 0.5), 60)
    assert max(limits[10:]) <= max(1.1 * START, 3 * places)
    assert min(limits[10:]) >= min(START, places)


def test_longer_answers_are_no_queue() -> None:
    gate = ConcurrencyLimit(1024)
    for tokens in (100, 300, 900):
        gate.in_flight = gate.limit
        for _ in range(gate.limit // 2):
            gate.answered(gate.epoch, 0.02 * tokens, tokens)
    assert gate.limit == 8 * START


def test_answers_under_an_old_limit_are_ignored() -> None:
    gate = ConcurrencyLimit(1024)
    gate.in_flight = gate.limit
    for _ in range(10 * START):
        gate.answered(0, 0.2)
    assert (gate.limit, gate.epoch) == (2 * START, 1)


def test_limit_grows_with_the_server() -> None:
    gate = ConcurrencyLimit(4096)
    before = settled(gate, FakeServer(50, 0.5), 40)[-1]
    assert settled(gate, FakeServer(2000, 0.5), 200)[-1] > 2 * before


@pytest.mark.parametrize("places", [1, 8, 64, 100, 300])
def test_visible_queue_stays_short(places: int) -> None:
    gate = ConcurrencyLimit(4096)
    limits = looked(gate, FakeServer(places, 0.5), 60)
    assert places <= min(limits[20:])
    assert max(limits[20:]) <= 1.25 * places + 1


def test_brief_queue_is_ignored() -> None:
    gate = ConcurrencyLimit(START)
    for waiting in (20, 0) * 10:
        gate.in_flight = gate.limit
        gate.observed(waiting, START - waiting, 0.3)
    assert gate.limit == START


def test_queue_of_other_clients_is_ignored() -> None:
    gate = ConcurrencyLimit(START)
    for _ in range(10):
        gate.in_flight = gate.limit
        gate.observed(10 * START, 32, 0.3)
    assert gate.limit == START


def test_full_cache_stops_the_growth() -> None:
    gate = ConcurrencyLimit(1024)
    gate.in_flight = gate.limit
    gate.observed(0, START, 0.99)
    assert gate.limit == START
    gate.observed(0, START, 0.5)
    assert gate.limit == 2 * START


def test_growth_waits_for_arrivals() -> None:
    gate = ConcurrencyLimit(1024)
    gate.in_flight = gate.limit
    gate.observed(0, START // 2, 0.3)
    assert gate.limit == START


def test_latency_counts_without_metrics() -> None:
    gate = ConcurrencyLimit(1024)
    gate.observed(0, 1, 0.1)
    settled(gate, FakeServer(5000, 0.2), 5)
    assert gate.limit == START
    gate.unobserved()
    settled(gate, FakeServer(5000, 0.2), 5)
    assert gate.limit == 1024


def test_unreached_limit_stays() -> None:
    gate = ConcurrencyLimit(1024)
    for _ in range(1000):
        gate.answered(gate.epoch, 0.2)
    gate.observed(0, 3, 0.1)
    assert gate.limit == START


async def test_429s_together_shrink_the_limit_once() -> None:
    gate = ConcurrencyLimit(1024)
    async with gate as epoch:
        for _ in range(20):
            gate.throttled(epoch)
    assert gate.limit == int(START * 0.7)


async def test_cancelled_callers_lose_no_place() -> None:
    gate = ConcurrencyLimit(2)
    order: list[int] = []

    async def caller(i: int) -> None:
        async with gate:
            order.append(i)
            await asyncio.sleep(0.001)

    tasks = [asyncio.create_task(caller(i)) for i in range(20)]
    await asyncio.sleep(0)
    for task in tasks[4:10]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 1, 2, 3, *range(10, 20)]
    assert gate.in_flight == 0
