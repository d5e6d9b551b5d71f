"""Transport: one HTTP exchange with an OpenAI-compatible endpoint, and what its faults mean."""

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
# A server closes idle connections after 5 s or more (vLLM: 5 s). A client that keeps them longer sends requests
# into connections that are being closed; one that keeps them shorter loses none.
KEEP_ALIVE_S = 4.0
# Endpoints without a key accept any; the header must still hold something.
_NO_KEY = "none"
_RETRYABLE = frozenset({408, 409, 425})
OK = 200
LONGEST_ASKED_WAIT_S = 600.0
"""Seconds that an endpoint may ask to be left alone; it is asked again after them at the latest."""
_LONGEST_NAME = 100
# A URL in which no part can be a secret, whatever else is wrong with it.
_PUBLIC = re.compile(r"[a-z]{1,10}://[A-Za-z0-9.-]*(?::\d{1,6})?(?:/[A-Za-z0-9._-]{0,16}){0,4}")


class Transport(Protocol):
    """Sends one request body and returns the decoded answer. Knows nothing of retries."""

    async def post(self, body: bytes) -> Mapping[str, Any]:
        """Answer of `/chat/completions`, or an `LLMError`."""
        ...

    async def models(self) -> Mapping[str, int]:
        """Models that the endpoint serves, with context lengths in tokens (0: not said); empty where it is silent."""
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


class Address:
    """Where an endpoint is, the key to it and its headers. Key and values of headers show nowhere."""

    __slots__ = ("_headers", "_key", "header_names", "key_variable", "secrets", "shown", "url")

    def __init__(
        self,
        url: str,
        key_variable: str,
        source: str = "llm.base_url",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """The key is read from the environment variable of that name; `source` says in errors where the URL stands.

        Raises:
            AddressError: no URL that a request could go to, or one with a user name; a header whose variable is not
                set. Without what could be a secret.
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
        """One for each of `llm.endpoints`, or each URL of `llm.base_url`, else of OPENAI_BASE_URL; else OpenAI's own.

        Raises:
            AddressError: as for one; or none is named.
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
        """Scheme, host and path: never the key."""
        return f"Address({self.shown!r})"

    def key(self) -> str:
        """The key, for the Authorization header alone."""
        return self._key

    def headers(self) -> dict[str, str]:
        """Key and further headers, for requests alone; one that is named Authorization stands for the key.

        Where there are headers and no key, they are all: a gateway may take a made-up key for a wrong one.
        """
        usual = {"Authorization": f"Bearer {self._key}"}
        return (
            dict(self._headers) if self._headers and self._key == _NO_KEY else _overlaid(usual, self._headers)
        )

    def scrub(self, text: str) -> str:
        """The text without secrets, should an endpoint repeat them, printable and no longer than a line or two."""
        return self.secrets.scrub(text)


def _overlaid(headers: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Headers with others in place of those of the same name, whatever their capitals."""
    named = {name.lower() for name in others}
    return {name: value for name, value in headers.items() if name.lower() not in named} | dict(others)


def _url_fault(url: str) -> str:
    """Why no request can go to a URL; empty when one can. The URL itself is not quoted: parts of it may be secret."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        host.encode("idna")
        if host.replace(".", "").isdigit():
            IPv4Address(host)
        sound = parts.scheme in {"http", "https"} and host != "" and parts.port != 0
    except ValueError:
        return "no address that a request could go to"
    if not sound or not url.isprintable() or " " in url:
        return "no http address"
    if "@" in parts.netloc:
        return "user names and passwords in a URL are not used; the key stands in the variable of llm.api_key_env"
    return ""


def status_error(address: Address, status: int, headers: Mapping[str, str], body: bytes) -> LLMError:
    """The typed error for an answer that is not 200."""
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
    """What an error's body says: the text in the usual places of its JSON, else the body as it is."""
    payload = parse_body(body) or {}
    error = payload.get("error", payload)
    said = (error.get("message") or error.get("detail")) if isinstance(error, dict) else error
    if not isinstance(said, str):
        said = body.decode("utf-8", errors="replace")
    return " ".join(said.split()) or "(no message)"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asks to wait, from `retry-after-ms` or `Retry-After` (seconds or a date).

    A date is compared with the server's own `Date`, so that no local clock takes part. Nobody waits longer than
    `LONGEST_ASKED_WAIT_S`; what is no time is passed over.
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
    """The JSON object of a 200 answer; an `UnreadableError` when it was cut off or is something else."""
    payload = parse_body(body)
    if payload is None:
        said = f"{address.shown} sent {len(body)} bytes that are not one whole JSON object of sound depth"
        raise UnreadableError(said, size=len(body))
    return payload


# As vLLM and SGLang, OpenRouter, Groq, and LM Studio name it.
_CONTEXT = ("max_model_len", "context_length", "context_window", "max_context_length")


def served_models(payload: Mapping[str, Any]) -> dict[str, int]:
    """Names in the answer of `/models`, each cut to a line, with context lengths where they are told."""
    listed = payload.get("data")
    rows = [row for row in (listed if isinstance(listed, list) else []) if isinstance(row, dict)]
    return {name[:_LONGEST_NAME]: _context(row) for row in rows if isinstance(name := row.get("id"), str)}


def _context(row: Mapping[str, Any]) -> int:
    return next((size for name in _CONTEXT if type(size := row.get(name)) is int and size > 0), 0)
