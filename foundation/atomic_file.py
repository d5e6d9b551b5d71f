"""Atomic files: written completely or not at all."""

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
"""Suffix of the temporary file while it is written; its name begins with a dot."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# errno values when the file belongs to someone else.
_TAKEN = {errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR}


class UnwritableError(PersonasError, OSError):
    """A file that cannot be written, as on a full disk; an existing file is unchanged."""

    exit_code = 1

    def __str__(self) -> str:
        """Return file, reason and remedy."""
        return f"{self.filename}: {cannot_be_written(self)}"


def cannot_be_written(error: OSError) -> str:
    """Return why a file cannot be written, and the remedy; the same for every file, as any may meet a full disk."""
    reason = error.strerror or type(error).__name__
    remedy = "free some space" if error.errno in _NO_ROOM else "choose a path that you may write to"
    return f"cannot be written ({reason}); {remedy}, and repeat the command"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Provide a temporary file beside `path`; on success it is synced to disk and renamed to `path`.

    After an exception the temporary file is deleted and `path` is unchanged. The temporary file is locked while it is
    written, so that two writers of one path use different names, and the last to finish wins. A killed writer leaves an
    unlocked file, which the next writer overwrites.

    A link of that name is replaced, not followed; permissions of an existing file are kept.

    Raises:
        DestinationError: a device, pipe, socket or folder has that name.
        UnwritableError: the folder cannot be created or written to.
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
    """Write a small text file atomically."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def _claimed(path: Path) -> Iterator[Path]:
    """Hold an empty temporary file beside `path`; after an exception it is deleted."""
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
    """Copy the permissions of the file that will be replaced."""
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            partial.chmod(stat.S_IMODE(mode))


def _claim(path: Path) -> tuple[Path, int]:
    """Return the first temporary name without a writer, and its open file."""
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
    """Lock the open file; return whether that succeeded and the file still has this name."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks
    return partial.exists() and os.path.samestat(os.fstat(handle), partial.lstat())


def _concerns(error: OSError, path: Path) -> bool:
    """Return whether the error is about this file; an error about another file is raised unchanged."""
    if error.filename is None:
        return True
    place = Path(os.fsdecode(error.filename))
    ours = place.name.startswith(f".{path.name}.") and place.name.endswith(PARTIAL)
    return (place.with_name(path.name) if ours else place) in {path, *path.parents}


def sync(path: Path) -> None:
    """Sync a file, or the entries of a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
