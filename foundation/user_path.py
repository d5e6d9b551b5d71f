"""User path: files and folders that a user names, checked before they are read or written."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.run_layout import RunLayout

# First bytes of a file by suffix; other bytes mean that no command of this package wrote the file.
_BEGINNINGS: Mapping[str, tuple[bytes, ...]] = MappingProxyType(
    {
        ".parquet": (b"PAR1",),
        ".jsonl": (b"{",),
        ".json": (b"{", b"["),
        ".html": (b"<",),
        ".svg": (b"<",),
        ".png": (b"\x89PNG",),
    }
)
_BLANK = b"\xef\xbb\xbf \t\r\n"
_READ = 4096
_OF_A_LOCALE = frozenset({"tables", "lookups"})
_SYSTEM = ("/dev", "/proc", "/sys")
_NO_TEXT = "has a name that is not UTF-8 text"
_MEMORY = "/dev/shm"  # noqa: S108  not written to: the one folder in /dev that may hold files
_FILES = frozenset(
    {".csv", ".html", ".json", ".jsonl", ".md", ".parquet", ".tsv", ".txt", ".xlsx", ".yaml", ".yml", ".zip"}
)


class IrregularFileError(PersonasError, OSError):
    """An input that is not a regular file, or far too long: reading it could block or never end."""

    exit_code = 1

    def __str__(self) -> str:
        """Return path, reason and remedy."""
        return f"{self.filename}: {self.strerror}; give a regular file"


class DestinationError(PersonasError, ValueError):
    """A path that a command may not write to; the message names it, the reason and the remedy."""


def check_input(path: Path, most: int | None = None) -> None:
    """Refuse a path that exists and is not a regular file (a device, pipe, socket or folder) before it is opened.

    A missing or inaccessible path is left to the code that opens it. With `most`, a file longer than so many bytes is
    refused.

    Raises:
        IrregularFileError: its `strerror` names the reason, like that of a failed `open`.
    """
    if not _is_text(path):
        raise IrregularFileError(errno.EINVAL, _NO_TEXT, str(path))
    try:
        seen = path.stat()
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(seen.st_mode):
        raise IrregularFileError(errno.EINVAL, f"is {_kind(seen.st_mode)}, not a file", str(path))
    if most is not None and seen.st_size > most:
        raise IrregularFileError(errno.EINVAL, f"is longer than {most} bytes", str(path))


def output_file(
    path: Path, suffixes: Iterable[str] = (), *, inputs: Iterable[Path] = (), run: Path | None = None
) -> Path:
    """Decide whether a command may write the file that a user named, before any work is done.

    A command may write a new name in an existing folder, or replace a regular file of its own format. Links are
    followed: the target is checked and written. Files inside a run folder or among a locale's tables, inputs of the
    command, and read-only files are never written.

    Args:
        path: as the user named it.
        suffixes: suffixes that the command writes; any if empty.
        inputs: files that the command reads.
        run: the run folder that the file reports on; the file may be inside it.

    Returns:
        The file to write, all links followed.

    Raises:
        DestinationError: it may not; the message names the path, the reason and the remedy.
    """
    known = tuple(suffixes)
    if path.name in {"", ".", "..", "-"}:
        raise DestinationError(f"{path}: is not a file name; give one")
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(mode):
        raise DestinationError(f"{path}: is {_kind(mode)}, not a file; name a file")
    if known and path.suffix not in known:
        raise DestinationError(f"{path}: unknown suffix {path.suffix!r}; write to {', '.join(known)}")
    place = _followed(path)
    for read in inputs:
        if mode is not None and _same(path, read):
            raise DestinationError(f"{path}: is read by this command; name another file")
    _refuse_kept(path, place, run)
    if mode is None and not place.parent.is_dir():
        raise DestinationError(
            f"{path}: there is no folder {path.parent}; create it first, or name another file"
        )
    if mode is not None:
        _refuse_foreign(path, mode)
    return place


def output_folder(path: Path, *, inputs: Iterable[Path] = (), run: Path | None = None) -> Path:
    """Decide whether a command may create, or write into, the folder that a user named; parents are created too.

    Raises:
        DestinationError: it is not a folder, is inside a run folder, or is named like a file.
    """
    mode = _mode(path)
    if mode is not None and not stat.S_ISDIR(mode):
        raise DestinationError(f"{path}: is {_kind(mode)}; give a folder")
    if mode is None and (path.name in {"", "-"} or path.suffix.lower() in _FILES):
        remedy = f"without {path.suffix!r}" if path.suffix else "another name"
        raise DestinationError(
            f"{path}: is named like a file, but a folder will be written; give it {remedy}"
        )
    place = _followed(path)
    for read in inputs:
        if place == _followed(read):
            raise DestinationError(f"{path}: is read by this command; give another folder")
    around = _run_around(place)
    if around is not None or (is_run(place) and run is not None and place != _followed(run)):
        raise DestinationError(f"{path}: is inside the run folder {around or place}; give another folder")
    return path


def is_run(folder: Path) -> bool:
    """Return whether a folder holds a run: a manifest with another file of a run, or a journal."""
    return RunLayout(folder).is_run


def refuse_irregular(path: Path) -> None:
    """Refuse to replace a path that is neither a regular file nor a link.

    Raises:
        DestinationError: a device, pipe, socket or folder.
    """
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        return
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise DestinationError(f"{path}: is {_kind(mode)}, not a file; move it away, or name another file")


def _mode(path: Path) -> int | None:
    """Return the mode of the file that a name leads to; None if it is new."""
    if not _is_text(path):
        raise DestinationError(f"{path}: {_NO_TEXT}; give another name")
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise DestinationError(f"{path}: is a link to nothing; name a file, or remove the link") from None
        mode = None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DestinationError(f"{path}: cannot be accessed ({reason}); name another place") from error
    if (mode is None or stat.S_ISREG(mode)) and (_is_system(_followed(path)) or _is_system(path.absolute())):
        raise DestinationError(f"{path}: is in a system folder; name a file elsewhere")
    return mode


def _is_text(path: Path) -> bool:
    """Return whether a name is valid UTF-8, so that it can be stored and passed to libraries."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_system(place: Path) -> bool:
    """Return whether a path is in a system folder of devices or processes; `/dev/shm` may hold files."""
    return any(map(place.is_relative_to, _SYSTEM)) and not place.is_relative_to(_MEMORY)


