"""Printable: untrusted text as one line without terminal control codes."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text in one line, with every non-printable character escaped."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
