"""RequestFiles: the requests of a round, in files of sizes that a batch endpoint accepts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from census_personas.foundation.atomic_file import whole_file

MOST_REQUESTS = 50_000
"""Most requests of a file (OpenAI's Batch API guide, "Rate limits")."""
MOST_BYTES = 200 * 10**6
"""Most bytes of a file (the same guide)."""


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A written file of requests: their number, its size in bytes and its SHA-256."""

    path: Path
    requests: int
    size: int
    sha256: str


class RequestFiles:
    """`LineFile` that begins a new file when the next line would make the current one too large.

    All files appear when the context is left without an exception; nothing is touched before the first line.
    """

    def __init__(
        self, name: Callable[[int], Path], most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES
    ) -> None:
        """`name` returns the path of each file by its number, from 0."""
        self.written: list[RequestFile] = []
        self._name = name
        self._most_requests, self._most_bytes = most_requests, most_bytes
        self._closing = ExitStack()
        self._file: BinaryIO | None = None
        self._requests = self._size = 0
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        """Return the files themselves."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Close the open file and move all files into place."""
        if kind is None:
            self._finish()
            self._closing.close()
        else:
            if self._file is not None:
                self._file.close()
            self._closing.__exit__(kind, error, None)

    def write(self, line: bytes, /) -> None:
        """Write one request."""
        full = self._requests >= self._most_requests or self._size + len(line) > self._most_bytes
        if full and self._requests:
            self._finish()
        if self._file is None:
            partial = self._closing.enter_context(whole_file(self._name(len(self.written))))
            self._file = partial.open("wb")
        self._file.write(line)
        self._digest.update(line)
        self._requests += 1
        self._size += len(line)

    def _finish(self) -> None:
        if self._file is None:
            return
        self._file.close()
        path = self._name(len(self.written))
        self.written.append(RequestFile(path, self._requests, self._size, self._digest.hexdigest()))
        self._file, self._requests, self._size, self._digest = None, 0, 0, hashlib.sha256()
