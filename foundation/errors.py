"""PersonasError: what every error of this package is, so that a caller can tell ours from a defect."""

from __future__ import annotations

from typing import ClassVar


class PersonasError(Exception):
    """Something that a user, the data or an endpoint did, said in one line.

    Subclasses also derive from the built-in error that they stand for (`ValueError`, `OSError`, `KeyError`). The one
    exception is an interrupt, which derives from `KeyboardInterrupt` alone, so that nobody catches it with errors.

    Attributes:
        exit_code: of the command that ends with it: 2 for wrong usage or configuration, 1 where data, disk or endpoint
            fell short.
        hint: the remedy, where it is not part of the message.
    """

    exit_code: ClassVar[int] = 2
    hint: str = ""

    @property
    def message(self) -> str:
        """Value, place and remedy in one line."""
        line = " ".join(str(self).split())
        return f"{line}; {self.hint}" if self.hint and self.hint not in line else line


class DatasetError(PersonasError, ValueError):
    """A dataset that cannot be read or written; the message names file, place and remedy."""
