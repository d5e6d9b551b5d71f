"""Transport: one HTTP exchange with an OpenAI-compatible endpoint, and the typed errors of its faults."""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address
from types import MappingProxyType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.body import parse_body
from census_personas.generator.llm.chat import (
    AddressError,
    EndpointError,
    LLMError,
    NotFoundError,
    RequestError,
    ThrottledError,
    TransientError,
    UnreadableError,
)
from census_personas.generator.llm.credentials import fill_headers, read_key, secrets_of_endpoint
from census_personas.generator.llm.system_message import is_template_error

DEFAULT_BASE_URL = "https://api.openai.com/v1"
# Servers close idle connections after 5 s or more (vLLM: 5 s). A client that keeps them longer sends requests
# into closing connections; one that keeps them shorter loses none.
KEEP_ALIVE_S = 4.0
# Endpoints without a key accept any, but the header must not be empty.
_NO_KEY = "none"
_RETRYABLE = frozenset({408, 409, 425})
OK = 200
LONGEST_ASKED_WAIT_S = 600.0
"""Longest wait in seconds that an endpoint may ask for; the retry comes after it at the latest."""
_LONGEST_NAME = 100
# A URL without a part that could be a secret, even if it is invalid.
_PUBLIC = re.compile(r"[a-z]{1,10}://[A-Za-z0-9.-]*(?::\d{1,6})?(?:/[A-Za-z0-9._-]{0,16}){0,4}")


