"""Transport: one HTTP exchange with an OpenAI-compatible endpoint, and what its faults mean."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import orjson

from persona_engine.generator.config import LLMConfig
from persona_engine.generator.llm.chat import (
    EndpointError,
    LLMError,
    RequestError,
    ThrottledError,
    TransientError,
)
from persona_engine.generator.llm.roles import is_template_error

DEFAULT_BASE_URL = "https://api.openai.com/v1"
# A server closes idle connections after 5 s or more (vLLM: 5 s). A client that keeps them longer sends requests
# into connections that are being closed; one that keeps them shorter loses none.
KEEP_ALIVE_S = 4.0
# Endpoints without a key accept any; the header must still hold something.
_NO_KEY = "none"
_LONGEST_MESSAGE = 300
_RETRYABLE = frozenset({408, 409, 425})


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
    """Where an endpoint is and the key to it. The key is read from the environment and shows nowhere."""

    __slots__ = ("_key", "key_variable", "shown", "url")

    def __init__(self, url: str, key_variable: str) -> None:
        """The key is read from the environment variable of that name."""
        self.url = url.strip().rstrip("/")
        try:
            parts = urlsplit(self.url)
            host = parts.hostname or ""
            host.encode("idna")
            if host.replace(".", "").isdigit():
                IPv4Address(host)
            sound = parts.scheme in {"http", "https"} and host != "" and (parts.port or 1) > 0
            sound = sound and self.url.isprintable()
        except ValueError as error:
            raise EndpointError(
                f"{self.url}: {error}", hint="write llm.base_url as http://host:port/v1"
            ) from error
        if not sound:
            raise EndpointError(
                f"{self.url}: no http address", hint="write llm.base_url as http://host:port/v1"
            )
        port = f":{parts.port}" if parts.port else ""
        self.shown = f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
        """The URL without anything that could be a secret."""
        self.key_variable = key_variable
        self._key = os.environ.get(key_variable, "").strip() or _NO_KEY
        if not self._key.isascii() or not self._key.isprintable():
            raise EndpointError(
                f"{key_variable}: holds characters that no key has", hint="copy the key again"
            )

    @classmethod
    def all_of(cls, config: LLMConfig) -> tuple[Self, ...]:
        """One for each URL (commas between them) of the config, else of OPENAI_BASE_URL, else OpenAI's own."""
        if urls := config.base_url or os.environ.get("OPENAI_BASE_URL"):
            return tuple(cls(url, config.api_key_env) for url in urls.split(",") if url.strip())
        own = cls(DEFAULT_BASE_URL, config.api_key_env)
        own.shown += " (the default, as neither llm.base_url nor OPENAI_BASE_URL is set)"
        return (own,)

    def __repr__(self) -> str:
        """Scheme, host and path: never the key."""
        return f"Address({self.shown!r})"

    def key(self) -> str:
        """The key, for the Authorization header alone."""
        return self._key

    def scrub(self, text: str) -> str:
        """The text without the key, should an endpoint repeat it, and no longer than a line or two."""
        clean = text if self._key == _NO_KEY else text.replace(self._key, "[key]")
        return clean if len(clean) <= _LONGEST_MESSAGE else clean[:_LONGEST_MESSAGE] + "…"


def status_error(address: Address, status: int, headers: Mapping[str, str], body: bytes) -> LLMError:
    """The typed error for an answer that is not 200."""
    said = address.scrub(_message(body))
    message = f"{address.shown} answered {status}: {said}"
    if status in (401, 403):
        return EndpointError(
            message, hint=f"set the environment variable {address.key_variable} to a key that it accepts"
        )
    if status == 404:
        return EndpointError(message, hint="check llm.model and that llm.base_url ends in /v1")
    if status == 429:
        return ThrottledError(message, retry_after=retry_after(headers))
    if (status >= 500 and not is_template_error(said)) or status in _RETRYABLE:
        return TransientError(message, retry_after=retry_after(headers))
    if status in (301, 302, 307, 308):
        return EndpointError(message, hint="the endpoint has moved; set llm.base_url to its new address")
    return RequestError(message, hint="the endpoint refuses this request as it is")


def _message(body: bytes) -> str:
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:_LONGEST_MESSAGE].decode("utf-8", errors="replace").strip() or "(no message)"
    error = decoded.get("error", decoded) if isinstance(decoded, dict) else decoded
    said = (error.get("message") or error.get("detail") or error) if isinstance(error, dict) else error
    return " ".join(str(said).split())


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asks to wait, from `retry-after-ms` or `Retry-After` (seconds or a date).

    A date is compared with the server's own `Date`, so that no local clock takes part.
    """
    with contextlib.suppress(ValueError, TypeError):
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after", "")
        if value[:1].isdigit():
            return float(value)
        if value[:1].isalpha() and "date" in headers:
            wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers["date"])
            return max(0.0, wait.total_seconds())
    return None


def no_descriptor(address: Address, error: BaseException) -> TransientError | None:
    """The error for a connection that this machine, not the endpoint, refused: too many files are open."""
    if getattr(error, "errno", None) not in {errno.EMFILE, errno.ENFILE}:
        return None
    return TransientError(
        f"{address.shown}: no further connection, too many files are open on this machine",
        hint="raise its limit (ulimit -n) or lower llm.concurrency",
    )


def decoded(address: Address, body: bytes) -> Mapping[str, Any]:
    """The JSON object of a 200 answer; a `TransientError` when it was cut off or is something else."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise TransientError(f"{address.shown} sent {len(body)} bytes that are not whole JSON") from error
    if not isinstance(payload, dict):
        raise TransientError(f"{address.shown} sent JSON that is not an object")
    return payload


# As vLLM and SGLang, OpenRouter, Groq, and LM Studio name it.
_CONTEXT = ("max_model_len", "context_length", "context_window", "max_context_length")


def served_models(payload: Mapping[str, Any]) -> dict[str, int]:
    """Names in the answer of `/models`, with context lengths where they are told."""
    listed = payload.get("data")
    rows = listed if isinstance(listed, list) else []
    return {str(row["id"]): _context(row) for row in rows if isinstance(row, dict) and "id" in row}


def _context(row: Mapping[str, Any]) -> int:
    return next((size for name in _CONTEXT if isinstance(size := row.get(name), int) and size > 0), 0)
