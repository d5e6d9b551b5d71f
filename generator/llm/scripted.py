"""A chat model that gives prepared answers, for tests of the code that calls one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from census_personas.generator.llm.chat import ChatRequest, Completion, LLMError

Line = str | Completion | LLMError


class ScriptedModel:
    """`ChatModel` that answers from a list or by a function of the request; `.requests` are those it received."""

    def __init__(
        self, script: Iterable[Line] | Callable[[ChatRequest], Line], name: str = "scripted"
    ) -> None:
        """Answer from `script`; an exhausted list raises `StopIteration`, for the test to notice."""
        self._name = name
        self.needs_messages = True
        self._says: Callable[[ChatRequest], Line]
        if callable(script):
            self._says = script
        else:
            lines = iter(script)
            self._says = lambda _: next(lines)
        self.requests: list[ChatRequest] = []

    @property
    def name(self) -> str:
        """The model's name as recorded in the dataset."""
        return self._name

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the next line of the script."""
        self.requests.append(request)
        line = self._says(request)
        if isinstance(line, LLMError):
            raise line
        return Completion(line, self._name, "stop", 10, 20) if isinstance(line, str) else line

    def account(self) -> Mapping[str, Any]:
        """Return nothing: there is no endpoint."""
        return {}

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""
