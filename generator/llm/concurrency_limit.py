"""Concurrency limit: how many requests an endpoint has in flight, found by watching it rather than by being told.

Three phases, as in TCP. The limit doubles while that pays; after the first sign of congestion it grows by a tenth at a
time; at a sign of congestion it shrinks. There are three signs:

- 429: the limit is multiplied by 0.7, once for all requests that were in flight together.
- latency: servers such as vLLM never refuse, they queue. When the limit grew by a factor and the mean time for a
  token grew by (almost) the same, the requests that were added only waited, and the limit steps back. The measure
  is the elasticity log(ratio of times) / log(ratio of limits): 0 where there is room, 1 where everything added queues.
- the queue itself, where a `Monitor` reads it from the server, and then in the place of latency: a queue that stands
  is cut off the limit, of which at least half remains, and an empty one lets it grow, without the wait for a window
  of answers.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from typing import Protocol

START = 64
_GROWTH = 1.1
_RETREAT = 0.7
_QUEUEING = 0.8
# Windows that the limit rests after stepping back before it tries again: servers change, but not every second.
_REST = 8
# A wait shorter than this is scheduling, not queueing.
_NOISE_S = 0.02
# Queues, as shares of the requests that the server works on. A short one keeps it busy while answers travel.
_SHORT = 0.1
_LONG = 0.25
# Share of what is in flight that the server must have in hand; else the rest is under way, and may yet make a queue.
_ARRIVED = 0.75
# Share of the server's cache above which it may soon have to drop what it works on, and begin that again later.
_CACHE_IS_FULL = 0.95


@dataclass(slots=True)
class _Window:
    """Answers to requests that were sent under one limit."""

    count: int = 0
    seconds: float = 0.0
    tokens: int = 0
    was_full: bool = False


class Gate(Protocol):
    """What an endpoint needs of whatever limits its requests in flight; see `ConcurrencyLimit`."""

    @property
    def ceiling(self) -> int:
        """Most requests at once, even if the endpoint could take more."""
        ...

    @property
    def in_flight(self) -> int:
        """Requests that were sent and not answered."""
        ...

    @property
    def limit(self) -> int:
        """Requests at once as things stand, at least one."""
        ...

    @property
    def is_doubling(self) -> bool:
        """Whether the limit is still being found."""
        ...

    @property
    def has_answered_others(self) -> bool:
        """Whether the endpoint is known to have answered another process of the run."""
        ...

    async def __aenter__(self) -> int:
        """Take a place in flight; returns the epoch."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Give the place back."""
        ...

    def answered(self, epoch: int, seconds: float, tokens: int = 1) -> None:
        """Learn from an answer."""
        ...

    def throttled(self, epoch: int) -> None:
        """Learn from a 429."""
        ...

    def observed(self, waiting: float, running: float, cache: float) -> None:
        """Learn from the server's own figures."""
        ...

    def unobserved(self) -> None:
        """Learn that the server gives none."""
        ...


