"""Leased limits: a worker's share of the requests in flight, of the budget, and of the rows of an early stop.

In a worker they replace the limits of a run without workers, and follow the coordinator's leases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.executor.lease import GateReport, RowsReport
from census_personas.generator.executor.shared_budget import Allowance
from census_personas.generator.llm.budget import Budget, BudgetError
from census_personas.generator.llm.concurrency_limit import ConcurrencyLimit
from census_personas.generator.narration.narrator import Narrated


class LeasedGate:
    """Admits requests to one endpoint up to the lease, and records their outcomes for the next report."""

    def __init__(self, ceiling: int) -> None:
        """Set the most requests that this process can have open under any lease."""
        self.ceiling = ceiling
        self.is_doubling = True
        self.has_answered_others = False
        self._places = ConcurrencyLimit(ceiling)
        self._places.follow(0, 0)
        self._answered: list[tuple[int, float, int, bool]] = []
        self._throttled: list[int] = []
        self._observed: tuple[float, float, float] | None = None
        self._is_silent = False

    async def __aenter__(self) -> int:
        """Wait for a place in flight; return the epoch."""
        return await self._places.__aenter__()

    async def __aexit__(self, *_: object) -> None:
        """Release the place for the next request."""
        await self._places.__aexit__()

    @property
    def limit(self) -> int:
        """Number of concurrent requests under the lease, at least one."""
        return max(1, self._places.limit)

    @property
    def in_flight(self) -> int:
        """Number of requests in flight."""
        return self._places.in_flight

    def answered(self, epoch: int, seconds: float, tokens: int = 1) -> None:
        """Record an answer for the report."""
        self._answered.append((epoch, seconds, tokens, self._places.in_flight >= self._places.limit))

    def throttled(self, epoch: int) -> None:
        """Record a 429 for the report."""
        self._throttled.append(epoch)

    def observed(self, waiting: float, running: float, cache: float) -> None:
        """Record the server's metrics for the report."""
        self._observed, self._is_silent = (waiting, running, cache), False

    def unobserved(self) -> None:
        """Record that the server has no metrics."""
        self._observed, self._is_silent = None, True

    def report(self) -> GateReport:
        """Return what happened since the last report."""
        report = GateReport(
            in_flight=self._places.in_flight,
            waiting=self._places.waiting,
            answered=tuple(self._answered),
            throttled=tuple(self._throttled),
            observed=self._observed,
            is_silent=self._is_silent,
        )
        self._answered, self._throttled, self._observed, self._is_silent = [], [], None, False
        return report

    def follow(self, limit: int, epoch: int, *, has_answered: bool) -> None:
        """Take a new lease; `has_answered`: the endpoint has answered a worker of this session."""
        self.has_answered_others = has_answered
        self._places.follow(min(limit, self.ceiling), epoch)


class LeasedBudget:
    """Admits requests while the lease allows spending, and otherwise waits for the next lease."""

    def __init__(self, config: LLMConfig) -> None:
        """Take prices from the config; nothing is allowed before the first lease."""
        self._prices = config
        self._spent = Budget(config)
        self._allowance = Allowance()
        self._is_spent = False
        self._changed = asyncio.Event()

    @property
    def prompt_tokens(self) -> int:
        """Tokens of prompts so far."""
        return self._spent.prompt_tokens

    @property
    def completion_tokens(self) -> int:
        """Tokens of answers so far."""
        return self._spent.completion_tokens

    def spend(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count an answer."""
        self._spent.spend(prompt_tokens, completion_tokens)

    async def admitted(self) -> None:
        """Return when the lease allows a further request.

        Raises:
            BudgetError: the budget of the session is spent.
        """
        while not self._allows():
            if self._is_spent:
                raise BudgetError("the budget is spent")  # the coordinator's error names the limit
            self._changed.clear()
            await self._changed.wait()

    def _allows(self) -> bool:
        tokens = self.prompt_tokens + self.completion_tokens
        if self._is_spent and self._allowance != Allowance(inf, inf):
            return False
        return tokens < self._allowance.tokens and self._spent.cost < self._allowance.money

    def follow(self, allowance: Allowance, *, is_spent: bool) -> None:
        """Take a new lease."""
        self._allowance, self._is_spent = allowance, is_spent
        self._changed.set()


class LeasedRows:
    """The rows that a worker may try until the run has an accepted row."""

    def __init__(self, in_flight: Callable[[], int]) -> None:
        """`in_flight` counts the rows of all open shards that are being written."""
        self._in_flight = in_flight
        self._leased: int | None = 0
        self._readable = False
        self._seen: list[Narrated] = []
        self._sent = 0
        self._waiting = 0
        self._changed = asyncio.Event()

    def hear(self, readable: bool) -> None:
        """Learn of a new answer."""
        self._readable = self._readable or readable

    def see(self, result: Narrated) -> None:
        """Keep a finished row that was paid for, without its facts and texts."""
        if self._leased is not None and result.asked:
            seen = Narrated(
                {"row": result.record.get("row")}, (), result.accepted, result.attempts,
                reasons=result.reasons, asked=result.asked,
            )  # fmt: skip
            self._seen.append(seen)
        self.wake()

    async def admitted(self, is_released: Callable[[], bool]) -> None:
        """Return when a further row may be begun, or the shard is released."""
        while not is_released() and self._leased is not None:
            if self._in_flight() + len(self._seen) < self._leased:
                return
            self._waiting += 1
            self._changed.clear()
            try:
                await self._changed.wait()
            finally:
                self._waiting -= 1

    def wake(self) -> None:
        """Let waiting shards check again."""
        self._changed.set()

    def report(self) -> RowsReport:
        """Return what happened since the last report."""
        self._sent = len(self._seen)
        return RowsReport(self._in_flight(), self._waiting, self._readable, tuple(self._seen))

    def follow(self, rows: int | None) -> None:
        """Take a new lease."""
        del self._seen[: self._sent]
        self._leased, self._sent = rows, 0
        self.wake()


class ShardRows:
    """The `StartLimit` of one shard's pipeline, which shares the rows that its worker may try."""

    def __init__(self, rows: LeasedRows) -> None:
        """Share the worker's rows."""
        self._rows = rows
        self._released = False

    def see(self, result: Narrated) -> None:
        """Learn of a finished row."""
        self._rows.see(result)

    def release(self) -> None:
        """Hold no row of this shard back from now on."""
        self._released = True
        self._rows.wake()

    async def admitted(self, _: Callable[[], int]) -> None:
        """Return when a further row may be begun."""
        await self._rows.admitted(lambda: self._released)

    def verdict(self) -> None:
        """Return nothing: the coordinator, which sees the rows of all workers, decides."""
