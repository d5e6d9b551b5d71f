"""LocalExecutor: workers are processes on this machine.

They are started anew, not forked: a fork would copy locks that threads of this process hold. The fitted model is
mapped from the cache, so that its memory is shared.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from census_personas.generator.executor.channel import SocketChannel
from census_personas.generator.executor.dispatcher import Dispatcher
from census_personas.generator.executor.executor import Coordinator, Done, Job

_PROGRAM = "census_personas.generator.executor.local_worker"
# Numpy's pools would each take all cores; with a worker on each core they would only get in each other's way.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_END_S = 10.0  # seconds that a worker has to end by itself


class LocalExecutor:
    """A fixed number of worker processes, each of which is replaced when it dies."""

    def __init__(self, workers: int) -> None:
        """Nothing is started before `run`."""
        self._workers = workers

    async def run(self, job: Job, tasks: Iterator[Any], coordinator: Coordinator) -> AsyncGenerator[Done]:
        """Yield each task when it is done (see `Executor.run`)."""
        slots = [_Process() for _ in range(self._workers)]
        async with aclosing(Dispatcher(job, tasks, coordinator, slots).run()) as outcomes:
            async for done in outcomes:
                yield done


class _Process:
    """A `Slot` whose process is a child of this one."""

    _channel: SocketChannel | None = None

    async def start(self, job: Job, _: int) -> SocketChannel:
        """Start a process and give it the job."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - a program of this package; it is not waited for here
                [sys.executable, "-P", "-m", _PROGRAM, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**_ONE_THREAD, **os.environ},
            )
        self._channel = channel = await SocketChannel.open(ours)
        await channel.send((job, logging.getLogger().level))
        return channel

    def exit_code(self) -> str:
        """Return the process's exit code, or the signal that killed it."""
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    async def end(self) -> None:
        """Close the channel, which ends the process, and wait; kill it if it hangs."""
        if self._channel is None:  # it could not even be started
            return
        self._channel.close()
        try:
            await asyncio.to_thread(self._process.wait, _END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
