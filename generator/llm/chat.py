"""ChatModel: the protocol that every narrator speaks, its request, its answer, its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.printable import printable


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One structured chat completion.

    `messages` are OpenAI chat messages, none for a model that does not need them. `schema` is the JSON schema of
    the object that is asked for, `schema_name` its name in `response_format`. `facts` are the values that the
    messages were rendered from: the narrator without a model writes from them, a served model never sees them.
    `options` are further keys of the body, sent as they are; where they have a `seed` of None, none is sent.
    """

    messages: tuple[Mapping[str, str], ...]
    schema_name: str
    schema: Mapping[str, Any]
    temperature: float
    top_p: float
    max_tokens: int
    seed: int
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished answer: its text as the model wrote it, and what it cost.

    `fault` says why an answer is unusable as a whole, and its text is empty then. `estimated`: the endpoint sent no
    usable counts of tokens, and at least one was counted from lengths. `cached_tokens`: how many of the prompt's the
    endpoint took from its prefix cache, where it says so. `reasoning_tokens`: how many of the completion's were
    thoughts, by the endpoint's count or by their length; the thoughts themselves are not kept.
    """

    text: str
    model: str
    finish_reason: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    fault: str = ""
    estimated: bool = False
    cached_tokens: int = 0
    reasoning_tokens: int = 0


class ChatModel(Protocol):
    """A narrator. Stateless towards its caller; safe for many concurrent `complete` calls."""

    @property
    def name(self) -> str:
        """The model's name as it is recorded in the dataset."""
        ...

    @property
    def needs_messages(self) -> bool:
        """Whether it reads `messages`; requests to one that reads `facts` alone may have none."""
        ...

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer one request, or raise an `LLMError`."""
        ...

    def account(self) -> Mapping[str, Any]:
        """What a run's manifest says of it: plain values; numbers count what this session asked for."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class LLMError(PersonasError):
    """A completion that did not come; its `hint` is for the user. The retry policy (`retry.py`) goes by its class.

    Endpoints have a part in messages and hints, so that both are made printable here, for terminals and logs alike.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        """`retry_after` is in seconds, as the endpoint asked for."""
        super().__init__(printable(message))
        self.hint = printable(hint)
        self.retry_after = retry_after


class TransientError(LLMError):
    """Timeouts, dropped connections, 429 and 5xx: the same request may succeed later, and is sent again."""


class UnreadableError(TransientError):
    """An answer that came and cannot be read: `size` bytes of it were paid for."""

    def __init__(self, message: str, *, size: int) -> None:
        """`size` in bytes, unpacked."""
        super().__init__(message)
        self.size = size


class EndpointError(LLMError):
    """The endpoint is not there, refuses the key or does not know the model: no request will succeed."""


class NotFoundError(EndpointError):
    """The endpoint has no such route, model, batch or file (404)."""


class AddressError(EndpointError):
    """A URL or a key that no request can be sent with: the configuration or the environment is wrong."""

    exit_code = 2


class ThrottledError(TransientError):
    """The endpoint asks for less (429): waiting helps, and says nothing about its health."""


class UnreachableError(TransientError):
    """Nobody answers at the address. A server that restarts comes back; one that was never there does not."""


class RequestError(LLMError):
    """The endpoint refuses this very request (a schema it cannot compile, a context too long)."""


class DeferredError(LLMError):
    """The answer is not there yet: the request waits in a batch file, and its row for what comes back."""
