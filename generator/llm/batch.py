"""Batch files: requests written down instead of sent, and the answers that come back in a file.

The format is OpenAI's Batch API's, which `vllm run-batch` reads and writes too. Both ends are chat models, so that
a batch goes through the same narration as a served model: what is exported is whatever a row needs next, and an
answer is parsed, checked and, if need be, followed by a request for repair in the next batch.
"""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import orjson

from census_personas.foundation.printable import printable
from census_personas.foundation.user_path import check_input
from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.config.run_config import ConfigError
from census_personas.generator.llm.answer import AnswerError, parse_object, unreadable
from census_personas.generator.llm.body import MOST_BYTES, parse_body
from census_personas.generator.llm.chat import ChatRequest, Completion, DeferredError, UnreadableError
from census_personas.generator.llm.credentials import secrets_of
from census_personas.generator.llm.dialect import Dialect
from census_personas.generator.llm.payload import completion_of
from census_personas.generator.llm.request_key import request_key

URL: Literal["/v1/chat/completions"] = "/v1/chat/completions"
"""The route of every request, as a batch file names it."""
_OK = 200
_LONGEST_MESSAGE = 200
LONGEST_LINE = 2 * MOST_BYTES
"""Bytes of a result: the answer, and what stands around it."""
_LONGEST_ID = 100
_LONGEST_REQUEST = 2**24
_PREFIX = 16  # digits of a journal key in an id
_CUSTOM_ID = re.compile(rb'"custom_id" ?: ?"([\w.-]{1,100})"', re.ASCII)


def custom_id(request: ChatRequest, model: str) -> str:
    """Names a request across files: its row, its call, and the beginning of its journal key."""
    return f"{request.facts.get('row', 0)}-{request.schema_name}-{request_key(request, model)[:_PREFIX]}"


def dialect_of(config: LLMConfig, *, bounded: bool) -> Dialect:
    """How the requests of a file ask for JSON: no endpoint is there to be probed, so that `auto` is JSON schema."""
    return Dialect.of_config(config, bounded=bounded)


def refuse_other_lines(path: Path) -> None:
    """Refuse to replace a file of anything but requests, such as answers that were paid for.

    Raises:
        ConfigError: the first line of the file is no request.
    """
    if not path.exists():
        return
    with path.open("rb") as lines:
        first = lines.readline(_LONGEST_REQUEST)
    if first.strip() and b'"method"' not in first:
        raise ConfigError(f"{path}: is there and holds no requests; move it away, or name another file")


class LineFile(Protocol):
    """Takes the lines of a batch file."""

    def write(self, line: bytes, /) -> Any:
        """Write one line, its end included."""
        ...


class BatchRequests:
    """`ChatModel` that writes each request down and defers the row."""

    needs_messages = True

    def __init__(self, config: LLMConfig, file: LineFile, dialect: Dialect, most: int | None = None) -> None:
        """Write to `file`, which the caller closes, at most so many requests."""
        self.name = _named(config)
        self.written = 0
        self._file = file
        self._dialect = dialect
        self._most = most

    def account(self) -> Mapping[str, Any]:
        """Nothing was asked yet."""
        return {}

    async def complete(self, request: ChatRequest) -> Completion:
        """Write the request.

        Raises:
            DeferredError: always; the row goes on when its answer is imported.
        """
        if self._most is None or self.written < self._most:
            line = {
                "custom_id": custom_id(request, self.name),
                "method": "POST",
                "url": URL,
                "body": self._dialect.body(request, self.name, request.max_tokens),
            }
            self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            self.written += 1
        raise DeferredError("the request is written to a batch file")

    async def aclose(self) -> None:
        """Nothing is held open."""


