"""The reference transport: the `openai` package over aiohttp."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from typing import Any, cast

import httpx2
import openai

from persona_engine.generator.config import LLMConfig
from persona_engine.generator.llm.chat import LLMError, TransientError, UnreachableError
from persona_engine.generator.llm.transport import (
    KEEP_ALIVE_S,
    Address,
    decoded,
    no_descriptor,
    served_models,
    status_error,
)

# aiohttp reads "no limit" as 100 through this adapter, so a number must be given; concurrency is bounded elsewhere.
_MANY = 65_536
# aiohttp's word for it. The adapter's own, ConnectTimeout, stands for dropped connections too.
_NOT_CONNECTED = "ConnectionTimeoutError"


class OpenAISDK:
    """`Transport` over `AsyncOpenAI`.

    The body goes as bytes through the SDK's own `post`, so that its authentication, headers and errors apply
    while its transformation of nested schemas (a third of a millisecond a request) does not.
    """

    def __init__(self, config: LLMConfig, address: Address) -> None:
        """No request is sent; connections open with the first one."""
        self._address = address
        self._timeout_s = config.timeout_s
        self._connect_timeout_s = config.connect_timeout_s
        timeout = httpx2.Timeout(config.timeout_s, connect=config.connect_timeout_s, pool=None)
        limits = httpx2.Limits(
            max_connections=_MANY, max_keepalive_connections=_MANY, keepalive_expiry=KEEP_ALIVE_S
        )
        http = openai.DefaultAioHttpClient(timeout=timeout, limits=limits, follow_redirects=False)
        self._client = openai.AsyncOpenAI(
            api_key=address.key(), base_url=address.url, http_client=http, timeout=timeout, max_retries=0
        )

    async def post(self, body: bytes) -> Mapping[str, Any]:
        """Answer of `/chat/completions`, or an `LLMError`."""
        options = cast("Any", {"headers": {"Content-Type": "application/json"}})
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.post(
                    "/chat/completions", cast_to=httpx2.Response, content=body, options=options
                )
        except openai.APIStatusError as error:
            # Not chained: the SDK's message quotes the endpoint, and an endpoint may quote the key.
            raise status_error(
                self._address, error.status_code, error.response.headers, error.response.content
            ) from None
        except (openai.APIConnectionError, httpx2.TransportError, TimeoutError, OSError) as error:
            raise self._unanswered(error) from error
        return decoded(self._address, response.content)

    async def models(self) -> Mapping[str, int]:
        """Models that the endpoint serves, and their context lengths (0: not said); empty where it is silent."""
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.get("/models", cast_to=httpx2.Response)
            return served_models(decoded(self._address, response.content))
        except (openai.APIError, httpx2.TransportError, TimeoutError, OSError, LLMError):
            return {}

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.close()

    def _unanswered(self, error: BaseException) -> LLMError:
        # The adapter reports a refused connection as a timeout; only the causes beneath tell them apart.
        causes = list(_causes(error))
        if fault := next(filter(None, (no_descriptor(self._address, cause) for cause in causes)), None):
            return fault
        if any(isinstance(cause, ConnectionRefusedError) or _unresolved(cause) for cause in causes):
            return UnreachableError(f"{self._address.shown}: nobody listens there")
        if any(type(cause).__name__ == _NOT_CONNECTED for cause in causes):
            return UnreachableError(
                f"{self._address.shown}: no connection within {self._connect_timeout_s:g} s"
            )
        bottom = causes[-1]
        if isinstance(bottom, asyncio.CancelledError):  # how `asyncio.timeout` ends what took too long
            return TransientError(f"{self._address.shown}: no answer within {self._timeout_s:g} s")
        said = self._address.scrub(str(bottom)) or type(bottom).__name__
        return TransientError(f"{self._address.shown}: no answer ({type(bottom).__name__}: {said})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = getattr(current, "os_error", None) or current.__cause__ or current.__context__


def _unresolved(error: BaseException) -> bool:
    return isinstance(error, socket.gaierror)
