"""Batch files: requests written to a file instead of sent, and answers read from one.

The format is that of OpenAI's Batch API, which `vllm run-batch` reads and writes too. Export and import are both chat
models, so that a batch goes through the same narration as a served model: each row exports the request that it needs
next, and an answer is parsed, checked and, if necessary, followed by a repair request in the next batch.
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
"""Most bytes of a result line: the answer and the object around it."""
_LONGEST_ID = 100
_LONGEST_REQUEST = 2**24
_PREFIX = 16  # digits of a journal key in an id
_CUSTOM_ID = re.compile(rb'"custom_id" ?: ?"([\w.-]{1,100})"', re.ASCII)


def custom_id(request: ChatRequest, model: str) -> str:
    """Return the id that names a request in all files: its row, its call and the beginning of its journal key."""
    return f"{request.facts.get('row', 0)}-{request.schema_name}-{request_key(request, model)[:_PREFIX]}"


def dialect_of(config: LLMConfig, *, bounded: bool) -> Dialect:
    """Return how the requests of a file ask for JSON. No endpoint can be probed, so `auto` means JSON schema."""
    return Dialect.of_config(config, bounded=bounded)


def refuse_other_lines(path: Path) -> None:
    """Refuse to replace a file that does not hold requests, such as answers that were paid for.

    Raises:
        ConfigError: the first line of the file is not a request.
    """
    if not path.exists():
        return
    with path.open("rb") as lines:
        first = lines.readline(_LONGEST_REQUEST)
    if first.strip() and b'"method"' not in first:
        raise ConfigError(f"{path}: exists and holds no requests; move it away, or name another file")


class LineFile(Protocol):
    """Writes the lines of a batch file."""

    def write(self, line: bytes, /) -> Any:
        """Write one line, including its line break."""
        ...


class BatchRequests:
    """`ChatModel` that writes each request to a file and defers the row."""

    needs_messages = True

    def __init__(self, config: LLMConfig, file: LineFile, dialect: Dialect, most: int | None = None) -> None:
        """Write at most `most` requests to `file`, which the caller closes."""
        self.name = _named(config)
        self.written = 0
        self._file = file
        self._dialect = dialect
        self._most = most

    def account(self) -> Mapping[str, Any]:
        """Return nothing: no endpoint was asked."""
        return {}

    async def complete(self, request: ChatRequest) -> Completion:
        """Write the request.

        Raises:
            DeferredError: always; the row continues when its answer is imported.
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
        """Do nothing: nothing is open."""


class BatchResults:
    """`ChatModel` that answers from results files and defers rows whose answer is not in them.

    Attributes:
        answered: answers that were used.
        failed: lines that report an error instead of an answer; their requests are exported again.
        failure: message of the first failed line.
        unreadable: answers that were used but hold no JSON object.
        fault: why the first unreadable answer could not be read.
        total: lines of the files.
        unasked: ids of lines that no request has asked for.
        notes: oddities of the files that were tolerated.
    """

    needs_messages = True

    def __init__(self, config: LLMConfig, *paths: Path) -> None:
        """Index the files, at some hundred bytes of memory per answer.

        Raises:
            ConfigError: a file cannot be read, or a line is not a batch result.
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
                self.notes.append("begins with a byte order mark, which was ignored")
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
            self.notes.append(f"line {number} is cut off and was skipped; its request is exported again")
        else:
            raise ConfigError(
                f"{self._files[-1][0]}:{number}: not a batch result; each line is a JSON object with custom_id"
            )

    def __enter__(self) -> Self:
        """Return the results themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self._close()

    def belongs(self, kept: Iterable[str]) -> bool:
        """Return whether an unasked line answers a request whose journal key is among `kept`: answered before."""
        prefixes = {key[:_PREFIX] for key in kept}
        return any(name.rpartition("-")[2] in prefixes for name in self.unasked)

    def strange(self) -> list[str]:
        """Return the ids of answers that match no pending request, without secrets."""
        return [self._secrets.scrub(name) for name in sorted(self.unasked)]

    def account(self) -> Mapping[str, Any]:
        """Return how many answers came from batch files."""
        return {"batch_answers": self.answered}

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the answer to exactly this request.

        Raises:
            DeferredError: the files do not have it.
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
        """Do nothing: leaving the context closes the files."""


def _said(line: Mapping[str, Any], otherwise: str) -> str:
    """Return the error message of a failed result, as one line of bounded length."""
    body = _object(_object(line.get("response")).get("body"))
    message = next((error.get("message") for at in (line, body) if (error := _object(at.get("error")))), "")
    return " ".join(str(message or otherwise).split())[:_LONGEST_MESSAGE]


def _object(said: Any) -> Mapping[str, Any]:
    """Return a value if it is a JSON object, else an empty one: such a line counts as a failed answer."""
    return said if isinstance(said, dict) else {}


def _named(config: LLMConfig) -> str:
    if config.backend != "openai" or not config.model:
        raise ConfigError(
            f"llm.backend={config.backend} has no batches; set llm.backend=openai and llm.model"
        )
    return config.model


def identify(line: bytes) -> str | None:
    """Return the id of a line; None if the line is not a batch result."""
    said = (parse_body(line) or {}).get("custom_id")
    if not isinstance(said, str):
        # An unreadable body costs only its own row: the line counts as a failed answer.
        found = _CUSTOM_ID.search(line)
        if found is None:
            return None
        said = found.group(1).decode("ascii")
    return printable(said)[:_LONGEST_ID]
