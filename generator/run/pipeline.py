"""Pipeline: narrates the rows of shards concurrently and delivers finished shards.

Memory does not grow with the number of rows: at most `_OPEN` shards are in progress, and rows are sampled in blocks,
on demand. The pipeline touches no file; the caller stores what it delivers.
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import takewhile
from threading import Lock
from typing import Any, Protocol

import pandas as pd

from census_personas.generator.llm.budget import BudgetError
from census_personas.generator.llm.chat import DeferredError, EndpointError, LLMError
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.early_stop import EarlyStop, HopelessError, StartLimit
from census_personas.generator.run.shard_store import Shard, ShardInfo

# Two, so that the endpoint is not idle during the last rows of a shard.
_OPEN = 2
_BLOCK = 10_000
# Thresholds of Python's garbage collector, for the three generations.
_COLLECTIONS = (50_000, 20, 20)
# Rows after which the event loop gets a turn, for narrators that never wait.
_BREATH = 32


def narrations(requests: int) -> int:
    """Return the narrations that keep `requests` in flight: half as many more wait for storing and checks."""
    return requests + requests // 2


Sample = Callable[[int, int], pd.DataFrame]
"""(n, start) -> rows `start` up to `start + n` of the population."""


class Narrating(Protocol):
    """The part of a narrator that the pipeline needs."""

    async def narrate(self, record: dict[str, Any]) -> Narrated:
        """Narrate one row; raise `LLMError` if the endpoint gives no answer."""
        ...

    async def again(self, result: Narrated) -> Narrated | None:
        """Attempt a narrated row again; return None if it has no attempts left."""
        ...


Settle = Callable[[Narrating, Shard, Sequence[Narrated]], Awaitable[Sequence[Narrated]]]
"""Compares a shard's rows and returns them as they are to be delivered."""


async def _as_they_are(_: Narrating, __: Shard, results: Sequence[Narrated]) -> Sequence[Narrated]:
    return results


@dataclass(slots=True)
class Tally:
    """Counts that an observer sees during a session; `done` rows were finished before it.

    `waiting` rows need an answer that is not there yet, such as that of a batch.
    """

    rows: int
    done: int = 0
    accepted: int = 0
    rejected: int = 0
    waiting: int = 0
    in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, result: Narrated) -> None:
        """Count one finished row."""
        self.accepted += result.accepted
        self.rejected += not result.accepted
        self.prompt_tokens += result.prompt_tokens
        self.completion_tokens += result.completion_tokens

    def exchange(self, before: Narrated, after: Narrated) -> None:
        """Replace a counted row by its new result."""
        self.accepted += after.accepted - before.accepted
        self.rejected += before.accepted - after.accepted
        self.prompt_tokens += after.prompt_tokens - before.prompt_tokens
        self.completion_tokens += after.completion_tokens - before.completion_tokens


@dataclass(slots=True)
class _OpenShard:
    shard: Shard
    narrator: Narrating
    closing: ExitStack
    left: int
    waiting: bool = False
    results: list[Narrated | None] = field(default_factory=list)


