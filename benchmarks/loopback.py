"""Loopback: the test server in a process of its own, and the cost of requests to it in the process that sends them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER = Path(__file__).parents[1] / "tests" / "chat_server.py"


@contextmanager
def served(latency: float) -> Iterator[str]:
    """Base URL of a server that answers after `latency` seconds."""
    command = [sys.executable, str(SERVER), "0", "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own server
        line = server.stdout.readline() if server.stdout else ""
        try:
            yield f"http://127.0.0.1:{int(line.split()[-1])}/v1"
        finally:
            server.terminate()


@dataclass(frozen=True)
class Cost:
    """The cost of some requests: seconds, CPU seconds of this process, and the time of each answer."""

    seconds: float
    cpu: float
    answered: Sequence[float]

    @property
    def rate(self) -> float:
        """Requests a second once the limit on requests in flight has been found."""
        first, last = len(self.answered) // 3, len(self.answered) * 9 // 10
        return (last - first) / (self.answered[last] - self.answered[first])

    @property
    def cpu_us(self) -> float:
        """CPU of one request, in microseconds."""
        return self.cpu / len(self.answered) * 1e6


async def costing(work: Awaitable[object], answered: list[float]) -> Cost:
    """Cost of the work, which notes in `answered` when each request was."""
    started, cpu = time.perf_counter(), time.process_time()
    await work
    return Cost(time.perf_counter() - started, time.process_time() - cpu, answered)


async def all_of(items: Sequence[Any], at_once: int, do: Callable[[Any], Awaitable[object]]) -> Cost:
    """Cost of doing it for every item, so many at once."""
    left, answered = iter(items), list[float]()

    async def worker() -> None:
        for item in left:
            await do(item)
            answered.append(time.perf_counter())

    async def everything() -> None:
        await asyncio.gather(*(worker() for _ in range(at_once)))

    return await costing(everything(), answered)
