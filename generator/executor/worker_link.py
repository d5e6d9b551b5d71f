"""WorkerLink: what a coordinator says to one of its worker processes, and hears from it."""

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
        """The next message.

        Raises:
            EOFError, OSError: the other end has gone.
        """
        ...


class WorkerLink:
    """One worker process, with the tasks that it has in hand."""

    def __init__(self, place: int, number: int, coordinator: Coordinator, channel: Channel) -> None:
        """`place` is what messages call it; under `number` the coordinator knows this one process."""
        self.hand: dict[int, Any] = {}
        self._place, self._number = place, number
        self._coordinator, self._channel = coordinator, channel
        self._orders = itertools.count()

    async def ready(self) -> None:
        """Return when the job is open; raises what opening it raised."""
        (error,) = await self._message("ready")
        if error is not None:
            raise error

    async def give(self, task: Any) -> None:
        """Put a task in the worker's hand."""
        order = next(self._orders)
        self.hand[order] = task
        await self._channel.send(("task", order, task))

    async def next_done(self) -> Done:
        """The next task that is done; it is in hand no longer."""
        order, value, error = await self._message("done")
        return Done(self.hand.pop(order), value, error)

    async def dismiss(self) -> None:
        """Let the worker report for the last time and end."""
        await self._channel.send(("close",))
        try:
            await self._message("ended")
        except (EOFError, OSError):
            return

    async def _message(self, kind: str) -> Any:
        """The next message of a kind; what else comes is dealt with on the way."""
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
