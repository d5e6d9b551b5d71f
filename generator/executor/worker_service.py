"""WorkerService: the worker's side of the conversation with its coordinator, for any kind of process."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import pickle
import queue
import traceback
from collections import deque
from typing import Any

from census_personas.generator.executor.executor import Job, Worker, WorkerError
from census_personas.generator.executor.worker_link import Channel


class WorkerService:
    """Answers the coordinator's messages with one worker."""

    def __init__(self, channel: Channel) -> None:
        """Nothing is received before `run`."""
        self._channel = channel
        self._asked: deque[asyncio.Future[Any]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Receive the job and the level of logs, then serve until the channel fails.

        Raises:
            EOFError, OSError: the coordinator has closed the channel, or has died.
        """
        job, level = await self._channel.receive()
        _forward_logs(self._channel, level)
        opening = asyncio.create_task(self._open(job))
        while True:
            kind, *content = await self._channel.receive()
            if kind == "task":
                self._begin(self._work(await opening, *content))
            elif kind == "lease":
                self._asked.popleft().set_result(content[0])
            else:
                self._begin(self._end(await opening))

    async def _open(self, job: Job) -> Worker:
        try:
            worker = await asyncio.to_thread(job.open, self._exchange)
        except Exception as raised:
            await self._channel.send(("ready", _portable(raised)))
            raise
        await self._channel.send(("ready", None))
        return worker

    async def _work(self, worker: Worker, order: int, task: Any) -> None:
        value, error = None, None
        try:
            value = await worker.work(task)
        except Exception as raised:  # noqa: BLE001 - raised again by the coordinator
            error = _portable(raised)
        await self._channel.send(("done", order, value, error))

    async def _end(self, worker: Worker) -> None:
        await worker.aclose()
        await self._channel.send(("ended",))

    async def _exchange(self, report: Any) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        await self._channel.send(("exchange", report))
        return await asyncio.shield(answer)

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _portable(error: Exception) -> Exception:
    """Return the error with its traceback as a note, in a form that another process can unpickle."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what was written here
    except Exception:  # noqa: BLE001 - third-party classes may raise anything
        return WorkerError(f"{type(error).__name__}: {error}")
    return error


def _forward_logs(channel: Channel, level: int) -> None:
    """Send log records to the coordinator, so that one process writes to the terminal."""
    loop = asyncio.get_running_loop()

    class Outbox(queue.SimpleQueue[logging.LogRecord]):
        def put_nowait(self, item: logging.LogRecord) -> None:
            loop.call_soon_threadsafe(channel.post, ("log", item))

    root = logging.getLogger()
    root.addHandler(logging.handlers.QueueHandler(Outbox()))
    root.setLevel(level)
