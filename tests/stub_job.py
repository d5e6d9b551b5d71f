"""A job of an executor for tests, which loads nothing: its tasks are words that say what the worker is to do.

`kill:MARKER` kills the worker once, and leaves the file MARKER; `kill:` does so whenever it is tried.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from census_personas.foundation.errors import DatasetError
from census_personas.generator.executor.executor import Done, Exchange, Executor


@dataclass(frozen=True)
class StubJob:
    at_once: int = 1
    opening: str = ""
    folder: Path | None = None

    def open(self, exchange: Exchange) -> StubWorker:
        do(self.opening)
        return StubWorker(exchange)


@dataclass
class StubWorker:
    exchange: Exchange

    async def work(self, task: Any) -> tuple[int, Any]:
        if task == "exchange":
            return os.getpid(), await self.exchange(os.getpid())
        if task == "slow":
            await asyncio.sleep(3600)
        do(task)
        return os.getpid(), task

    async def aclose(self) -> None:
        await self.exchange("last")


class Desk:
    """A coordinator that answers with the number of the worker, and remembers who was released."""

    def __init__(self) -> None:
        """Nobody has reported."""
        self.is_stopping = False
        self.released: list[int] = []
        self.reports: list[tuple[int, Any]] = []

    def exchange(self, worker: int, report: Any) -> int:
        self.reports.append((worker, report))
        return worker

    def release(self, worker: int) -> None:
        self.released.append(worker)


async def done_by(executor: Executor, *tasks: object, desk: Desk | None = None, **job: Any) -> list[Done]:
    """The outcomes of these tasks, done by a job with these fields."""
    async with aclosing(executor.run(StubJob(**job), iter(tasks), desk or Desk())) as outcomes:
        return [done async for done in outcomes]


def do(task: Any) -> None:
    said, _, value = str(task).partition(":")
    if said == "kill" and not (value and Path(value).exists()):
        if value:
            Path(value).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if said == "fail":
        raise DatasetError(
            f"{value}: is wrong",
        )
    if said == "warn":
        logging.getLogger("stub").warning("%s is odd", value)
