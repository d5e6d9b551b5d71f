"""ChatModel: the protocol of every narrator, with its request, answer and errors."""

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
    the requested object, `schema_name` its name in `response_format`. `facts` are the values from which the
    messages were rendered: the offline narrator writes from them, a served model never sees them.
    `options` are further keys of the body, sent unchanged; a `seed` of None there means that no seed is sent.
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

    `fault` says why the whole answer is unusable; its text is empty then. `estimated`: the endpoint sent no usable
    token counts, so at least one was estimated from a length. `cached_tokens`: tokens of the prompt that the endpoint
    took from its prefix cache, if it says so. `reasoning_tokens`: tokens of the completion that were thoughts, by the
    endpoint's count or estimated from their length; the thoughts themselves are not kept.
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
    """A narrator. It keeps no state between calls and is safe for many concurrent `complete` calls."""

    @property
    def name(self) -> str:
        """The model's name as recorded in the dataset."""
        ...

    @property
    def needs_messages(self) -> bool:
        """Whether it reads `messages`; requests to one that reads `facts` alone may have none."""
        ...

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer one request, or raise an `LLMError`."""
        ...

    def account(self) -> Mapping[str, Any]:
        """Return its entry in a run's manifest: plain values; numbers count the requests of this session."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class LLMError(PersonasError):
    """A completion failed; `hint` is for the user. The retry policy (`retry.py`) decides by the class.

    Messages and hints may quote an endpoint, so both are made printable here, for terminals and logs.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        """`retry_after` is the wait in seconds that the endpoint asked for."""
        super().__init__(printable(message))
        self.hint = printable(hint)
        self.retry_after = retry_after


class TransientError(LLMError):
    """Timeouts, dropped connections, 429 and 5xx: the same request may succeed later, so it is retried."""


class UnreadableError(TransientError):
    """An answer arrived but cannot be read; its `size` bytes were paid for."""

    def __init__(self, message: str, *, size: int) -> None:
        """`size` in bytes, unpacked."""
        super().__init__(message)
        self.size = size


class EndpointError(LLMError):
    """The endpoint is missing, refuses the key or does not know the model: no request will succeed."""


class NotFoundError(EndpointError):
    """The endpoint has no such route, model, batch or file (404)."""


class AddressError(EndpointError):
    """No request can be sent with a URL or key: the configuration or the environment is wrong."""

    exit_code = 2


class ThrottledError(TransientError):
    """The endpoint asks for fewer requests (429): waiting helps, and the endpoint is healthy."""


class UnreachableError(TransientError):
    """Nothing answers at the address. A restarting server comes back; one that was never there does not."""


class RequestError(LLMError):
    """The endpoint refuses this request (a schema it cannot compile, a context too long)."""


class DeferredError(LLMError):
    """The answer is not there yet: the request is in a batch file, and its row waits for the results."""
