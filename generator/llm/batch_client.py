"""BatchClient: files and batches of one OpenAI-compatible endpoint."""

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
"""Key in a batch's metadata under which the SHA-256 of its input file stands."""
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
"""States in which a batch is over (OpenAI's API reference, the batch object)."""
_KNOWN = ENDED | {"validating", "in_progress", "finalizing", "cancelling"}
_PAGE = 100
_LONGEST_ID = 200
_MOST_FAULTS = 3
_NAME = re.compile(r"personas-[0-9a-f]{64}\.jsonl", re.ASCII)
Result = TypeVar("Result")


def file_name(sha256: str) -> str:
    """What a file of requests is called at the endpoint, so that it is recognized there."""
    return f"personas-{sha256}.jsonl"


class BatchError(EndpointError):
    """A batch that the endpoint cannot take, or no longer has; the hint names the remedy."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What an endpoint says of a batch; texts are printable, counts are 0 where it says nothing.

    Attributes:
        sha256: digest of its input file, from its metadata; empty for a batch that is not ours.
        output_file: id of the file of answers; empty where there is none (yet).
        error_file: id of the file of requests that failed or expired.
        faults: why it was not begun, as validation says.
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
    """Uploads files of requests, makes batches of them, and fetches what came back.

    What reads is asked again as the retry policy says. What is paid for is not: whether a batch was made is looked up
    before another one is.
    """

    def __init__(self, config: LLMConfig) -> None:
        """Nothing is sent.

        Raises:
            EndpointError: no address, or more than one.
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
        """The client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close connections."""
        await self._client.close()

    async def batches(self) -> list[Batch]:
        """All batches that the endpoint lists for this key, the newest first.

        Raises:
            BatchError: it has no batches.
            LLMError: it cannot be reached, or refuses the key.
        """

        async def read() -> list[Batch]:
            pages = self._client.batches.list(limit=_PAGE)
            return [self._batch(item) async for item in _each_once(pages)]

        return await self._asked_again(read)

    async def uploaded(self) -> Mapping[str, str]:
        """The ids of files that were uploaded by this class and are not deleted, by their names."""

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
        """Upload a file of requests, under a name that tells its digest; returns its id."""

        async def write() -> str:
            with path.open("rb") as file:
                made = await self._client.files.create(
                    file=(file_name(sha256), file, "application/jsonl"), purpose="batch"
                )
            return self._required(made, "file")

        return await self._never_twice(write)

    async def create(self, file_id: str, metadata: dict[str, str]) -> Batch:
        """Make a batch of an uploaded file, to be answered within 24 hours; from here on it is paid for."""

        async def write() -> Batch:
            made = await self._client.batches.create(
                completion_window="24h", endpoint=URL, input_file_id=file_id, metadata=metadata
            )
            self._required(made, "batch")
            return self._batch(made)

        return await self._never_twice(write)

    async def batch(self, batch_id: str) -> Batch:
        """How far a batch has come.

        Raises:
            NotFoundError: the endpoint does not know it.
        """

        async def read() -> Batch:
            return self._batch(await self._client.batches.retrieve(batch_id))

        return await self._asked_again(read, listed=False)

    async def download(self, file_id: str, path: Path) -> None:
        """Write a file of results whole. Lines that are no results are left out, and logged.

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
        """The lines of a file, each with its end; of one that is too long only the beginning comes."""
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
        # An endpoint that never answered is most likely not there: its user is told soon.
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
        """What makes something at the endpoint: after a fault nobody knows whether it did, so that it ends here."""
        try:
            return await self._once(write)
        except ThrottledError as error:
            hint = (
                "wait until batches before this one are answered, or see to the account's quota, and repeat the "
                "command: it goes on with what is not submitted yet"
            )
            raise BatchError(str(error), hint=hint) from error
        except TransientError as error:
            hint = "repeat the command: it looks up what was made, so that nothing is paid twice"
            raise BatchError(str(error), hint=hint) from error

    async def _once(self, call: Callable[[], Awaitable[Result]], *, listed: bool = True) -> Result:
        """One exchange, its faults typed; `listed` routes are those that an endpoint with batches has."""
        try:
            async with asyncio.timeout(self._config.timeout_s):
                return await call()
        except NotFoundError as error:
            if not listed:
                raise
            hint = (
                "it takes no batches: write them to a file with personas batch export, have the file answered, and "
                "take the answers with personas batch import"
            )
            raise BatchError(str(error), hint=hint) from error
        except LLMError:
            raise
        except SDK_FAULTS as error:
            # Not chained: what libraries say quotes URLs and headers, and an endpoint may quote the key.
            raise self._faults.of(error) from None

    def _batch(self, said: Any) -> Batch:
        """A batch in our words; the SDK builds its objects without checking what an endpoint says."""
        metadata = getattr(said, "metadata", None)
        counts = getattr(said, "request_counts", None)
        status = self._text(getattr(said, "status", ""))
        if status not in _KNOWN:
            raise BatchError(
                f"{self.address.shown} says that a batch is {status!r}, which is no state of one",
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
        """A line of results, fit to be kept: nothing for one that is no result."""
        name, secrets = identify(line), self.address.secrets
        if name is None:
            log.warning("%s: a line that is no batch result was left out", self.address.shown)
            return b""
        if not secrets.held_by(line.decode("utf-8", errors="replace")):
            return line
        said = {
            "custom_id": secrets.scrub(name),
            "error": {"message": "the answer repeats a key, and was not kept"},
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
            f"{self.address.shown} made a {kind} and gave no id",
            hint="is it an OpenAI-compatible batch endpoint?",
        )

    def _text(self, said: Any) -> str:
        return self.address.scrub(said[:_LONGEST_ID]) if isinstance(said, str) else ""


async def _each_once(pages: Any) -> AsyncIterator[Any]:
    """The items of all pages; an endpoint that pages in a circle ends it."""
    seen: set[str] = set()
    async for item in pages:
        if item.id in seen:
            return
        seen.add(item.id)
        yield item


def _count(counts: Any, name: str) -> int:
    value = getattr(counts, name, 0)
    return value if type(value) is int and value >= 0 else 0