class ConcurrencyLimit:
    """Admits requests up to an adaptive limit, in order of arrival: `async with gate`. For one event loop."""

    def __init__(self, ceiling: int) -> None:
        """`ceiling` bounds the limit, even if the endpoint could take more."""
        self.ceiling = ceiling
        self.limit = min(START, ceiling)
        self.in_flight = 0
        self.is_doubling = True
        self.has_answered_others = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.epoch = 0
        """How often the limit has changed."""
        self._shrunk = 0  # the epoch that the last step back began
        self._rest = 0
        self._window = _Window()
        self._before: tuple[int, _Window] | None = None
        self._is_observed = False
        self._queued = 0.0

    async def __aenter__(self) -> int:
        """Take a place in flight; returns the epoch to give back to `answered` or `throttled`."""
        await self._acquire()
        return self.epoch

    async def __aexit__(self, *_: object) -> None:
        """Give the place to the next in line."""
        self.in_flight -= 1
        self._admit()

    def answered(self, epoch: int, seconds: float, tokens: int = 1) -> None:
        """Learn from an answer of so many tokens that took so long, to a request admitted in this epoch."""
        # What was sent under another limit says nothing about this one.
        if self._is_observed or epoch != self.epoch:
            return
        window = self._window
        window.count += 1
        window.seconds += seconds
        window.tokens += tokens
        # Only a limit that was reached says anything about what lies beyond it.
        window.was_full = window.was_full or self.in_flight >= self.limit
        if window.count >= (self.limit // 2 if self.is_doubling else 2 * self.limit):
            self._window = _Window()
            self._turn(window)

    def throttled(self, epoch: int) -> None:
        """Learn from a 429 to a request that was admitted in this epoch."""
        if epoch >= self._shrunk:
            self._shrink(int(self.limit * _RETREAT))

    def observed(self, waiting: float, running: float, cache: float) -> None:
        """Learn from the server how many requests wait there, how many it works on, and the share of its cache in use.

        A queue counts when it was there the last time too. What waits beyond our own requests in flight is
        somebody else's, and no step back of ours would clear it.
        """
        self._is_observed = True
        standing, self._queued = min(waiting, self._queued), waiting
        has_room = waiting <= _SHORT * running and cache < _CACHE_IS_FULL
        has_arrived = waiting + running >= _ARRIVED * self.in_flight
        if _LONG * running < standing < self.in_flight:
            # A limit that was just lowered is reached only as answers come in.
            if self.in_flight <= self.limit:
                needed = self.in_flight - standing + _SHORT * running
                self._shrink(max(self.limit // 2, int(needed)))
        elif has_room and has_arrived and self.in_flight >= self.limit:
            self._grow()

    def unobserved(self) -> None:
        """The server does not tell (any more): go by latency."""
        if self._is_observed:
            self._is_observed = False
            self._window, self._before = _Window(), None

    @property
    def waiting(self) -> int:
        """Requests that wait for a place."""
        return sum(not turn.done() for turn in self._waiting)

    def follow(self, limit: int, epoch: int) -> None:
        """Take the limit, which may be 0, and its epoch from elsewhere: this one is not to learn."""
        self.limit, self.epoch = limit, epoch
        self._admit()

    def _turn(self, window: _Window) -> None:
        """Choose the next limit after a window of answers."""
        before = self._before
        if before is not None and _elasticity(*before, self.limit, window) > _QUEUEING:
            self._shrink(before[0])
        elif self._rest:
            self._rest -= 1
        elif window.was_full and self.limit < self.ceiling:
            self._before = (self.limit, window)
            self._grow()

    def _grow(self) -> None:
        if self.limit < self.ceiling:
            grown = self.limit * 2 if self.is_doubling else max(self.limit + 1, int(self.limit * _GROWTH))
            self._change(min(self.ceiling, grown))
            self._admit()

    def _shrink(self, limit: int) -> None:
        self._change(max(1, limit))
        self.is_doubling = False
        self._rest = _REST
        self._shrunk = self.epoch
        self._before = None

    def _change(self, limit: int) -> None:
        self.limit = limit
        self.epoch += 1
        self._window = _Window()

    async def _acquire(self) -> None:
        if self.in_flight < self.limit and not self._waiting:
            self.in_flight += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # Admitted and cancelled at once: the place goes to the next in line.
            if turn.done() and not turn.cancelled():
                self.in_flight -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting and self.in_flight < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)


def _elasticity(limit_before: int, before: _Window, limit: int, after: _Window) -> float:
    """How much slower a token became, as a power of how much the limit grew."""
    if after.seconds / after.count - before.seconds / before.count < _NOISE_S:
        return 0.0
    slower = (after.seconds / after.tokens) / max(before.seconds / before.tokens, 1e-9)
    return math.log(slower) / math.log(limit / limit_before)
