"""Source: an official file that a table was computed from, as provenance records it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from census_personas.foundation.errors import PersonasError

BLOCK = 1 << 20


class SourceError(PersonasError, ValueError):
    """An official file that is missing or not what its publisher documents; says which and what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """One official file, or one folder of files of the same kind.

    Attributes:
        file: path relative to the folder of sources; ends in `/` for a folder.
        publisher: who answers for the figures.
        title: the publication, with table number where it has one.
        vintage: the period the figures describe.
        universe: who or what is counted.
        url: where the publisher keeps it.
        licence: terms of reuse.
        released: when it was published, as far as it is known.
        beside: further files that belong to it, such as a table's legend.
        key: its short name, where it is not to be made from `file`; needed without a file.
    """

    file: str
    publisher: str
    title: str
    vintage: str
    universe: str
    url: str
    licence: str = "public domain"
    released: str = ""
    beside: tuple[str, ...] = ()
    key: str = ""

    @property
    def name(self) -> str:
        """Short name: the key if it has one, else the path without slash at its end and without suffixes."""
        if self.key:
            return self.key
        path = Path(self.file)
        return (path.parent / path.name.split(".")[0]).as_posix()

    def paths(self, folder: Path) -> list[Path]:
        """Every file of it under a folder of sources, sorted."""
        if not self.file:
            return []
        place = folder / self.file
        own = (
            sorted(path for path in place.iterdir() if path.is_file()) if self.file.endswith("/") else [place]
        )
        return [*own, *(folder / name for name in self.beside)]


def missing(sources: Iterable[Source], folder: Path) -> None:
    """Look for every file before hours are spent on the first.

    Raises:
        SourceError: naming the first file that is not there, how many more, and where it is published.
    """
    lost = [
        (source, path)
        for source in sources
        for path in (folder / source.file, *(folder / name for name in source.beside))
        if not path.exists()
    ]
    if lost:
        source, path = lost[0]
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        raise SourceError(
            f"{path}: no such file{more}; {source.title} is published at {source.url} (--sources names the folder of "
            f"the official files)"
        )


def sha256(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
