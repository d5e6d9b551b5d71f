"""RayWorker: the worker process on a node of a Ray cluster.

Ray places the process and restarts it when it dies. The coordinator sends messages with `put` and collects the
worker's with `fetch`; the messages are those of a worker process on the coordinator's own machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from census_personas.foundation import threads
from census_personas.foundation.run_layout import RunLayout
from census_personas.generator.executor.worker_service import WorkerService

_SEEN_S = 10.0  # seconds within which a shared disk shows what the coordinator has written


@dataclass(frozen=True, slots=True)
class Home:
    """What a worker must share with its coordinator: release, working directory and the run's folder.

    `token` is the content of the folder's lock file, which shows that both see the same folder.
    """

    release: str
    directory: str
    folder: str | None
    token: str

    def settle(self) -> str:
        """Prepare this process; return what is wrong with the node, or an empty text."""
        with contextlib.suppress(OSError):
            os.chdir(self.directory)
        threads.use_cores(1)
        if self.folder is None:
            return ""
        lock = RunLayout(Path(self.folder)).lock
        end = time.monotonic() + _SEEN_S
        while not (lock.is_file() and lock.read_text() == self.token):
            if time.monotonic() > end:
                return f"does not see {self.folder} as the coordinator does"
            time.sleep(0.1)
        return ""


class Mailbox:
    """The worker's end of the channel to its coordinator, which fetches the worker's messages."""

    def __init__(self) -> None:
        """Start a `WorkerService` that waits for messages."""
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._outbox: list[bytes] = []
        self._filled = asyncio.Event()
        self._service = asyncio.create_task(WorkerService(self).run())

    def put(self, message: bytes) -> None:
        """Take a message from the coordinator."""
        self._inbox.put_nowait(message)

    async def fetch(self) -> list[bytes]:
        """Return the messages for the coordinator, as soon as there is one."""
        await self._filled.wait()
        self._filled.clear()
        messages, self._outbox = self._outbox, []
        return messages

    def post(self, message: Any) -> None:
        """Add a message for the coordinator to fetch."""
        self._outbox.append(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))
        self._filled.set()

    async def send(self, message: Any) -> None:
        """Add a message for the coordinator to fetch."""
        self.post(message)

    async def receive(self) -> Any:
        """Return the coordinator's next message."""
        return pickle.loads(await self._inbox.get())  # noqa: S301 - from the same run


def worker_class() -> type[Any]:
    """Return the class of Ray's actor.

    Ray sends a class that is defined in a function by value, not by name. A node with another release of this package,
    or without it, can therefore still report the problem.
    """

    class RayWorker:
        """A process serves one number only: the coordinator gives the work of a dead process to others."""

        def __init__(self) -> None:
            self.number: int | None = None
            self.mailbox: Any = None

        async def begin(self, number: int, release: str, home: bytes) -> str:
            """Prepare this process; return what is wrong with this node, or an empty text."""
            import asyncio  # noqa: PLC0415 - this class travels without its module
            import os  # noqa: PLC0415
            import pickle  # noqa: PLC0415
            from importlib import metadata  # noqa: PLC0415

            if self.number is not None:
                os._exit(1)
            self.number = number
            try:
                here = metadata.version("census-personas")
            except metadata.PackageNotFoundError:
                return f"has no census-personas; install {release} in its environment"
            if here != release:
                return f"has census-personas {here}, and the coordinator has {release}; install the same"
            from census_personas.generator.executor.ray_worker import Mailbox  # noqa: PLC0415

            fault = await asyncio.to_thread(pickle.loads(home).settle)  # noqa: S301 - from the same run
            self.mailbox = Mailbox()
            return str(fault)

        async def put(self, number: int, message: bytes) -> None:
            """Take a message for this process."""
            self.check(number)
            self.mailbox.put(message)

        async def fetch(self, number: int) -> Any:
            """Return the messages for the coordinator, as soon as there is one."""
            self.check(number)
            return await self.mailbox.fetch()

        def check(self, number: int) -> None:
            """Refuse a message for the process that this one replaces."""
            if number != self.number:
                raise ConnectionError("the worker was restarted")

    return RayWorker
