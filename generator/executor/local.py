"""LocalExecutor: workers are processes on this machine.

They are started anew, not forked: a fork would copy locks that threads of this process hold. The fitted model is
mapped from the cache, so that its memory is shared.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import socket
import subprocess
import sys
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from census_personas.generator.executor.channel import Channel
from census_personas.generator.executor.executor import MOST_DEATHS, Coordinator, Done, Job, WorkerError

logger = logging.getLogger(__name__)
_PROGRAM = "census_personas.generator.executor.local_worker"
# Numpy's pools would each take all cores; with a worker on each core they would only get in each other's way.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_END_S = 10.0  # seconds that a worker has to end by itself
_GONE = (EOFError, ConnectionError, BrokenPipeError)


class LocalExecutor:
    """So many worker processes, each of which is replaced when it dies."""

    def __init__(self, workers: int) -> None:
        """Nothing is started before `run`."""
        self._workers = workers

    async def run(self, job: Job, tasks: Iterator[Any], coordinator: Coordinator) -> AsyncGenerator[Done]:
        """As `Executor.run` says."""
        crew = _Crew(job, tasks, coordinator)
        posts = [asyncio.create_task(crew.attend(place)) for place in range(1, self._workers + 1)]
        ended = asyncio.gather(*posts)
        try:
            while not (ended.done() and crew.done.empty()):
                taken = asyncio.ensure_future(crew.done.get())
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


class _Crew:
    """What the workers of one run have in common: tasks, and those that cost a worker."""

    def __init__(self, job: Job, tasks: Iterator[Any], coordinator: Coordinator) -> None:
        self.done: asyncio.Queue[Done] = asyncio.Queue()
        self._job, self._tasks, self._coordinator = job, tasks, coordinator
        self._again: deque[Any] = deque()
        self._deaths: Counter[Any] = Counter()
        self._early_deaths = 0
        self._numbers = itertools.count()

    async def attend(self, place: int) -> None:
        """Keep one worker at work, and start another when it dies, until there are no tasks left."""
        ahead = self._take(())
        while ahead is not None:
            worker = _Process(place, next(self._numbers), self._coordinator)
            try:
                await worker.start(self._job)
                await self._feed(worker, ahead)
            except _GONE:
                self._lost(worker, ahead)
            finally:
                await worker.end()
                self._coordinator.release(worker.number)
            ahead = self._take(())

    async def _feed(self, worker: _Process, ahead: Any) -> None:
        await worker.ready()
        self._early_deaths = 0
        await worker.give(ahead)
        while worker.hand:
            await self._fill(worker)
            self.done.put_nowait(await worker.next_done())
            await self._fill(worker)
        await worker.dismiss()

    async def _fill(self, worker: _Process) -> None:
        while len(worker.hand) < self._job.at_once:
            task = self._take(worker.hand.values())
            if task is None:
                return
            await worker.give(task)

    def _take(self, hand: Any) -> Any:
        """The next task for a worker with these in hand; one that cost a worker is worked on alone."""
        held = [*hand]
        if any(self._deaths[task] for task in held):
            return None
        if self._again and not self._coordinator.is_stopping:
            return None if held else self._again.popleft()
        return next(self._tasks, None)

    def _lost(self, worker: _Process, ahead: Any) -> None:
        """See to the tasks of a worker that died."""
        code = worker.exit_code()
        tasks = [*worker.hand.values()]
        if not tasks:
            logger.warning("worker %d ended while it was loading (%s)", worker.place, code)
            self._again.appendleft(ahead)
            self._early_deaths += 1
            if self._early_deaths >= MOST_DEATHS:
                raise WorkerError(
                    f"{self._early_deaths} workers ended while they were loading ({code})",
                )
            return
        logger.warning("worker %d ended (%s); its tasks are taken up by another", worker.place, code)
        for task in tasks:
            self._deaths[task] += 1
            if self._deaths[task] < MOST_DEATHS:
                self._again.append(task)
                continue
            self.done.put_nowait(
                Done(
                    task,
                    error=WorkerError(f"{task} ended {MOST_DEATHS} workers, the last with {code}; {_ADVICE}"),
                )
            )


_ADVICE = "see the system's log for a lack of memory, or run it alone with runtime.workers=1"


class _Process:
    """One worker process and the channel to it."""

    def __init__(self, place: int, number: int, coordinator: Coordinator) -> None:
        self.place, self.number = place, number
        self.hand: dict[int, Any] = {}
        self._coordinator = coordinator
        self._orders = itertools.count()

    async def start(self, job: Job) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own program; it is not waited for here
                [sys.executable, "-P", "-m", _PROGRAM, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**_ONE_THREAD, **os.environ},
            )
        self._channel = await Channel.open(ours)
        await self._channel.send((job, logging.getLogger().level))

    async def ready(self) -> None:
        """Return when the job is open; raises what opening it raised."""
        (error,) = await self._message("ready")
        if error is not None:
            raise error

    async def give(self, task: Any) -> None:
        order = next(self._orders)
        self.hand[order] = task
        await self._channel.send(("task", order, task))

    async def next_done(self) -> Done:
        order, value, error = await self._message("done")
        return Done(self.hand.pop(order), value, error)

    async def dismiss(self) -> None:
        """Let the worker report for the last time and end."""
        await self._channel.send(("close",))
        try:
            await self._message("ended")
        except _GONE:
            return

    async def _message(self, kind: str) -> Any:
        """The next message of a kind; what else comes is dealt with on the way."""
        while True:
            said, *content = await self._channel.receive()
            if said == kind:
                return content
            if said == "exchange":
                self._channel.post(("lease", self._coordinator.exchange(self.number, content[0])))
            elif said == "log":
                self._log(content[0])

    def _log(self, record: logging.LogRecord) -> None:
        record.msg = f"worker {self.place}: {record.msg}"
        target = logging.getLogger(record.name)
        if target.isEnabledFor(record.levelno):
            target.handle(record)

    def exit_code(self) -> str:
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    async def end(self) -> None:
        """Wait for its end, which a closed channel is a reason for; a worker that hangs is killed."""
        self._channel.close()
        try:
            await asyncio.to_thread(self._process.wait, _END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
