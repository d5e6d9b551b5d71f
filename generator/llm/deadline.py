"""Deadline: a chat model that sends no new requests after a time, so that a session keeps all that it paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from census_personas.generator.llm.chat import ChatModel, ChatRequest, Completion, DeferredError


class Deadline:
    """`ChatModel` that defers requests after its time has passed; earlier requests are answered and kept."""

    def __init__(self, model: ChatModel) -> None:
        """Set no time yet; `running` does."""
        self._model = model
        self.passed = False

    @contextmanager
    def running(self, seconds: float | None, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop` after so many seconds; never if `seconds` is None."""
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
        """The model's name as recorded in the dataset."""
        return self._model.name

    @property
    def needs_messages(self) -> bool:
        """Whether it reads `messages`."""
        return self._model.needs_messages

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer one request.

        Raises:
            DeferredError: the time is over; the row continues when the run is resumed.
        """
        if self.passed:
            raise DeferredError("the deadline of this session has passed")
        return await self._model.complete(request)

    def account(self) -> Mapping[str, Any]:
        """Return the model's entry in a run's manifest."""
        return self._model.account()

    async def aclose(self) -> None:
        """Release connections."""
        await self._model.aclose()
