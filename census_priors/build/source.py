"""Source: an official file behind a table, as recorded in the provenance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from census_personas.foundation.errors import PersonasError

BLOCK = 1 << 20


class SourceError(PersonasError, ValueError):
    """An official file that is missing or differs from its documentation; the message names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Source:
    """One official file, or one folder of files of the same kind.

    Attributes:
        file: path relative to the folder of sources; ends in `/` for a folder.
        publisher: publisher of the figures.
        title: the publication, with its table number, if any.
        vintage: period of the figures.
        universe: people or things that are counted.
        url: address at the publisher.
        licence: terms of reuse.
        released: date of publication, if known.
        beside: further files of it, such as a table's legend.
        key: short name, if not derived from `file`; required without a file.
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
        """Short name: the key, else the path without final slash and suffixes."""
        if self.key:
            return self.key
        path = Path(self.file)
        return (path.parent / path.name.split(".")[0]).as_posix()

    def paths(self, folder: Path) -> list[Path]:
        """Return all its files under a folder of sources, sorted."""
        if not self.file:
            return []
        place = folder / self.file
        own = (
            sorted(path for path in place.iterdir() if path.is_file()) if self.file.endswith("/") else [place]
        )
        return [*own, *(folder / name for name in self.beside)]


def missing(sources: Iterable[Source], folder: Path) -> None:
    """Refuse a folder that lacks a source file, before any long computation.

    Raises:
        SourceError: the message names the first missing file, how many more, and where it is published.
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
    """Compute the SHA-256 of a file in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
