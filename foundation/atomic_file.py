"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.user_path import refuse_irregular

PARTIAL = ".partial"
"""How the name of a file that is being written ends; it begins with a dot."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# How another user's file in the way shows itself.
_TAKEN = {errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR}


class UnwritableError(PersonasError, OSError):
    """A file that cannot be written, as on a full disk; what stood there before is as it was."""

    exit_code = 1

    def __str__(self) -> str:
        """The file, the reason and the remedy."""
        remedy = "make room" if self.errno in _NO_ROOM else "give a place that you may write to"
        return f"{self.filename}: cannot be written ({self.strerror}); {remedy}, and repeat the command"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it is synced to disk and renamed into place.

    After an exception the temporary file is gone and `path` is as it was. The file is locked while it is written, so
    that two writers of one path use two names and the last to finish wins, whole. What a writer that was killed left
    behind is locked no longer, and the next one writes over it.

    A link of that name is replaced, not followed; a file of that name hands on its permissions.

    Raises:
        DestinationError: a device, pipe, socket or folder has that name.
        UnwritableError: the folder cannot be made or written to.
    """
    refuse_irregular(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _claimed(path) as partial:
            yield partial
            sync(partial)
            refuse_irregular(path)
            _take_permissions(partial, path)
            partial.replace(path)
        sync(path.parent)
    except OSError as error:
        if error.errno is None or not _concerns(error, path):
            raise
        raise UnwritableError(error.errno, os.strerror(error.errno), str(path)) from error


def write_whole(path: Path, text: str) -> None:
    """Write a small text file whole."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def _claimed(path: Path) -> Iterator[Path]:
    """Hold a temporary name beside `path`, as an empty file; after an exception it is gone."""
    partial, handle = _claim(path)
    try:
        os.truncate(handle, 0)
        yield partial
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    finally:
        os.close(handle)


def _take_permissions(partial: Path, path: Path) -> None:
    """Give a file the permissions of the one that it replaces."""
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            partial.chmod(stat.S_IMODE(mode))


def _claim(path: Path) -> tuple[Path, int]:
    """The first temporary name that nobody writes to, and its open file."""
    number = 0
    while True:
        partial = path.with_name(f".{path.name}{f'.{number}' if number else ''}{PARTIAL}")
        try:
            handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            if error.errno not in _TAKEN or not os.path.lexists(partial):
                raise
        else:
            if _locked(handle, partial):
                return partial, handle
            os.close(handle)
        number += 1


def _locked(handle: int, partial: Path) -> bool:
    """Whether the open file is ours now, and is still the one of that name."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks
    return partial.exists() and os.path.samestat(os.fstat(handle), partial.lstat())


def _concerns(error: OSError, path: Path) -> bool:
    """Whether the error is about this file: one about another file says so, and stands as it is."""
    if error.filename is None:
        return True
    place = Path(os.fsdecode(error.filename))
    ours = place.name.startswith(f".{path.name}.") and place.name.endswith(PARTIAL)
    return (place.with_name(path.name) if ours else place) in {path, *path.parents}


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk before anything else is done."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