class BatchResults:
    """`ChatModel` that answers from a results file, and defers rows whose answer is not in it.

    Attributes:
        answered: answers that were used.
        failed: lines that report an error instead of an answer; their requests are exported again.
        failure: what the first of them says.
        unreadable: answers that were used and hold no JSON object.
        fault: why the first of them could not be read.
        total: lines of the file.
        unasked: ids of lines that no request has asked for.
        notes: what is odd about the file and was put up with.
    """

    needs_messages = True

    def __init__(self, config: LLMConfig, *paths: Path) -> None:
        """Index the files: some hundred bytes of memory an answer.

        Raises:
            ConfigError: no such file, or a line that is no batch result.
        """
        self.name = _named(config)
        self.answered = self.failed = self.total = self.unreadable = 0
        self.failure = self.fault = ""
        self.notes: list[str] = []
        self._secrets = secrets_of(config)
        self.unasked: set[str] = set()
        self._files: list[tuple[Path, int]] = []
        self._places: dict[str, tuple[int, int, int]] = {}
        try:
            for path in paths:
                self._open(path)
                self._index(path)
        except ConfigError:
            self._close()
            raise

    def _open(self, path: Path) -> None:
        try:
            check_input(path)
            self._files.append((path, os.open(path, os.O_RDONLY | os.O_CLOEXEC)))
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be read ({error.strerror}); give a file of batch results"
            ) from error

    def _close(self) -> None:
        while self._files:
            os.close(self._files.pop()[1])

    def _index(self, path: Path) -> None:
        with path.open("rb") as lines:
            offset = len(BOM_UTF8) if lines.read(len(BOM_UTF8)) == BOM_UTF8 else 0
            if offset:
                self.notes.append("begins with a byte order mark, which was passed over")
            lines.seek(offset)
            number = 0
            while line := lines.readline(LONGEST_LINE):
                number, size, whole = number + 1, len(line), line.endswith(b"\n")
                while len(line) == LONGEST_LINE and not whole:
                    rest = lines.readline(LONGEST_LINE)
                    size, whole = size + len(rest), rest.endswith(b"\n")
                    if len(rest) < LONGEST_LINE:
                        break
                if line.strip():
                    self._add(line, number, (len(self._files) - 1, offset, size), whole=whole)
                offset += size
        self.unasked.update(self._places)

    def _add(self, line: bytes, number: int, place: tuple[int, int, int], *, whole: bool) -> None:
        name = identify(line)
        if name is not None and (whole or parse_body(line) is not None):
            self.total += 1
            self._places[name] = place
        elif not whole and self.total:
            self.notes.append(f"line {number} is cut off and was left out; its request is exported again")
        else:
            raise ConfigError(
                f"{self._files[-1][0]}:{number}: not a batch result; each line is a JSON object with custom_id"
            )

    def __enter__(self) -> Self:
        """The results themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self._close()

    def belongs(self, kept: Iterable[str]) -> bool:
        """Whether some line that no request has asked for answers a request of these keys, which has its answer."""
        prefixes = {key[:_PREFIX] for key in kept}
        return any(name.rpartition("-")[2] in prefixes for name in self.unasked)

    def strange(self) -> list[str]:
        """Ids of answers to no request that waits, fit to be shown."""
        return [self._secrets.scrub(name) for name in sorted(self.unasked)]

    def account(self) -> Mapping[str, Any]:
        """How many answers came from batch files."""
        return {"batch_answers": self.answered}

    async def complete(self, request: ChatRequest) -> Completion:
        """The answer to this very request.

        Raises:
            DeferredError: the file does not have it.
        """
        name = custom_id(request, self.name)
        if name not in self._places:
            raise DeferredError("the answer is not in the batch results")
        self.unasked.discard(name)
        number, offset, size = self._places[name]
        path, file = self._files[number]
        kept = os.pread(file, size, offset) if size <= LONGEST_LINE else b""
        line = parse_body(kept) or {}
        response = _object(line.get("response"))
        status = response.get("status_code", _OK)
        body = _object(response.get("body")) if status == _OK else {}
        try:
            place = f"{path}: {name} ({status})"
            answer = completion_of(body, self.name, place, request.messages, self._secrets)
        except UnreadableError as error:
            self.failed += 1
            self.failure = self.failure or self._secrets.scrub(_said(line, str(error)))
            raise DeferredError(str(error)) from error
        self.answered += 1
        try:
            parse_object(answer.text)
        except AnswerError as error:
            self.unreadable += 1
            self.fault = self.fault or answer.fault or unreadable(error, answer.finish_reason)
        return answer

    async def aclose(self) -> None:
        """The file is closed by whoever opened it."""


def _said(line: Mapping[str, Any], otherwise: str) -> str:
    """What a result that is no answer says, on one line of a bounded length."""
    body = _object(_object(line.get("response")).get("body"))
    message = next((error.get("message") for at in (line, body) if (error := _object(at.get("error")))), "")
    return " ".join(str(message or otherwise).split())[:_LONGEST_MESSAGE]


def _object(said: Any) -> Mapping[str, Any]:
    """What was said, if it is an object; what a line says for it is an answer that failed."""
    return said if isinstance(said, dict) else {}


def _named(config: LLMConfig) -> str:
    if config.backend != "openai" or not config.model:
        raise ConfigError(
            f"llm.backend={config.backend} has no batches; set llm.backend=openai and llm.model"
        )
    return config.model


def identify(line: bytes) -> str | None:
    """The id of a line; None for one that is no batch result."""
    said = (parse_body(line) or {}).get("custom_id")
    if not isinstance(said, str):
        # A body that cannot be read costs its own row: the line is an answer that failed.
        found = _CUSTOM_ID.search(line)
        if found is None:
            return None
        said = found.group(1).decode("ascii")
    return printable(said)[:_LONGEST_ID]
