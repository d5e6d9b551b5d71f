"""A job of an executor for tests, which loads nothing: its tasks are words that say what the worker is to do.

`kill:MARKER` kills the worker once, and leaves the file MARKER; `kill:` does so whenever it is tried.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from census_personas.foundation.errors import DatasetError
from census_personas.generator.executor.executor import Exchange


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
