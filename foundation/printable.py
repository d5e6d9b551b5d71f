"""Printable: untrusted text as one line without terminal control codes."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text in one line, in which every character that a terminal could obey stands as its escape."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
