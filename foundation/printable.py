"""Printable: untrusted text that can be written, and shown as one line without terminal control codes."""

from __future__ import annotations

NO_TEXT = "is not UTF-8 text; write it in UTF-8, or rename the file that it names"
"""Fault of a text with bytes that are no character, as in the name of a file from another system."""


def is_text(value: str) -> bool:
    """Return whether a text can be written as UTF-8: it has no lone surrogates."""
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def printable(text: str) -> str:
    """Return the text in one line, with every non-printable character escaped."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
