"""BatchClient: uploads, batches and downloads at one OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import orjson

from census_personas.foundation.atomic_file import whole_file
from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.batch import LONGEST_LINE, URL, identify
from census_personas.generator.llm.chat import (
    EndpointError,
    LLMError,
    NotFoundError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from census_personas.generator.llm.circuit_breaker import CircuitBreaker
from census_personas.generator.llm.openai_sdk import SDK_FAULTS, open_client
from census_personas.generator.llm.retry import retry_policy
from census_personas.generator.llm.transport import Address
from census_personas.generator.llm.transport_faults import Faults

log = logging.getLogger(__name__)
DIGEST_KEY = "personas_sha256"
"""Key in a batch's metadata that holds the SHA-256 of its input file."""
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
"""Final states of a batch (OpenAI's API reference, the batch object)."""
_KNOWN = ENDED | {"validating", "in_progress", "finalizing", "cancelling"}
_PAGE = 100
_LONGEST_ID = 200
_MOST_FAULTS = 3
_NAME = re.compile(r"personas-[0-9a-f]{64}\.jsonl", re.ASCII)
Result = TypeVar("Result")


def file_name(sha256: str) -> str:
    """Return the name of a request file at the endpoint, by which it is recognized there."""
    return f"personas-{sha256}.jsonl"


class BatchError(EndpointError):
    """The endpoint cannot take a batch, or no longer has it; the hint names the remedy."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as its endpoint describes it. Texts are printable; counts that the endpoint omits are 0.

    Attributes:
        sha256: digest of its input file, from its metadata; empty for a batch of another program.
        output_file: id of the file of answers; empty if there is none (yet).
        error_file: id of the file of requests that failed or expired.
        faults: errors of the endpoint's validation, for a batch that was not begun.
    """

    id: str
    status: str
    sha256: str = ""
    output_file: str = ""
    error_file: str = ""
    total: int = 0
    completed: int = 0
    failed: int = 0
    faults: tuple[str, ...] = ()


