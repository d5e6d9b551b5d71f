"""The lean transport: aiohttp and nothing above it, for thousands of requests in flight.

It sends the same bytes as the reference transport and raises the same errors, at about a tenth of the CPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

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


class Lean:
    """`Transport` over one aiohttp session."""

    def __init__(self, config: LLMConfig, address: Address) -> None:
        """No request is sent; the session opens with the first one, in the event loop that sends it."""
        self._address = address
        # `connect` would count the wait for a free connection too; there is no limit on connections to wait for.
        # The time for the whole answer bounds every read of it as well.
        self._timeout = aiohttp.ClientTimeout(total=config.timeout_s, sock_connect=config.connect_timeout_s)
        self._headers = {"Authorization": f"Bearer {address.key()}", "Content-Type": "application/json"}
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes) -> Mapping[str, Any]:
        """Answer of `/chat/completions`, or an `LLMError`."""
        return await self._exchange("POST", "/chat/completions", body)

    async def models(self) -> Mapping[str, int]:
        """Models that the endpoint serves, and their context lengths (0: not said); empty where it is silent."""
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
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers=self._headers,
                timeout=self._timeout,
                proxy=_proxy(self._address.url),
            )
        url = self._address.url + path
        try:
            async with self._session.request(method, url, data=body, allow_redirects=False) as response:
                content = await response.read()
        except aiohttp.ClientConnectorError as error:
            if fault := no_descriptor(self._address, error):
                raise fault from error
            raise UnreachableError(f"{self._address.shown}: nobody listens there") from error
        except aiohttp.ConnectionTimeoutError as error:
            waited = self._timeout.sock_connect
            raise UnreachableError(f"{self._address.shown}: no connection within {waited:g} s") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise no_descriptor(self._address, error) or self._unanswered(error) from error
        if response.status != 200:
            raise status_error(self._address, response.status, _lower(response.headers), content)
        return decoded(self._address, content)

    def _unanswered(self, error: BaseException) -> TransientError:
        if isinstance(error, TimeoutError) and not str(error):
            return TransientError(f"{self._address.shown}: no answer within {self._timeout.total:g} s")
        said = self._address.scrub(str(error)) or type(error).__name__
        return TransientError(f"{self._address.shown}: no answer ({type(error).__name__}: {said})")


def _proxy(url: str) -> str | None:
    """The environment's proxy for a URL. aiohttp would look it up for every request, in a thread."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
