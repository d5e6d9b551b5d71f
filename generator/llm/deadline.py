"""Deadline: a chat model that asks nothing new after a while, so that a session ends with all that it paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from census_personas.generator.llm.chat import ChatModel, ChatRequest, Completion, DeferredError


class Deadline:
    """`ChatModel` that defers what is asked after its time; what was asked before is answered and kept."""

    def __init__(self, model: ChatModel) -> None:
        """No time is set before `running`."""
        self._model = model
        self.passed = False

    @contextmanager
    def running(self, seconds: float | None, stop: Callable[[], None]) -> Iterator[None]:
        """Count the seconds, then call `stop`; without any, never."""
        if seconds is None:
            yield
            return

        def end() -> None:
            self.passed = True
            stop()

        timer = asyncio.get_running_loop().call_later(seconds, end)
        try:
            yield
        finally:
            timer.cancel()

    @property
    def name(self) -> str:
        """The model's name as it is recorded in the dataset."""
        return self._model.name

    @property
    def needs_messages(self) -> bool:
        """Whether it reads `messages`."""
        return self._model.needs_messages

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer one request.

        Raises:
            DeferredError: the time is over; the row goes on when the run is resumed.
        """
        if self.passed:
            raise DeferredError("the deadline of this session has passed")
        return await self._model.complete(request)

    def account(self) -> Mapping[str, Any]:
        """What a run's manifest says of the model."""
        return self._model.account()

    async def aclose(self) -> None:
        """Release connections."""
        await self._model.aclose()
