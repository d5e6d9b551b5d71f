"""Dispatcher: gives tasks to worker processes, and the tasks of a process that died to another one."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from typing import Any, Protocol

from census_personas.generator.executor.executor import MOST_DEATHS, Coordinator, Done, Job, WorkerError
from census_personas.generator.executor.worker_link import Channel, WorkerLink

logger = logging.getLogger(__name__)
GONE = (EOFError, ConnectionError, BrokenPipeError)
"""Exceptions that a channel raises when the process at its other end has ended."""
_ADVICE = "see the system's log for a lack of memory, or run it alone with runtime.workers=1"
_LOOK_S = 0.2  # seconds between two checks whether a slot that waits for a process still needs one


class Slot(Protocol):
    """Runs one worker process at a time, and another one when it dies."""

    async def start(self, job: Job, number: int) -> Channel:
        """Start a process and return a channel to it; wait while there is no room for one.

        Raises:
            EOFError, OSError: the process ended.
            PersonasError: no process can be run here.
        """
        ...

    def exit_code(self) -> str:
        """Return how the process ended, for messages."""
        ...

    async def end(self) -> None:
        """Release the process, which ends by itself after its last message; kill it if it hangs."""
        ...


class Dispatcher:
    """Distributes the tasks of one run over slots, each with one process."""

    def __init__(
        self, job: Job, tasks: Iterator[Any], coordinator: Coordinator, slots: Sequence[Slot]
    ) -> None:
        """Start nothing before `run`."""
        self._job, self._tasks, self._coordinator, self._slots = job, tasks, coordinator, slots
        self._done: asyncio.Queue[Done] = asyncio.Queue()
        self._ahead: deque[Any] = deque()
        self._again: deque[Any] = deque()
        self._deaths: Counter[Any] = Counter()
        self._early_deaths = 0
        self._numbers = itertools.count()
        self._links: set[WorkerLink] = set()

    async def run(self) -> AsyncGenerator[Done]:
        """Yield each task when it is done (see `Executor.run`)."""
        posts = [
            asyncio.create_task(self._attend(place, slot)) for place, slot in enumerate(self._slots, start=1)
        ]
        ended = asyncio.gather(*posts)
        try:
            while not (ended.done() and self._done.empty()):
                taken = asyncio.ensure_future(self._done.get())
                either: list[asyncio.Future[Any]] = [taken, ended]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if taken.done():
                    yield taken.result()
                    continue
                taken.cancel()
                ended.result()  # raises what ended a post
        finally:
            for post in posts:
                post.cancel()
            await asyncio.gather(*posts, ended, return_exceptions=True)

    async def _attend(self, place: int, slot: Slot) -> None:
        """Keep one process busy, and start another when it dies, until no tasks are left."""
        while self._has_tasks():
            number = next(self._numbers)
            link, ahead = None, None
            try:
                channel = await self._started(slot, number)
                if channel is None or (ahead := self._take(())) is None:
                    return
                link = WorkerLink(place, number, self._coordinator, channel)
                self._links.add(link)
                await self._feed(link, ahead)
            except GONE:
                self._lost(place, link, ahead, slot.exit_code())
            finally:
                self._links.discard(link)
                await slot.end()
                self._coordinator.release(number)

    async def _started(self, slot: Slot, number: int) -> Channel | None:
        """Return a channel to a new process; None if all tasks are done before there is room for it."""
        starting = asyncio.ensure_future(slot.start(self._job, number))
        try:
            while not self._is_over():
                await asyncio.wait([starting], timeout=_LOOK_S)
                if starting.done():
                    return starting.result()
        finally:
            starting.cancel()
            await asyncio.wait([starting])
        return None

    async def _feed(self, link: WorkerLink, ahead: Any) -> None:
        await link.ready()
        self._early_deaths = 0
        await link.give(ahead)
        while link.hand:
            await self._fill(link)
            self._done.put_nowait(await link.next_done())
            await self._fill(link)
        await link.dismiss()

    async def _fill(self, link: WorkerLink) -> None:
        while len(link.hand) < self._job.at_once:
            task = self._take(link.hand.values())
            if task is None:
                return
            await link.give(task)

    def _has_tasks(self) -> bool:
        if self._again and not self._coordinator.is_stopping:
            return True
        if not self._ahead:
            self._ahead.extend(itertools.islice(self._tasks, 1))
        return bool(self._ahead)

    def _is_over(self) -> bool:
        return not self._has_tasks() and not any(link.hand for link in self._links)

    def _take(self, hand: Iterable[Any]) -> Any:
        """Return the next task for a worker that holds these; a task on which a worker died runs alone."""
        held = [*hand]
        if any(self._deaths[task] for task in held):
            return None
        if self._again and not self._coordinator.is_stopping:
            return None if held else self._again.popleft()
        return self._ahead.popleft() if self._has_tasks() else None

    def _lost(self, place: int, link: WorkerLink | None, ahead: Any, code: str) -> None:
        """Queue the tasks of a process that died again, or report them as failed."""
        tasks = [] if link is None else [*link.hand.values()]
        if not tasks:
            logger.warning("worker %d ended while it was loading (%s)", place, code)
            if ahead is not None:
                self._ahead.appendleft(ahead)
            self._early_deaths += 1
            if self._early_deaths >= MOST_DEATHS:
                raise WorkerError(f"{self._early_deaths} workers ended while they were loading ({code})")
            return
        logger.warning("worker %d ended (%s); its tasks are taken up by another", place, code)
        for task in tasks:
            self._deaths[task] += 1
            if self._deaths[task] < MOST_DEATHS:
                self._again.append(task)
                continue
            error = WorkerError(f"{task} ended {MOST_DEATHS} workers, the last with {code}; {_ADVICE}")
            self._done.put_nowait(Done(task, error=error))