class BatchClient:
    """Uploads files of requests, creates batches from them and downloads the results.

    Reads are retried by the retry policy. Writes, which cost money, are not: before a batch is created, the caller
    looks up whether an earlier attempt created it.
    """

    def __init__(self, config: LLMConfig) -> None:
        """Send nothing yet.

        Raises:
            EndpointError: the config names no address, or more than one.
        """
        addresses = Address.all_of(config)
        if len(addresses) > 1:
            raise BatchError(
                f"llm.base_url names {len(addresses)} endpoints", hint="name the one that takes the batches"
            )
        self.address = addresses[0]
        self._config = config
        self._faults = Faults(self.address, config)
        self._circuit = CircuitBreaker(self.address.shown, config.patience_s)
        self._client = open_client(config, self.address)
        self._has_answered = False

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close connections."""
        await self._client.close()

    async def batches(self) -> list[Batch]:
        """Return all batches that the endpoint lists for this key, newest first.

        Raises:
            BatchError: the endpoint does not offer batches.
            LLMError: the endpoint cannot be reached, or refuses the key.
        """

        async def read() -> list[Batch]:
            pages = self._client.batches.list(limit=_PAGE)
            return [self._batch(item) async for item in _each_once(pages)]

        return await self._asked_again(read)

    async def uploaded(self) -> Mapping[str, str]:
        """Map the names of files that this class uploaded, and that still exist, to their ids."""

        async def read() -> Mapping[str, str]:
            pages = self._client.files.list(purpose="batch", limit=_PAGE)
            named = [
                (name, self._text(item.id))
                async for item in _each_once(pages)
                if isinstance(name := getattr(item, "filename", None), str)
            ]
            return {name: file_id for name, file_id in named if _NAME.fullmatch(name)}

        return await self._asked_again(read)

    async def upload(self, path: Path, sha256: str) -> str:
        """Upload a file of requests under a name with its digest, and return its id."""

        async def write() -> str:
            with path.open("rb") as file:
                made = await self._client.files.create(
                    file=(file_name(sha256), file, "application/jsonl"), purpose="batch"
                )
            return self._required(made, "file")

        return await self._never_twice(write)

    async def create(self, file_id: str, metadata: dict[str, str]) -> Batch:
        """Create a batch from an uploaded file, to be answered within 24 hours. This starts to cost money."""

        async def write() -> Batch:
            made = await self._client.batches.create(
                completion_window="24h", endpoint=URL, input_file_id=file_id, metadata=metadata
            )
            self._required(made, "batch")
            return self._batch(made)

        return await self._never_twice(write)

    async def batch(self, batch_id: str) -> Batch:
        """Return the current state of a batch.

        Raises:
            NotFoundError: the endpoint does not know it.
        """

        async def read() -> Batch:
            return self._batch(await self._client.batches.retrieve(batch_id))

        return await self._asked_again(read, listed=False)

    async def download(self, file_id: str, path: Path) -> None:
        """Download a file of results; `path` appears when it is complete. Other lines are left out, and logged.

        A line that holds a key is replaced by one that says so.

        Raises:
            NotFoundError: the endpoint no longer has it.
        """

        async def read() -> None:
            with whole_file(path) as partial, partial.open("wb") as file:
                async for line in self._lines(file_id):
                    if line.strip():
                        file.write(self._result(line))

        await self._asked_again(read, listed=False)

    async def _lines(self, file_id: str) -> AsyncIterator[bytes]:
        """Yield the lines of a file, each with its line break; a line that is too long is cut."""
        rest, skipped = b"", False
        async with self._client.files.with_streaming_response.content(file_id) as response:
            async for chunk in response.iter_bytes(1 << 20):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    if not skipped:
                        yield line + b"\n"
                    skipped = False
                if len(rest) > LONGEST_LINE:
                    if not skipped:
                        yield rest[:LONGEST_LINE] + b"\n"
                    rest, skipped = b"", True
        if rest and not skipped:
            yield rest + b"\n"

    async def _asked_again(self, read: Callable[[], Awaitable[Result]], *, listed: bool = True) -> Result:
        # An endpoint that never answered is probably not there: fail soon.
        retries = self._config.max_retries if self._has_answered else 1
        policy = retry_policy(retries, 0, [self._circuit], lambda: None)

        async def once() -> Result:
            answer = await self._once(read, listed=listed)
            self._has_answered = True
            return answer

        try:
            result: Result = await policy(once)
        except UnreachableError as error:
            raise EndpointError(str(error), hint=f"is a server running at {self.address.shown}?") from error
        return result

    async def _never_twice(self, write: Callable[[], Awaitable[Result]]) -> Result:
        """Write once, without a retry: after a fault it is unknown whether the endpoint did the work."""
        try:
            return await self._once(write)
        except ThrottledError as error:
            hint = (
                "wait until earlier batches are answered, or raise the account's quota, and repeat the "
                "command: it goes on with what is not submitted yet"
            )
            raise BatchError(str(error), hint=hint) from error
        except TransientError as error:
            hint = "repeat the command: it looks up what was created, so that nothing is paid for twice"
            raise BatchError(str(error), hint=hint) from error

    async def _once(self, call: Callable[[], Awaitable[Result]], *, listed: bool = True) -> Result:
        """Make one exchange and type its faults. `listed`: 404 means that the endpoint has no batches at all."""
        try:
            async with asyncio.timeout(self._config.timeout_s):
                return await call()
        except NotFoundError as error:
            if not listed:
                raise
            hint = (
                "it takes no batches: write a file with personas batch export, have it answered, and "
                "read the answers with personas batch import"
            )
            raise BatchError(str(error), hint=hint) from error
        except LLMError:
            raise
        except SDK_FAULTS as error:
            # Not chained: messages of libraries quote URLs and headers, and an endpoint may quote the key.
            raise self._faults.of(error) from None

    def _batch(self, said: Any) -> Batch:
        """Convert and check a batch: the SDK builds its objects without checking what an endpoint sends."""
        metadata = getattr(said, "metadata", None)
        counts = getattr(said, "request_counts", None)
        status = self._text(getattr(said, "status", ""))
        if status not in _KNOWN:
            raise BatchError(
                f"{self.address.shown} says that a batch is {status!r}, which is not a state of a batch",
                hint="is it an OpenAI-compatible batch endpoint?",
            )
        return Batch(
            id=self._text(getattr(said, "id", "")),
            status=status,
            sha256=self._text(metadata.get(DIGEST_KEY)) if isinstance(metadata, dict) else "",
            output_file=self._text(getattr(said, "output_file_id", "")),
            error_file=self._text(getattr(said, "error_file_id", "")),
            total=_count(counts, "total"),
            completed=_count(counts, "completed"),
            failed=_count(counts, "failed"),
            faults=self._validation_faults(getattr(said, "errors", None)),
        )

    def _result(self, line: bytes) -> bytes:
        """Return a line of results without secrets; empty for a line that is not a result."""
        name, secrets = identify(line), self.address.secrets
        if name is None:
            log.warning("%s: a line that is not a batch result was skipped", self.address.shown)
            return b""
        if not secrets.held_by(line.decode("utf-8", errors="replace")):
            return line
        said = {
            "custom_id": secrets.scrub(name),
            "error": {"message": "the answer repeats a key and was not kept"},
        }
        return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)

    def _validation_faults(self, errors: Any) -> tuple[str, ...]:
        said = getattr(errors, "data", None)
        items = said if isinstance(said, list) else []
        return tuple(
            f"{self._text(getattr(item, 'code', ''))}: {self._text(getattr(item, 'message', ''))}"
            for item in items[:_MOST_FAULTS]
        )

    def _required(self, made: Any, kind: str) -> str:
        if name := self._text(getattr(made, "id", "")):
            return name
        raise BatchError(
            f"{self.address.shown} created a {kind} without an id",
            hint="is it an OpenAI-compatible batch endpoint?",
        )

    def _text(self, said: Any) -> str:
        return self.address.scrub(said[:_LONGEST_ID]) if isinstance(said, str) else ""


async def _each_once(pages: Any) -> AsyncIterator[Any]:
    """Yield the items of all pages; stop when an endpoint repeats one."""
    seen: set[str] = set()
    async for item in pages:
        if item.id in seen:
            return
        seen.add(item.id)
        yield item


def _count(counts: Any, name: str) -> int:
    value = getattr(counts, name, 0)
    return value if type(value) is int and value >= 0 else 0
