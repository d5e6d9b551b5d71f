"""RayWorker: the worker process on a node of a Ray cluster.

Ray says where it runs and runs it anew when it dies. It carries messages: the coordinator puts its own and fetches
those of the worker, whose answers are those of a worker process on the coordinator's machine.
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

_SEEN_S = 10.0  # within which what the coordinator has written is visible on a shared disk


@dataclass(frozen=True, slots=True)
class Home:
    """What a worker has to have as its coordinator has it: release, working directory, and the run's folder.

    `token` is what the folder's lock file says, for it to be known as the very same folder.
    """

    release: str
    directory: str
    folder: str | None
    token: str

    def settle(self) -> str:
        """Move this process in; returns what is wrong, if anything."""
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
    """The worker's end of the channel to its coordinator, who comes for what it has to say."""

    def __init__(self) -> None:
        """Nothing has come."""
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._outbox: list[bytes] = []
        self._filled = asyncio.Event()
        self._service = asyncio.create_task(WorkerService(self).run())

    def put(self, message: bytes) -> None:
        """Take a message of the coordinator."""
        self._inbox.put_nowait(message)

    async def fetch(self) -> list[bytes]:
        """The messages for the coordinator, as soon as there is one."""
        await self._filled.wait()
        self._filled.clear()
        messages, self._outbox = self._outbox, []
        return messages

    def post(self, message: Any) -> None:
        """Have a message fetched."""
        self._outbox.append(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))
        self._filled.set()

    async def send(self, message: Any) -> None:
        """Have a message fetched."""
        self.post(message)

    async def receive(self) -> Any:
        """The coordinator's next message."""
        return pickle.loads(await self._inbox.get())  # noqa: S301 - of the same run


def worker_class() -> type[Any]:
    """The class of Ray's actor.

    Ray sends a class that is made in a function as it is, and not by its name. So a node that has another release of
    this package, or none, can still say so.
    """

    class RayWorker:
        """One process serves one number: a coordinator that took it for dead has given its work to others."""

        def __init__(self) -> None:
            self.number: int | None = None
            self.mailbox: Any = None

        async def begin(self, number: int, release: str, home: bytes) -> str:
            """Settle in; returns what is wrong with this node, if anything."""
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

            fault = await asyncio.to_thread(pickle.loads(home).settle)  # noqa: S301 - of the same run
            self.mailbox = Mailbox()
            return str(fault)

        async def put(self, number: int, message: bytes) -> None:
            """Take a message that is meant for this very process."""
            self.check(number)
            self.mailbox.put(message)

        async def fetch(self, number: int) -> Any:
            """Messages for the coordinator, as soon as there is one."""
            self.check(number)
            return await self.mailbox.fetch()

        def check(self, number: int) -> None:
            """Refuse what was meant for the process that this one follows."""
            if number != self.number:
                raise ConnectionError("the worker was started anew")

    return RayWorker
