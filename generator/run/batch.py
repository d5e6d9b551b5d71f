"""Batch files: requests written down instead of sent, and the answers that come back in a file.

The format is OpenAI's Batch API's, which `vllm run-batch` reads and writes too. Both ends are chat models, so that
a batch goes through the same narration as a served model: what is exported is whatever a row needs next, and an
answer is parsed, checked and, if need be, followed by a request for repair in the next batch.
"""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson

from persona_engine.census_priors.named_place import check_input
from persona_engine.generator.config import ConfigError, LLMConfig
from persona_engine.generator.llm.chat import ChatRequest, Completion, DeferredError, RequestError
from persona_engine.generator.llm.dialect import Dialect
from persona_engine.generator.llm.payload import completion_of
from persona_engine.generator.narration.journal import kept_keys, key

URL = "/v1/chat/completions"
_OK = 200
_LONGEST_REQUEST = 2**24
_PREFIX = 16  # digits of a journal key in an id


def custom_id(request: ChatRequest, model: str) -> str:
    """Names a request across files: its row, its call, and the beginning of its journal key."""
    return f"{request.facts.get('row', 0)}-{request.schema_name}-{key(request, model)[:_PREFIX]}"


def dialect_of(config: LLMConfig, *, bounded: bool) -> Dialect:
    """How the requests of a file ask for JSON: no endpoint is there to be probed, so that `auto` is JSON schema."""
    form = "json_schema" if config.structured_output == "auto" else config.structured_output
    return Dialect(form=form, bounded=bounded)


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


class BatchRequests:
    """`ChatModel` that writes each request down and defers the row."""

    def __init__(self, config: LLMConfig, file: BinaryIO, dialect: Dialect, most: int | None = None) -> None:
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
        total: lines of the file.
        unasked: ids of lines that no request has asked for.
        notes: what is odd about the file and was put up with.
    """

    def __init__(self, config: LLMConfig, path: Path) -> None:
        """Index the file: some hundred bytes of memory an answer.

        Raises:
            ConfigError: no such file, or a line that is no batch result.
        """
        self.name = _named(config)
        self.answered = self.failed = self.total = 0
        self.notes: list[str] = []
        self._path = path
        self.unasked: set[str] = set()
        self._places: dict[str, tuple[int, int]] = {}
        try:
            check_input(path)
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be read ({error.strerror}); give a file of batch results"
            ) from error
        try:
            self._index()
        except ConfigError:
            os.close(self._file)
            raise

    def _index(self) -> None:
        offset = 0
        with self._path.open("rb") as lines:
            if lines.read(len(BOM_UTF8)) == BOM_UTF8:
                offset = len(BOM_UTF8)
                self.notes.append("begins with a byte order mark, which was passed over")
            lines.seek(offset)
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    self._add(line, number, offset)
                offset += len(line)
        self.unasked.update(self._places)

    def _add(self, line: bytes, number: int, offset: int) -> None:
        name = _identity(line)
        if name is not None:
            self.total += 1
            self._places[name] = (offset, len(line))
        elif not line.endswith(b"\n") and self.total:
            self.notes.append(f"line {number} is cut off and was left out; its request is exported again")
        else:
            raise ConfigError(
                f"{self._path}:{number}: not a batch result; each line is a JSON object with custom_id"
            )

    def __enter__(self) -> Self:
        """The results themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        os.close(self._file)

    def belongs(self, folder: Path) -> bool:
        """Whether some line that no request has asked for answers one that the run has an answer to already."""
        kept = {name[:_PREFIX] for name in kept_keys(folder)}
        return any(name.rpartition("-")[2] in kept for name in self.unasked)

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
        offset, size = self._places[name]
        response = _object(orjson.loads(os.pread(self._file, size, offset)).get("response"))
        status = response.get("status_code", _OK)
        body = _object(response.get("body")) if status == _OK else {}
        try:
            answer = completion_of(body, self.name, f"{self._path}: {name} ({status})")
        except RequestError as error:
            self.failed += 1
            raise DeferredError(str(error)) from error
        self.answered += 1
        return answer

    async def aclose(self) -> None:
        """The file is closed by whoever opened it."""


def _object(said: Any) -> Mapping[str, Any]:
    """What was said, if it is an object; what a line says for it is an answer that failed."""
    return said if isinstance(said, dict) else {}


def _named(config: LLMConfig) -> str:
    if config.backend != "openai" or not config.model:
        raise ConfigError(
            f"llm.backend={config.backend} has no batches; set llm.backend=openai and llm.model"
        )
    return config.model


def _identity(line: bytes) -> str | None:
    """The id of a line; None for one that is no batch result."""
    try:
        return str(orjson.loads(line)["custom_id"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
