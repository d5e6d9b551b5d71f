"""Lock: the digests of a locale's compiled files, in the format of `sha256sum --check`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from census_personas.census_priors.lookup import REMEDY
from census_personas.census_priors.marginal import TableError

LOCK = "tables.lock"
COMPILED = ("tables/*", "lookups/*", "provenance.yaml")
_LINE = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<name>\S.*)")


def digests(folder: Path) -> Mapping[str, str]:
    """Compute the SHA-256 of every compiled file, sorted by its path in the locale."""
    paths = sorted(path for pattern in COMPILED for path in folder.glob(pattern) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def write_lock(folder: Path) -> None:
    """Write the digests of the current compiled files."""
    lines = [f"{digest}  {name}\n" for name, digest in digests(folder).items()]
    (folder / LOCK).write_text("".join(lines), encoding="utf-8")


def read_lock(folder: Path) -> Mapping[str, str] | None:
    """Read the digests by path; None if a locale has no lock.

    Raises:
        TableError: the file is not a lock.
    """
    path = folder / LOCK
    if not path.exists():
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: cannot be read as UTF-8 text ({error}); {REMEDY}") from error
    locked = {}
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise TableError(
                f"{path}:{number}: {line[:40]!r} is not a SHA-256, two spaces and a path; {REMEDY}"
            )
        locked[found["name"]] = found["digest"]
    return locked


def diff_lock(folder: Path) -> list[str]:
    """List the differences from the lock, one line each; empty if there is no lock."""
    locked = read_lock(folder)
    if locked is None:
        return []
    present = digests(folder)
    faults = [f"{name}: is locked and missing" for name in sorted(locked.keys() - present.keys())]
    faults += [f"{name}: is not in {LOCK}" for name in sorted(present.keys() - locked.keys())]
    changed = sorted(name for name in locked.keys() & present.keys() if locked[name] != present[name])
    return [*faults, *(f"{name}: differs from {LOCK}" for name in changed)]
