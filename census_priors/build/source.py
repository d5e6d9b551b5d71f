"""Source: an official file that a table was computed from, as provenance records it."""

from __future__ import annotations

from dataclasses import dataclass


class SourceError(ValueError):
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
    """

    file: str
    publisher: str
    title: str
    vintage: str
    universe: str
    url: str
    licence: str = "public domain"
