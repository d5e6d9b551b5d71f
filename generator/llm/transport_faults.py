"""Faults: converts exceptions of HTTP libraries into this project's errors."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.body import BodyError
from census_personas.generator.llm.chat import TransientError, UnreachableError, UnreadableError
from census_personas.generator.llm.transport import Address

# On hostile bytes, parsers of HTTP, URLs and headers raise more than their packages document: aiohttp raises
# HttpProcessingError for invalid HTTP/1.1, ValueError for a reason that is not UTF-8, RuntimeError for a lost session.
FAULTS = (
    aiohttp.ClientError,
    HttpProcessingError,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class Faults:
    """Describes failed exchanges with an endpoint, without secrets."""

    address: Address
    config: LLMConfig

    def of(self, error: BaseException) -> TransientError:
        """Return the typed error for whatever a library raised."""
        shown = self.address.shown
        if any(getattr(cause, "errno", None) in {errno.EMFILE, errno.ENFILE} for cause in _causes(error)):
            full = f"{shown}: cannot open a connection, too many files are open on this machine"
            return TransientError(full, hint="raise its limit (ulimit -n) or lower llm.concurrency")
        if isinstance(error, BodyError):
            return UnreadableError(f"{shown} sent {error}", size=error.size)
        causes = list(_causes(error))
        if (said := self._unreachable(causes)) is not None:
            return UnreachableError(f"{shown}: {said}")
        bottom = causes[-1]
        timed_out = isinstance(bottom, TimeoutError) and not str(bottom)
        if timed_out or isinstance(bottom, asyncio.CancelledError):  # how `asyncio.timeout` ends an exchange
            return TransientError(f"{shown}: no answer within {self.config.timeout_s:g} s")
        return TransientError(f"{shown}: no answer ({self._quoted(bottom)})")

    def _unreachable(self, causes: list[BaseException]) -> str | None:
        """Return why no connection was made; None if one was."""
        kinds = tuple(map(type, causes))
        if any(issubclass(kind, aiohttp.ConnectionTimeoutError) for kind in kinds):
            return f"no connection within {self.config.connect_timeout_s:g} s"
        if any(issubclass(kind, aiohttp.ClientProxyConnectionError) for kind in kinds):
            return "the proxy in the environment cannot be reached"
        if any(issubclass(kind, ConnectionRefusedError | socket.gaierror) for kind in kinds):
            return "nobody listens there"
        if any(issubclass(kind, aiohttp.ClientConnectorError) for kind in kinds):
            secure = any(issubclass(kind, ssl.SSLError | ssl.CertificateError) for kind in kinds)
            return f"no {'TLS ' * secure}connection ({self._quoted(causes[-1])})"
        return None

    def _quoted(self, error: BaseException) -> str:
        said = str(error) or getattr(error, "strerror", None) or ""
        return self.address.scrub(f"{type(error).__name__}: {said}" if said else type(error).__name__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = (
            getattr(current, "os_error", None)
            or getattr(current, "certificate_error", None)
            or current.__cause__
            or (None if current.__suppress_context__ else current.__context__)
        )
