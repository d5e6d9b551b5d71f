"""Seal: a Parquet file's content digest, stored in that file's own footer.

A Parquet file ends with a footer, its length in four bytes, and a magic word. The footer of a sealed file contains
`"sha256": "<digest>"` once; the digest is that of the whole file with sixty-four zeros in its place. A file and its
seal are renamed into place together, so that a crash cannot separate them.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import BinaryIO

BLANK = "0" * 64
"""Placeholder for the digest until the file is sealed."""
_SEAL = re.compile(rb'"sha256": "([0-9a-f]{64})"')
_TAIL, _MAGIC = 8, b"PAR1"
_BLOCK = 1 << 20


def seal(path: Path) -> str:
    """Write the digest of a file over the placeholder in its footer, and return it.

    Raises:
        ValueError: the footer has no placeholder.
    """
    with path.open("r+b") as file:
        start, footer = _footer(file)
        blank = f'"sha256": "{BLANK}"'.encode()
        if blank not in footer:
            raise ValueError(f"{path}: has no place for a digest in its footer")
        digest = _digest(file, start, footer)
        file.seek(start)
        file.write(footer.replace(blank, f'"sha256": "{digest}"'.encode()))
    return digest


def is_whole(path: Path) -> bool | None:
    """Return whether a file is unchanged since it was sealed; None without a seal. Reads the whole file.

    Raises:
        OSError: it cannot be read.
    """
    stored, digest = _digests(path)
    return stored == digest if stored else None


def verified_seal(path: Path) -> str:
    """Return the seal of an unchanged file; empty for a changed or unsealed one. Reads the whole file.

    Raises:
        OSError: it cannot be read.
    """
    stored, digest = _digests(path)
    return stored if stored == digest else ""


def _digests(path: Path) -> tuple[str, str]:
    """Return the digest in a file's footer, and that of its content; both empty without a seal."""
    with path.open("rb") as file:
        start, footer = _footer(file)
        found = _SEAL.search(footer)
        if found is None:
            return "", ""
        blank = f'"sha256": "{BLANK}"'.encode()
        return found[1].decode(), _digest(file, start, footer.replace(found[0], blank))


def _footer(file: BinaryIO) -> tuple[int, bytes]:
    """Return the start of the footer, and the bytes from there to the end of the file."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    length = int.from_bytes(tail[:4], "little") + _TAIL
    if tail[4:] != _MAGIC or length > size:
        return size, b""
    file.seek(size - length)
    return size - length, file.read(length)


def _digest(file: BinaryIO, start: int, footer: bytes) -> str:
    """Compute the SHA-256 of the first `start` bytes and the given footer."""
    digest = hashlib.sha256()
    file.seek(0)
    while start:
        block = file.read(min(start, _BLOCK))
        if not block:
            break
        digest.update(block)
        start -= len(block)
    digest.update(footer)
    return digest.hexdigest()
