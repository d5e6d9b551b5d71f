"""Lock: the digests of a locale's compiled files, in the form that `sha256sum --check` reads too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

LOCK = "tables.lock"
COMPILED = ("tables/*", "lookups/*", "provenance.yaml")


def digests(folder: Path) -> Mapping[str, str]:
    """SHA-256 of every compiled file, by its path in the locale, sorted."""
    paths = sorted(path for pattern in COMPILED for path in folder.glob(pattern) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def write_lock(folder: Path) -> None:
    """Write the digests of the compiled files as they stand."""
    lines = [f"{digest}  {name}\n" for name, digest in digests(folder).items()]
    (folder / LOCK).write_text("".join(lines), encoding="utf-8")


def read_lock(folder: Path) -> Mapping[str, str] | None:
    """The digests that were written, by path; None where a locale has no lock."""
    path = folder / LOCK
    if not path.is_file():
        return None
    pairs = (line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines() if line)
    return {name: digest for digest, name in pairs}


def changes(folder: Path) -> list[str]:
    """What differs from the lock, one line each; none where there is no lock."""
    locked = read_lock(folder)
    if locked is None:
        return []
    found = digests(folder)
    faults = [f"{name}: is locked and missing" for name in sorted(locked.keys() - found.keys())]
    faults += [f"{name}: is not in {LOCK}" for name in sorted(found.keys() - locked.keys())]
    changed = sorted(name for name in locked.keys() & found.keys() if locked[name] != found[name])
    return [*faults, *(f"{name}: differs from {LOCK}" for name in changed)]
