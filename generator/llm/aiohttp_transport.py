"""Aiohttp transport: plain aiohttp without the `openai` package, for thousands of requests at once.

It sends the same body as the reference transport and raises the same errors, at about a tenth of the CPU. Its headers
are the key and the configured ones, without those that only OpenAI reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.body import (
    ACCEPT_ENCODING,
    MOST_BYTES,
    MOST_ERROR_BYTES,
    BodyError,
    read_body,
)
from census_personas.generator.llm.chat import LLMError
from census_personas.generator.llm.proxy import proxy_for
from census_personas.generator.llm.tls import tls_context
from census_personas.generator.llm.transport import (
    KEEP_ALIVE_S,
    OK,
    Address,
    decoded,
    served_models,
    status_error,
)
from census_personas.generator.llm.transport_faults import FAULTS, Faults


class AiohttpTransport:
    """`Transport` over one aiohttp session."""

    def __init__(self, config: LLMConfig, address: Address) -> None:
        """Send nothing yet; the session opens with the first request, in the event loop that sends it.

        Raises:
            EndpointError: the proxy or a certificate cannot be used.
        """
        self._address = address
        self._faults = Faults(address, config)
        # `sock_connect`, as `connect` would also count the wait for a free connection, and connections are unlimited.
        # `total` bounds every read as well.
        self._timeout = aiohttp.ClientTimeout(total=config.timeout_s, sock_connect=config.connect_timeout_s)
        self._headers = {
            **address.headers(),
            "Content-Type": "application/json",
            "Accept-Encoding": ACCEPT_ENCODING,
        }
        self._proxy = proxy_for(address.url)
        self._tls = tls_context(config, address.url, self._proxy)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes) -> Mapping[str, Any]:
        """Return the answer of `/chat/completions`, or raise an `LLMError`."""
        return await self._exchange("POST", "/chat/completions", body)

    async def models(self) -> Mapping[str, int]:
        """Return the models that the endpoint serves and their context lengths (0: unknown); empty if it lists none."""
        try:
            return served_models(await self._exchange("GET", "/models", None))
        except LLMError:
            return {}

    async def aclose(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()

    async def _exchange(self, method: str, path: str, body: bytes | None) -> Mapping[str, Any]:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S, ssl=self._tls or True)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers=self._headers,
                timeout=self._timeout,
                proxy=self._proxy,
                auto_decompress=False,
            )
        url = self._address.url + path
        try:
            async with self._session.request(method, url, data=body, allow_redirects=False) as response:
                content = await _content(response)
        except FAULTS as error:
            # Not chained: messages of libraries quote URLs and headers, and an endpoint may quote the key.
            raise self._faults.of(error) from None
        if response.status != OK:
            raise status_error(self._address, response.status, _lower(response.headers), content)
        return decoded(self._address, content)


async def _content(response: aiohttp.ClientResponse) -> bytes:
    encoding = response.headers.get("Content-Encoding", "")
    if response.status != OK:
        try:
            return await read_body(response.content.iter_any(), encoding, MOST_ERROR_BYTES)
        except BodyError as error:
            return f"({error})".encode()
    if not encoding and 0 < (response.content_length or 0) <= MOST_BYTES:
        return await response.read()
    return await read_body(response.content.iter_any(), encoding, MOST_BYTES)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