def _followed(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path.absolute()))
    except OSError as error:  # the working folder was deleted
        raise DestinationError(
            f"{path}: cannot be accessed ({error.strerror}); change to an existing folder"
        ) from error


def _same(path: Path, read: Path) -> bool:
    try:
        return path.samefile(read)
    except OSError:
        return False


def _refuse_kept(path: Path, place: Path, run: Path | None) -> None:
    """Refuse a file of a run or of a locale."""
    beside = run is not None and place.parent == _followed(run) and not RunLayout(place.parent).owns(place)
    if (around := _run_around(place)) is not None and not beside:
        raise DestinationError(f"{path}: is inside the run folder {around}; name a file elsewhere")
    if place.parent.name in _OF_A_LOCALE and (place.parent.parent / "priors.yaml").exists():
        raise DestinationError(f"{path}: is among the files of a locale; name a file elsewhere")


def _run_around(place: Path) -> Path | None:
    return next((parent for parent in place.parents if is_run(parent)), None)


def _refuse_foreign(path: Path, mode: int) -> None:
    """Refuse to replace a read-only file, or one that the command cannot have written."""
    if not mode & 0o222 or not os.access(path, os.W_OK):
        raise DestinationError(f"{path}: is read-only; make it writable, or name another file")
    with path.open("rb") as file:
        beginning = file.read(_READ)
    known = _BEGINNINGS.get(path.suffix)
    foreign = b"\0" in beginning if known is None else not beginning.lstrip(_BLANK).startswith(known)
    if beginning and foreign:
        what = f"a {path.suffix} file" if path.suffix else "text"
        raise DestinationError(f"{path}: exists and is not {what}; move it away, or name another file")


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFREG: "a file",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")