class Transport(Protocol):
    """Sends one request body and returns the decoded answer. It does not retry."""

    async def post(self, body: bytes) -> Mapping[str, Any]:
        """Return the answer of `/chat/completions`, or raise an `LLMError`."""
        ...

    async def models(self) -> Mapping[str, int]:
        """Return the models that the endpoint serves and their context lengths in tokens.

        A length is 0 if the endpoint does not say it; the mapping is empty if it lists no models.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


class Address:
    """An endpoint's URL, key and headers. Its key and header values are never shown."""

    __slots__ = ("_headers", "_key", "header_names", "key_variable", "secrets", "shown", "url")

    def __init__(
        self,
        url: str,
        key_variable: str,
        source: str = "llm.base_url",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Read the key from the environment variable; `source` says in errors where the URL comes from.

        Raises:
            AddressError: the URL is not one for requests or has a user name, or the variable of a header is not
                set. The message holds no secrets.
        """
        self.url = url.strip().rstrip("/")
        if fault := _url_fault(self.url):
            place = (
                self.url
                if _PUBLIC.fullmatch(self.url)
                else f"{source} (not shown, as it may hold a password)"
            )
            raise AddressError(f"{place}: {fault}", hint=f"write {source} as http://host:port/v1")
        self.key_variable = key_variable
        key = read_key(key_variable)
        self._key = key or _NO_KEY
        self._headers = fill_headers(headers)
        self.header_names = tuple(headers)
        self.secrets = secrets_of_endpoint(key, headers)
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port is not None else ""
        self.shown = self.secrets.hide(f"{parts.scheme}://{parts.hostname}{port}{parts.path}")
        """The URL without anything that could be a secret."""

    @classmethod
    def all_of(cls, config: LLMConfig) -> tuple[Self, ...]:
        """Return the addresses of `llm.endpoints`, else of `llm.base_url`, else of OPENAI_BASE_URL, else OpenAI's own.

        Raises:
            AddressError: as for a single address, or there is no URL.
        """
        if config.endpoints:
            return tuple(
                cls(
                    each.base_url,
                    each.api_key_env or config.api_key_env,
                    f"llm.endpoints.{number}.base_url",
                    _overlaid(config.headers, each.headers),
                )
                for number, each in enumerate(config.endpoints)
            )
        source = "llm.base_url" if config.base_url else "OPENAI_BASE_URL"
        if urls := config.base_url or os.environ.get("OPENAI_BASE_URL"):
            named = tuple(
                cls(url, config.api_key_env, source, config.headers) for url in urls.split(",") if url.strip()
            )
            if not named:
                raise AddressError(f"{source}: names no URL", hint=f"write {source} as http://host:port/v1")
            return named
        own = cls(DEFAULT_BASE_URL, config.api_key_env, headers=config.headers)
        own.shown += " (the default, as neither llm.base_url nor OPENAI_BASE_URL is set)"
        return (own,)

    def __repr__(self) -> str:
        """Return scheme, host and path, never the key."""
        return f"Address({self.shown!r})"

    def key(self) -> str:
        """Return the key, only for the Authorization header."""
        return self._key

    def headers(self) -> dict[str, str]:
        """Return the key and further headers, only for requests. A header named Authorization replaces the key.

        With headers and no key, no key is sent: a gateway may refuse a made-up key.
        """
        usual = {"Authorization": f"Bearer {self._key}"}
        return (
            dict(self._headers) if self._headers and self._key == _NO_KEY else _overlaid(usual, self._headers)
        )

    def scrub(self, text: str) -> str:
        """Return a text of the endpoint without secrets, printable, and no longer than a line or two."""
        return self.secrets.scrub(text)


def _overlaid(headers: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Return the headers, with `others` replacing those of the same name in any case."""
    named = {name.lower() for name in others}
    return {name: value for name, value in headers.items() if name.lower() not in named} | dict(others)


def _url_fault(url: str) -> str:
    """Return why no request can go to a URL; empty if one can. The URL is not quoted: parts of it may be secret."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        host.encode("idna")
        if host.replace(".", "").isdigit():
            IPv4Address(host)
        sound = parts.scheme in {"http", "https"} and host != "" and parts.port != 0
    except ValueError:
        return "not an address that a request could go to"
    if not sound or not url.isprintable() or " " in url:
        return "not an http address"
    if "@" in parts.netloc:
        return "a URL must not hold a user name or password; llm.api_key_env names the variable that holds the key"
    return ""


def status_error(address: Address, status: int, headers: Mapping[str, str], body: bytes) -> LLMError:
    """Return the typed error for an answer that is not 200."""
    said = address.scrub(_message(body))
    message = f"{address.shown} answered {status}: {said}"
    if status in (401, 403):
        return EndpointError(
            message, hint=f"set the environment variable {address.key_variable} to a key that it accepts"
        )
    if status == 404:
        return NotFoundError(message, hint="check llm.model and that llm.base_url ends in /v1")
    if status == 429:
        return ThrottledError(message, retry_after=retry_after(headers))
    if status in (301, 302, 303, 307, 308):
        return EndpointError(message, hint="the endpoint has moved; set llm.base_url to its new address")
    if (not 400 <= status < 500 and not is_template_error(said)) or status in _RETRYABLE:
        return TransientError(message, retry_after=retry_after(headers))
    return RequestError(message, hint="the endpoint refuses this request as it is")


def _message(body: bytes) -> str:
    """Return the message of an error's body: from the usual places of its JSON, else the whole body."""
    payload = parse_body(body) or {}
    error = payload.get("error", payload)
    said = (error.get("message") or error.get("detail")) if isinstance(error, dict) else error
    if not isinstance(said, str):
        said = body.decode("utf-8", errors="replace")
    return " ".join(said.split()) or "(no message)"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the requested wait in seconds, from `retry-after-ms` or `Retry-After` (seconds or a date).

    A date is compared with the server's own `Date`, so that the local clock does not matter. The wait is at most
    `LONGEST_ASKED_WAIT_S`; a value that is not a time is ignored.
    """
    with contextlib.suppress(ValueError):
        if math.isfinite(wait := float(headers.get("retry-after-ms", "nan")) / 1000):
            return min(max(0.0, wait), LONGEST_ASKED_WAIT_S)
    value = headers.get("retry-after", "").strip()
    with contextlib.suppress(ValueError, TypeError, ArithmeticError, LookupError):
        if value[:1].isdigit():
            return min(float(value), LONGEST_ASKED_WAIT_S)
        if value[:1].isalpha() and "date" in headers:
            until = parsedate_to_datetime(value) - parsedate_to_datetime(headers["date"])
            return min(max(0.0, until.total_seconds()), LONGEST_ASKED_WAIT_S)
    return None


def decoded(address: Address, body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a 200 answer; raise an `UnreadableError` if it is cut off or something else."""
    payload = parse_body(body)
    if payload is None:
        said = (
            f"{address.shown} sent {len(body)} bytes that are not one whole JSON object of acceptable depth"
        )
        raise UnreadableError(said, size=len(body))
    return payload


# The names in vLLM and SGLang, OpenRouter, Groq, and LM Studio.
_CONTEXT = ("max_model_len", "context_length", "context_window", "max_context_length")


def served_models(payload: Mapping[str, Any]) -> dict[str, int]:
    """Return the names in the answer of `/models`, each cut to one line, with context lengths (0: unknown)."""
    listed = payload.get("data")
    rows = [row for row in (listed if isinstance(listed, list) else []) if isinstance(row, dict)]
    return {name[:_LONGEST_NAME]: _context(row) for row in rows if isinstance(name := row.get("id"), str)}


def _context(row: Mapping[str, Any]) -> int:
    return next((size for name in _CONTEXT if type(size := row.get(name)) is int and size > 0), 0)
