"""PersonasError: the base of every error of this package, which separates expected errors from defects."""

from __future__ import annotations

from typing import ClassVar


class PersonasError(Exception):
    """An error caused by a user, the data or an endpoint, described in one line.

    Subclasses also derive from a matching built-in error (`ValueError`, `OSError`, `KeyError`). The one exception is an
    interrupt, which derives only from `KeyboardInterrupt`, so that no handler of errors catches it.

    Attributes:
        exit_code: exit code of a command that ends with it: 2 for wrong usage or config, 1 if data, disk or endpoint
            failed.
        hint: the remedy, if it is not part of the message.
    """

    exit_code: ClassVar[int] = 2
    hint: str = ""

    @property
    def message(self) -> str:
        """The message with value, place and remedy in one line."""
        line = " ".join(str(self).split())
        return f"{line}; {self.hint}" if self.hint and self.hint not in line else line


class DatasetError(PersonasError, ValueError):
    """A dataset that cannot be read or written; the message names file, place and remedy."""
