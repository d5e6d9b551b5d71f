"""The reference transport: the `openai` package over aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import httpx2
import openai

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.body import (
    ACCEPT_ENCODING,
    MOST_BYTES,
    MOST_ERROR_BYTES,
    BodyError,
    read_body,
)
from census_personas.generator.llm.chat import EndpointError, LLMError
from census_personas.generator.llm.proxy import FAULT, HINT, proxy_for
from census_personas.generator.llm.tls import NO_TLS, tls_context
from census_personas.generator.llm.transport import (
    KEEP_ALIVE_S,
    OK,
    Address,
    decoded,
    served_models,
    status_error,
)
from census_personas.generator.llm.transport_faults import FAULTS, Faults

# The adapter turns "no limit" into aiohttp's 100, so a number must be given; concurrency is bounded elsewhere.
_MANY = 65_536
# The adapter does not translate every exception, such as aiohttp's for an invalid HTTP response.
SDK_FAULTS = (*FAULTS, httpx2.HTTPError, httpx2.InvalidURL, openai.OpenAIError)
"""What the SDK raises, beside the `LLMError` of an answer that is not 200."""


def open_client(config: LLMConfig, address: Address) -> openai.AsyncOpenAI:
    """Return the SDK's client for an endpoint. It sends nothing; connections open with the first request.

    Raises:
        EndpointError: the proxy or a certificate cannot be used.
    """
    timeout = httpx2.Timeout(config.timeout_s, connect=config.connect_timeout_s, pool=None)
    limits = httpx2.Limits(
        max_connections=_MANY, max_keepalive_connections=_MANY, keepalive_expiry=KEEP_ALIVE_S
    )
    proxy = proxy_for(address.url)
    try:
        http = _Bounded(
            address,
            timeout=timeout,
            limits=limits,
            follow_redirects=False,
            headers={"Accept-Encoding": ACCEPT_ENCODING},
            proxy=_whole(proxy),
            verify=tls_context(config, address.url, proxy) or NO_TLS,
            # The client would read the environment by its own rules.
            trust_env=False,
        )
    except (ValueError, httpx2.InvalidURL):
        raise EndpointError(FAULT, hint=HINT) from None
    return openai.AsyncOpenAI(
        api_key=address.key(), base_url=address.url, http_client=http, timeout=timeout, max_retries=0
    )


class OpenAISDK:
    """`Transport` over `AsyncOpenAI`.

    The body goes as bytes through the SDK's own `post`: its authentication and headers apply, its transformation
    of nested schemas (a third of a millisecond per request) does not.
    """

    def __init__(self, config: LLMConfig, address: Address) -> None:
        """Send nothing yet; connections open with the first request.

        Raises:
            EndpointError: the proxy or a certificate cannot be used.
        """
        self._address = address
        self._faults = Faults(address, config)
        self._timeout_s = config.timeout_s
        self._client = open_client(config, address)

    async def post(self, body: bytes) -> Mapping[str, Any]:
        """Return the answer of `/chat/completions`, or raise an `LLMError`."""
        options = cast("Any", {"headers": {"Content-Type": "application/json"}})
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.post(
                    "/chat/completions", cast_to=httpx2.Response, content=body, options=options
                )
        except SDK_FAULTS as error:
            # Not chained: messages of libraries quote URLs and headers, and an endpoint may quote the key.
            raise self._faults.of(error) from None
        return decoded(self._address, response.content)

    async def models(self) -> Mapping[str, int]:
        """Return the models that the endpoint serves and their context lengths (0: unknown); empty if it lists none."""
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.get("/models", cast_to=httpx2.Response)
            return served_models(decoded(self._address, response.content))
        except (*SDK_FAULTS, LLMError):
            return {}

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.close()


def _whole(url: str | None) -> httpx2.Proxy | None:
    """Return the proxy with user and password left in its URL, where aiohttp reads them.

    The adapter would pass them in a way that aiohttp 3.14 deprecates and 4 will not support.
    """
    if url is None:
        return None
    proxy = httpx2.Proxy(url)
    if proxy.auth:
        proxy.auth, proxy.url = None, httpx2.URL(url)
    return proxy


class _Bounded(openai.DefaultAioHttpClient):
    """The SDK's HTTP client with bounds on what it reads; an answer that is not 200 raises its `LLMError`.

    An answer that was requested as a stream, such as a file, is returned unread.
    """

    def __init__(self, address: Address, **options: Any) -> None:
        super().__init__(**options)
        self._address = address

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        # Set here, as the SDK logs the headers that it knows.
        request.headers.pop("Authorization", None)
        request.headers.update(self._address.headers())
        response = await super().send(request, **{**options, "stream": True})
        is_answer = response.status_code == OK
        if is_answer and options.get("stream"):
            return response
        encoding = response.headers.get("content-encoding", "")
        try:
            most = MOST_BYTES if is_answer else MOST_ERROR_BYTES
            content = await read_body(response.aiter_raw(), encoding, most)
        except BodyError as error:
            if is_answer:
                raise
            content = f"({error})".encode()
        finally:
            await response.aclose()
        if not is_answer:
            raise status_error(self._address, response.status_code, response.headers, content)
        return httpx2.Response(OK, content=content, request=request)