class Pipeline:
    """One session of narrating shards.

    Args:
        sample: returns the rows.
        open_narrator: opens the narrator for one shard, with the files that it needs while the shard is in progress.
        deliver: takes a finished shard's results in row order; runs in a thread, one call at a time.
        concurrency: number of narrations in flight.
        patience: number of consecutive failed narrations after which the endpoint counts as down.
        early_stop: decides whether further rows are begun; by default all are.
        deliver_begun: whether a stopped session delivers the first rows of unfinished shards, for narrators whose
            answers are kept nowhere else.
    """

    def __init__(
        self,
        sample: Sample,
        open_narrator: Callable[[Shard], AbstractContextManager[Narrating]],
        deliver: Callable[[Shard, Sequence[Narrated]], ShardInfo],
        *,
        concurrency: int,
        observe: Callable[[Tally], None] = lambda _: None,
        patience: int = 16,
        early_stop: StartLimit | None = None,
        deliver_begun: bool = False,
    ) -> None:
        """Start nothing before `run`."""
        self._sample = sample
        self._open_narrator = open_narrator
        self._deliver = deliver
        self._concurrency = concurrency
        self._observe = observe
        self._patience = patience
        self._early_stop: StartLimit = early_stop or EarlyStop(stops=False)
        self._deliver_begun = deliver_begun
        self.settle: Settle = _as_they_are
        """Compares the rows of a shard before they are delivered."""
        self._failures = 0
        self._ready: deque[tuple[_OpenShard, int, dict[str, Any]]] = deque()
        self._open: dict[int, _OpenShard] = {}
        self._stopped = False
        self._ended: BudgetError | HopelessError | None = None

    async def run(self, shards: Sequence[Shard], tally: Tally) -> bool:
        """Narrate and deliver these shards; return False if `stop` ended the session or rows wait for answers.

        Raises:
            CancelledError: cancelled; rows in flight are dropped as by `abort`, finished ones are delivered.
            LLMError: the endpoint cannot be reached, refuses the key or keeps failing, the budget is spent, or the
                first rows all failed.
            OSError, ValueError: a narrator or `deliver` raised it; shards that were finished before are delivered.
        """
        self._tally = tally
        self._room, self._taking, self._delivering = asyncio.Event(), asyncio.Lock(), asyncio.Lock()
        self._room.set()
        self._closing = ExitStack()
        self._blocks = self._read(shards)
        self._left = sum(shard.stop - shard.begin for shard in shards)
        workers = min(self._concurrency, self._left)
        self._closing.enter_context(_rare_collections())
        with self._closing:
            try:
                async with asyncio.TaskGroup() as group:
                    self._workers = [group.create_task(self._work()) for _ in range(workers)]
            except BaseExceptionGroup as failures:
                raise _first(failures) from failures
            except asyncio.CancelledError:
                await self._deliver_first_rows()
                raise
            finally:
                await self._blocks.aclose()
            if self._stopped:
                await self._deliver_first_rows()
        if self._ended is not None:
            raise self._ended
        return not self._stopped and not tally.waiting

    def stop(self) -> None:
        """Begin no further row; `run` returns when those in flight are finished."""
        self._stopped = True
        self._room.set()
        self._early_stop.release()

    def abort(self) -> None:
        """Drop the rows in flight as well."""
        self.stop()
        for worker in self._workers:
            worker.cancel()

    async def _work(self) -> None:
        while (item := await self._take()) is not None:
            opened, offset, record = item
            self._tally.in_flight += 1
            try:
                opened.results[offset] = result = await self._narrate(opened.narrator, record)
                self._tally.add(result)
                self._early_stop.see(result)
            except DeferredError:
                opened.waiting = True
                self._tally.waiting += 1
            except BudgetError as error:
                # Answers in flight are paid for, so the session waits for them.
                self._ended = error
                self.stop()
                return
            finally:
                self._tally.in_flight -= 1
            opened.left -= 1
            self._observe(self._tally)
            self._check_early_stop()
            if not opened.left:
                await self._finish(opened)

    def _check_early_stop(self) -> None:
        """End the session if its first rows all failed."""
        self._left -= 1
        if not self._left:
            self._early_stop.release()
        elif not self._stopped and (hopeless := self._early_stop.verdict()):
            self._ended = hopeless
            self.stop()

    async def _narrate(self, narrator: Narrating, record: dict[str, Any]) -> Narrated:
        try:
            result = await narrator.narrate(record)
        except (DeferredError, EndpointError):
            raise
        except LLMError as error:
            self._failures += 1
            if self._failures >= self._patience:
                raise
            return Narrated(record, (), accepted=False, attempts=1, reasons=(f"endpoint: {error}",), asked=1)
        self._failures = 0
        return result

    async def _take(self) -> tuple[_OpenShard, int, dict[str, Any]] | None:
        async with self._taking:
            await self._early_stop.admitted(lambda: self._tally.in_flight)
            if not self._ready and not self._stopped:
                await anext(self._blocks, None)
            if self._stopped or not self._ready:
                return None
            if len(self._ready) % _BREATH == 0:
                await asyncio.sleep(0)
            return self._ready.popleft()

    async def _read(self, shards: Sequence[Shard]) -> AsyncGenerator[None]:
        for shard in shards:
            await self._room.wait()
            if self._stopped:
                return
            opened = self._open_shard(shard)
            for start in range(shard.begin, shard.stop, _BLOCK):
                size = min(_BLOCK, shard.stop - start)
                records = await asyncio.to_thread(self._records, size, start)
                first = start - shard.begin
                self._ready.extend((opened, first + i, record) for i, record in enumerate(records))
                yield

    def _records(self, size: int, start: int) -> list[dict[str, Any]]:
        frame = self._sample(size, start)
        names = list(map(str, frame.columns))
        # The same as `to_dict("records")`, in less than half the time.
        return [
            dict(zip(names, row, strict=True))
            for row in zip(*(frame[name].tolist() for name in names), strict=True)
        ]

    def _open_shard(self, shard: Shard) -> _OpenShard:
        closing = self._closing.enter_context(ExitStack())
        narrator = closing.enter_context(self._open_narrator(shard))
        rows = shard.stop - shard.begin
        opened = _OpenShard(shard, narrator, closing, left=rows, results=[None] * rows)
        self._open[shard.index] = opened
        if len(self._open) >= _OPEN:
            self._room.clear()
        return opened

    async def _finish(self, opened: _OpenShard) -> None:
        if not opened.waiting and await self._settled(opened):
            async with self._delivering:
                await self._deliver_whole(opened, opened.shard, opened.results)
        else:
            del self._open[opened.shard.index]
        opened.closing.close()
        self._room.set()

    async def _settled(self, opened: _OpenShard) -> bool:
        """Compare a shard's rows; return False if one has to wait for the answer to a further attempt."""
        rows = [result for result in opened.results if result is not None]
        try:
            opened.results = list(await self.settle(opened.narrator, opened.shard, rows))
        except DeferredError:
            self._tally.waiting += 1
            return False
        except BudgetError as error:
            self._ended = error
            self.stop()
            return False
        for before, after in zip(rows, opened.results, strict=True):
            if after is not None and after is not before:
                self._tally.exchange(before, after)
        return True

    async def _deliver_whole(
        self, opened: _OpenShard, shard: Shard, results: Sequence[Narrated | None]
    ) -> None:
        """Deliver rows in a thread; a cancellation waits until they are written, so that none is written twice."""
        rows = [result for result in results if result is not None]
        delivery = asyncio.ensure_future(asyncio.to_thread(self._deliver, shard, rows))
        cancelled = False
        while not delivery.done():
            try:
                await asyncio.wait([delivery])
            except asyncio.CancelledError:
                cancelled = True
        delivery.result()
        del self._open[opened.shard.index]
        if cancelled:
            raise asyncio.CancelledError

    async def _deliver_first_rows(self) -> None:
        """Deliver the rows of each open shard before its first unfinished row, if `deliver_begun` is set."""
        for opened in list(self._open.values()) if self._deliver_begun else ():
            begun = takewhile(lambda result: result is not None, opened.results)
            results = [result for result in begun if result is not None]
            if results:
                shard = replace(opened.shard, stop=opened.shard.begin + len(results))
                results = list(await self.settle(opened.narrator, shard, results))
                await self._deliver_whole(opened, shard, results)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Run the garbage collector rarely, and exempt what is loaded by now: this saves a fifth of a run's CPU time.

    Rows hold no reference cycles. Failed requests do; they are collected some tens of thousands of objects later.
    """
    with _collecting:
        # With several runs at once, the first entry holds the thresholds of the process.
        _thresholds.append(gc.get_threshold())
        gc.freeze()
        gc.set_threshold(*_COLLECTIONS)
    try:
        yield
    finally:
        with _collecting:
            before = _thresholds[0]
            _thresholds.pop()
            if not _thresholds:
                gc.set_threshold(*before)
                gc.unfreeze()


_collecting = Lock()
_thresholds: list[tuple[int, int, int]] = []


def _first(failures: BaseExceptionGroup[Any]) -> BaseException:
    """Return the error that ended the session; it stopped the other workers, or they met the same error."""
    inner = failures.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
