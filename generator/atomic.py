"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL = ".partial"
"""How the name of a file that is being written ends; it begins with a dot."""


class UnwritableError(OSError):
    """A file that cannot be written, as on a full disk; what stood there before is as it was."""

    def __str__(self) -> str:
        """The file, the reason and the remedy."""
        return (
            f"{self.filename}: cannot be written ({self.strerror}); "
            "make room or give another place, and repeat the command"
        )


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it is synced to disk and renamed into place.

    After an exception the temporary file is gone and `path` is as it was. Every process has a temporary name of its
    own, so that of two writers of one path the last to finish wins, whole. A crash leaves at worst a file whose
    name begins with a dot and ends in `.partial`.

    Raises:
        UnwritableError: the folder cannot be made or written to.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    except OSError as error:
        if error.errno is None or not _concerns(error, partial):
            raise
        raise UnwritableError(error.errno, os.strerror(error.errno), str(path)) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def write_whole(path: Path, text: str) -> None:
    """Write a small text file whole."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _concerns(error: OSError, partial: Path) -> bool:
    """Whether the error is about this file: one about another file says so, and stands as it is."""
    return error.filename is None or Path(os.fsdecode(error.filename)) in {partial, *partial.parents}


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk before anything else is done."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
