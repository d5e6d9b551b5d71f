"""Gate: how many requests an endpoint has in flight, found by watching it rather than by being told.

Three phases, as in TCP. The limit doubles with every window of answers while that pays; after the first sign
of congestion it grows by a tenth a window; at a sign of congestion it shrinks. There are two signs:

- 429: the limit is multiplied by 0.7, once for all requests that were in flight together.
- latency: servers such as vLLM never refuse, they queue. When the limit grew by a factor and the mean latency
  grew by (almost) the same, the requests that were added only waited, and the limit steps back. The measure is
  the elasticity log(latency ratio) / log(limit ratio): 0 where there is room, 1 where everything added queues.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque

START = 32
_GROWTH = 1.1
_RETREAT = 0.7
_QUEUEING = 0.8
# Windows that the limit rests after stepping back before it tries again: servers change, but not every second.
_REST = 8
# A wait shorter than this is scheduling, not queueing.
_NOISE_S = 0.02


class Gate:
    """Admits requests up to an adaptive limit, in order of arrival: `async with gate`. For one event loop."""

    def __init__(self, ceiling: int) -> None:
        """`ceiling` bounds the limit whatever the endpoint could take."""
        self.ceiling = ceiling
        self.limit = min(START, ceiling)
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._doubling = True
        self._rest = 0
        self._epoch = 0
        self._count = 0
        self._seconds = 0.0
        self._full = False
        self._before: tuple[int, float] | None = None

    async def __aenter__(self) -> int:
        """Take a place in flight; returns the epoch to give back to `throttled`."""
        await self._acquire()
        return self._epoch

    async def __aexit__(self, *_: object) -> None:
        """Give the place to the next in line."""
        self.in_flight -= 1
        self._admit()

    def answered(self, seconds: float) -> None:
        """Learn from an answer that took so long."""
        self._count += 1
        self._seconds += seconds
        # Only a limit that was reached says anything about what lies beyond it.
        self._full = self._full or self.in_flight >= self.limit
        if self._count >= 2 * self.limit:
            self._turn(self._seconds / self._count)

    def throttled(self, epoch: int) -> None:
        """Learn from a 429 to a request that was admitted in this epoch."""
        if epoch != self._epoch:
            return
        self._shrink(int(self.limit * _RETREAT))

    def _turn(self, latency: float) -> None:
        """End a window of answers and choose the next limit."""
        full, before = self._full, self._before
        self._count, self._seconds, self._full = 0, 0.0, False
        if (
            before is not None
            and self.limit > before[0]
            and _elasticity(before, (self.limit, latency)) > _QUEUEING
        ):
            self._shrink(before[0])
            return
        if self._rest:
            self._rest -= 1
            return
        if full and self.limit < self.ceiling:
            self._before = (self.limit, latency)
            grown = self.limit * 2 if self._doubling else max(self.limit + 1, int(self.limit * _GROWTH))
            self.limit = min(self.ceiling, grown)
            self._admit()

    def _shrink(self, limit: int) -> None:
        self.limit = max(1, limit)
        self._doubling = False
        self._rest = _REST
        self._epoch += 1
        self._before = None
        self._count, self._seconds, self._full = 0, 0.0, False

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


def _elasticity(before: tuple[int, float], after: tuple[int, float]) -> float:
    if after[1] - before[1] < _NOISE_S:
        return 0.0
    return math.log(after[1] / max(before[1], 1e-9)) / math.log(after[0] / before[0])
