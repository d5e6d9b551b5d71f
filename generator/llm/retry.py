"""Retry policy: which faults are retried, how often, and after what wait."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from census_personas.generator.llm.chat import LLMError, ThrottledError, TransientError
from census_personas.generator.llm.circuit_breaker import CircuitBreaker

logger = logging.getLogger(__name__)
_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 60.0
# Seconds added to the wait that an endpoint asks for, so that requests with the same wait do not return at once.
_SPREAD_S = 0.05
# A 429 shows that the endpoint works, so it is retried this many times as often as a fault.
_PATIENCE_WITH_429 = 10


def retry_policy(
    max_retries: int, seed: int, circuits: Sequence[CircuitBreaker], count_retry: Callable[[], None]
) -> AsyncRetrying:
    """Return the policy of one request. It counts retries, so each request needs its own.

    Args:
        max_retries: retries after faults; ten times as many after 429s, any number while all endpoints are down.
        seed: the request's; it spreads requests that failed together over different waits.
        circuits: the breakers of all endpoints that the request may go to.
        count_retry: called before each wait.
    """
    spread = 0.5 + (seed * 0.6180339887498949) % 1.0

    def before_sleep(state: RetryCallState) -> None:
        count_retry()
        logger.debug("attempt %d failed, retrying: %s", state.attempt_number, _fault(state))

    return AsyncRetrying(
        retry=retry_if_exception_type(TransientError),
        stop=_Patience(max_retries, circuits),
        wait=_Wait(spread, circuits),
        before_sleep=before_sleep,
        reraise=True,
    )


class _Patience(stop_base):
    """Stop after too many faults. A 429 counts a tenth, an outage of all endpoints nothing: the breaker ends that."""

    def __init__(self, max_retries: int, circuits: Sequence[CircuitBreaker]) -> None:
        self._left = float(max_retries)
        self._circuits = circuits

    def __call__(self, state: RetryCallState) -> bool:
        if not all(circuit.is_open for circuit in self._circuits):
            self._left -= 1 / _PATIENCE_WITH_429 if isinstance(_fault(state), ThrottledError) else 1
        return self._left < 0


class _Wait(wait_base):
    """Wait as long as the endpoint asks, else with exponential back-off."""

    def __init__(self, spread: float, circuits: Sequence[CircuitBreaker]) -> None:
        self._spread = spread
        self._circuits = circuits
        self._back_off = wait_exponential(multiplier=_FIRST_WAIT_S * spread, max=_LONGEST_WAIT_S)

    def __call__(self, state: RetryCallState) -> float:
        error = _fault(state)
        if isinstance(error, LLMError) and error.retry_after is not None:
            return error.retry_after + _SPREAD_S * self._spread
        if any(circuit.is_open for circuit in self._circuits):
            # The circuit breaker, or another endpoint, decides when to send.
            return _FIRST_WAIT_S * self._spread
        return self._back_off(state)


def _fault(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
