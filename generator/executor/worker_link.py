"""WorkerLink: the coordinator's side of the conversation with one worker process."""

from __future__ import annotations

import itertools
import logging
from typing import Any, Protocol

from census_personas.generator.executor.executor import Coordinator, Done


class Channel(Protocol):
    """Carries Python objects between a coordinator and one worker process, in order."""

    def post(self, message: Any) -> None:
        """Send a message without waiting until it has left."""
        ...

    async def send(self, message: Any) -> None:
        """Send a message.

        Raises:
            OSError: the other end has gone.
        """
        ...

    async def receive(self) -> Any:
        """Return the next message.

        Raises:
            EOFError, OSError: the other end has gone.
        """
        ...


class WorkerLink:
    """One worker process, with the tasks that it holds."""

    def __init__(self, place: int, number: int, coordinator: Coordinator, channel: Channel) -> None:
        """Take the worker's place, which messages show, and the process's number, which the coordinator uses."""
        self.hand: dict[int, Any] = {}
        self._place, self._number = place, number
        self._coordinator, self._channel = coordinator, channel
        self._orders = itertools.count()

    async def ready(self) -> None:
        """Return when the job is open; raise the error if it could not be opened."""
        (error,) = await self._message("ready")
        if error is not None:
            raise error

    async def give(self, task: Any) -> None:
        """Give a task to the worker."""
        order = next(self._orders)
        self.hand[order] = task
        await self._channel.send(("task", order, task))

    async def next_done(self) -> Done:
        """Return the next task that is done; the worker no longer holds it."""
        order, value, error = await self._message("done")
        return Done(self.hand.pop(order), value, error)

    async def dismiss(self) -> None:
        """Let the worker send its last report and end."""
        await self._channel.send(("close",))
        try:
            await self._message("ended")
        except (EOFError, OSError):
            return

    async def _message(self, kind: str) -> Any:
        """Return the next message of a kind; handle reports and log records that come before it."""
        while True:
            said, *content = await self._channel.receive()
            if said == kind:
                return content
            if said == "exchange":
                self._channel.post(("lease", self._coordinator.exchange(self._number, content[0])))
            elif said == "log":
                self._log(content[0])

    def _log(self, record: logging.LogRecord) -> None:
        record.msg = f"worker {self._place}: {record.msg}"
        target = logging.getLogger(record.name)
        if target.isEnabledFor(record.levelno):
            target.handle(record)
