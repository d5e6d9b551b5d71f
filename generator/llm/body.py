"""Body: reads the bytes of an answer within bounds, and the JSON object in them."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import AsyncIterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

import orjson

from census_personas.foundation.errors import PersonasError

MOST_BYTES = 4 * 2**20
"""Most bytes of an answer, unpacked: thirty times a long chain of thought."""
MOST_ERROR_BYTES = 2**16
MOST_DEPTH = 64
"""Most levels of nesting; the requested schemas have two."""
ACCEPT_ENCODING = "gzip, deflate"
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_BRACKETS = re.compile(r"[\[\]{}]")
_PIECE = 2**16


class BodyError(PersonasError, ValueError):
    """A body that is too long or cannot be unpacked; the message completes "sent …".

    Attributes:
        size: bytes read before the fault.
    """

    def __init__(self, message: str, size: int) -> None:
        """`size` in bytes."""
        super().__init__(message)
        self.size = size


async def read_body(chunks: AsyncIterable[bytes], encoding: str, most: int) -> bytes:
    """Return the bytes of a body, unpacked by its Content-Encoding; never holds more than `most` in memory.

    Raises:
        BodyError: more than `most` bytes, packed or unpacked, or an encoding that was not asked for.
    """
    name = encoding.strip().lower()
    if name not in _PACKED | {"", "identity"}:
        raise BodyError("a body packed in a way that was not asked for", 0)
    unpack = _Unpacked(name) if name in _PACKED else None
    read, parts, size = 0, [], 0
    async for chunk in chunks:
        read += len(chunk)
        for part in [chunk] if unpack is None else unpack.parts(chunk):
            size += len(part)
            parts.append(part)
            if max(size, read) > most:
                raise BodyError(f"more than {most} bytes", size)
        if read > most:
            raise BodyError(f"more than {most} bytes", size)
    if unpack is not None and not unpack.is_whole:
        raise BodyError(f"a body whose {name} encoding is cut off", size)
    return b"".join(parts)


class _Unpacked:
    """A packed stream, unpacked piece by piece."""

    def __init__(self, name: str) -> None:
        self._name = name
        # 32: detect a gzip or a zlib header.
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._begun = False

    @property
    def is_whole(self) -> bool:
        return self._stream.eof

    def parts(self, chunk: bytes) -> Iterator[bytes]:
        rest = chunk
        while rest and not self._stream.eof:
            try:
                part = self._stream.decompress(rest, _PIECE)
            except zlib.error as error:
                if self._begun or self._name != "deflate":
                    raise BodyError(f"a body whose {self._name} encoding is broken", 0) from error
                # Some servers send deflate without the header that the standard asks for.
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
                self._begun = True
                continue
            self._begun = True
            rest = self._stream.unconsumed_tail
            if part:
                yield part


def depth(text: str) -> int:
    """Return the levels of nesting, counting brackets in strings too; 0 if there are too few to matter."""
    if text.count("{") + text.count("[") <= MOST_DEPTH:
        return 0
    return max(accumulate(1 if bracket in "[{" else -1 for bracket in _BRACKETS.findall(text)))


def parse_body(body: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object in a body; None if there is no whole one.

    Accepts what endpoints send against strict JSON: escaped halves of surrogate pairs, NaN, control characters and
    invalid UTF-8 (read as U+FFFD).
    """
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body.decode("utf-8", errors="replace").removeprefix("\ufeff")
        if depth(text) > MOST_DEPTH:
            return None
        try:
            payload = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return None
    return payload if isinstance(payload, dict) else None
