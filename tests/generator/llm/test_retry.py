"""The retry policy alone, with waits recorded instead of waited for."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from census_personas.generator.llm.chat import (
    EndpointError,
    LLMError,
    RequestError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from census_personas.generator.llm.circuit_breaker import CircuitBreaker
from census_personas.generator.llm.retry import retry_policy

pytestmark = pytest.mark.quick

FAULT, BUSY = TransientError("503"), ThrottledError("429")


def waits_for(
    faults: list[LLMError], max_retries: int, seed: int = 7, *, is_down: bool = False
) -> tuple[list[float], int, LLMError | None]:
    """The waits between attempts that raise these faults and then succeed, the retries counted, and what is raised."""
    waits: list[float] = []
    counted: list[None] = []
    left = list(faults)

    async def attempt(word: str) -> str:
        if left:
            raise left.pop(0)
        return word

    async def write_down(seconds: float) -> None:
        waits.append(seconds)

    async def run() -> LLMError | None:
        circuit = CircuitBreaker("http://here", 300.0)
        if is_down:
            circuit.failed(UnreachableError("nobody listens"), alone=True)
        policy = retry_policy(max_retries, seed, [circuit], lambda: counted.append(None))
        policy.sleep = write_down
        try:
            assert await policy(attempt, "said") == "said"
        except LLMError as error:
            return error
        return None

    raised = asyncio.run(run())
    return waits, len(counted), raised


def test_faults_are_retried_up_to_the_limit() -> None:
    faults: list[LLMError] = [TransientError(str(i)) for i in range(6)]
    assert waits_for(faults[:5], 5)[1:] == (5, None)
    _, counted, raised = waits_for(faults, 5)
    assert (counted, raised) == (5, faults[5])


@pytest.mark.parametrize("error", [EndpointError("no key"), RequestError("too long")])
def test_permanent_faults_are_not_retried(error: LLMError) -> None:
    assert waits_for([error], 5) == ([], 0, error)


def test_429_costs_a_tenth_of_a_fault() -> None:
    assert waits_for([BUSY] * 10, 1)[1:] == (10, None)
    assert waits_for([BUSY] * 12, 1)[2] is BUSY
    assert waits_for([FAULT, BUSY], 1)[2] is BUSY


def test_full_outage_costs_no_retries() -> None:
    waits, counted, raised = waits_for([FAULT] * 40, 0, is_down=True)
    assert (counted, raised) == (40, None)
    assert len(set(waits)) == 1


@given(st.integers(0, 2**63))
def test_waits_double_and_spread(seed: int) -> None:
    waits, _, _ = waits_for([FAULT] * 20, 20, seed)
    assert 0.125 <= waits[0] <= 0.375
    assert waits == [min(waits[0] * 2**i, 60.0) for i in range(20)]


def test_requested_wait_precedes_back_off() -> None:
    asked: list[LLMError] = [ThrottledError("429", retry_after=3.0), TransientError("503", retry_after=0.0)]
    waits, _, _ = waits_for(asked, 5)
    assert 3.0 < waits[0] < 3.1
    assert 0.0 < waits[1] < 0.1
