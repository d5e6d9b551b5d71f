"""A chat model behind an OpenAI-compatible endpoint: asks, waits, asks again, and says what it cost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from persona_engine.generator.config import LLMConfig
from persona_engine.generator.llm.chat import (
    ChatRequest,
    Completion,
    EndpointError,
    LLMError,
    RequestError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from persona_engine.generator.llm.dialect import Dialect
from persona_engine.generator.llm.probe import detect
from persona_engine.generator.llm.transport import Address, Transport

logger = logging.getLogger(__name__)
_LONGEST_WAIT_S = 60.0
_LONGEST_ASKED_WAIT_S = 600.0
# 429 says that the endpoint works: patience with it is a multiple of the patience with faults.
_PATIENCE_WITH_429 = 10
# An answer cut off at the token limit is asked for again with more room, twice.
_ROOM = (1, 2, 4)


@dataclass(slots=True)
class Usage:
    """What an endpoint was asked and what it took, counted as it happens."""

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class OpenAICompatible:
    """`ChatModel` over a transport. Safe for thousands of concurrent `complete` calls."""

    def __init__(self, config: LLMConfig, address: Address, transport: Transport) -> None:
        """No request is sent; the endpoint's capabilities are probed by the first `complete`."""
        if not config.model:
            raise EndpointError("llm.model is missing", hint="name the model that the endpoint serves")
        self._name = config.model
        self._config = config
        self._address = address
        self._transport = transport
        self._dialect: Dialect | None = None
        if config.structured_output != "auto":
            self._dialect = Dialect(form=config.structured_output)
        self._probing = asyncio.Lock()
        self.usage = Usage()

    @property
    def name(self) -> str:
        """The model's name as it is recorded in the dataset."""
        return self._name

    @property
    def capability(self) -> Mapping[str, Any]:
        """What the endpoint was seen to understand; empty before the first answer."""
        return {} if self._dialect is None else self._dialect.describe()

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer one request, or raise an `LLMError`.

        Transient faults are retried, and an answer that hit the token limit is asked for with more room.
        Tokens of all attempts are counted.
        """
        dialect = await self._known_dialect()
        spent_in = spent_out = 0
        for room in _ROOM:
            answer = await self._ask(request, dialect, request.max_tokens * room)
            spent_in += answer.prompt_tokens
            spent_out += answer.completion_tokens
            if answer.finish_reason != "length":
                break
            logger.debug("answer cut off at %d tokens", request.max_tokens * room)
        return replace(answer, prompt_tokens=spent_in, completion_tokens=spent_out)

    async def aclose(self) -> None:
        """Release connections."""
        await self._transport.aclose()

    async def _known_dialect(self) -> Dialect:
        if self._dialect is None:
            async with self._probing:
                if self._dialect is None:
                    limit = self._config.max_tokens
                    self._dialect = await detect(lambda r, d: self._ask(r, d, limit), limit)
        return self._dialect

    async def _ask(self, request: ChatRequest, dialect: Dialect, max_tokens: int) -> Completion:
        body = orjson.dumps(dialect.body(request, self._name, max_tokens))
        policy = AsyncRetrying(
            retry=retry_if_exception(_is_retryable), stop=self._enough, wait=_wait(request.seed), reraise=True
        )
        try:
            payload: Mapping[str, Any] = await policy(self._post, body)
        except UnreachableError as error:
            raise EndpointError(str(error), hint=f"is a server running at {self._address.shown}?") from error
        except EndpointError as error:
            raise await self._explained(error) from error
        return self._completion(payload)

    async def _post(self, body: bytes) -> Mapping[str, Any]:
        self.usage.requests += 1
        self.usage.in_flight += 1
        try:
            return await self._transport.post(body)
        except ThrottledError:
            self.usage.throttled += 1
            raise
        finally:
            self.usage.in_flight -= 1

    def _enough(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        patience = _PATIENCE_WITH_429 if isinstance(error, ThrottledError) else 1
        enough = state.attempt_number > self._config.max_retries * patience
        if not enough:
            self.usage.retries += 1
            logger.debug("attempt %d failed, retrying: %s", state.attempt_number, error)
        return enough

    async def _explained(self, error: EndpointError) -> EndpointError:
        if "answered 404" not in str(error):
            return error
        served = await self._transport.models()
        if not served or self._name in served:
            return error
        return EndpointError(
            f"{self._address.shown} does not serve the model {self._name!r}",
            hint=f"set llm.model to one that it serves: {', '.join(served[:10])}",
        )

    def _completion(self, payload: Mapping[str, Any]) -> Completion:
        choices = payload.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise RequestError(f"{self._address.shown} sent an answer without choices")
        message = choices[0].get("message") or {}
        # Reasoning models send their thoughts in a field of their own; the answer is in `content` alone.
        text = message.get("content") or ""
        reason = "refusal" if message.get("refusal") else str(choices[0].get("finish_reason") or "stop")
        used = payload.get("usage") or {}
        prompt, completion = int(used.get("prompt_tokens") or 0), int(used.get("completion_tokens") or 0)
        self.usage.prompt_tokens += prompt
        self.usage.completion_tokens += completion
        return Completion(str(text), self._name, reason, prompt, completion)


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, LLMError) and error.retryable


class _wait:  # noqa: N801 - tenacity's own wait policies are lower-case callables
    """Exponential back-off, spread between requests by their own seeds; what the endpoint asks for goes first."""

    def __init__(self, seed: int) -> None:
        self._spread = 0.5 + (seed * 0.6180339887498949) % 1.0

    def __call__(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        if asked is not None:
            return min(asked, _LONGEST_ASKED_WAIT_S) + 0.05 * self._spread
        backoff: float = 0.25 * 2 ** min(state.attempt_number - 1, 10) * self._spread
        return min(backoff, _LONGEST_WAIT_S)
