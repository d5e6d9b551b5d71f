"""Spelling: normalizes headers and cells of user files for comparison."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

OLDEST = 130
"""No age of a person is above it."""
_WORDS = re.compile(r"[^\W_]+")
_CODED = re.compile(r"\s*\d+\s*[].:=)]\s*(?=\S)|\s*\d+\s+-\s+(?=\S)")


def plain(text: str) -> str:
    """Normalize case, width, blanks and punctuation: `High-School Grad` -> `highschoolgrad`."""
    return "".join(split_words(text))


def split_words(text: str) -> list[str]:
    """Return the words of a text in the spelling of `plain`."""
    return _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())


def cell_text(cell: Any) -> str | None:
    """Return a cell as text, None for an empty one; 12.0 or 12,0, as tables write whole numbers, becomes 12."""
    if cell is None or cell != cell:  # noqa: PLR0124  NaN
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip()
    return text[:-2] if re.fullmatch(r"-?\d+[.,]0", text) else text or None


def cell_texts(cell: Any) -> Sequence[str] | None:
    """The texts of a cell that holds a list, or a range as `{"min": 30, "max": 44}`; None of any other cell."""
    if isinstance(cell, list):
        parts: list[Sequence[str | None]] = [cell_texts(part) or [cell_text(part)] for part in cell]
        return [text for texts in parts for text in texts if text is not None]
    if isinstance(cell, dict) and cell and cell.keys() <= {"min", "max"}:
        first, last = cell_text(cell.get("min")), cell_text(cell.get("max"))
        return [f"{first or 0}-{last or OLDEST}"] if first or last else []
    return None


def without_code(text: str) -> str:
    """Return the label in a value such as `2. Female` or `[2] Female`; a text without a code is unchanged."""
    return _CODED.sub("", text, count=1)


def is_missing_code(text: str) -> bool:
    """Return whether a cell is a code for unknown: a negative whole number, or `.a` to `.z` as Stata and SAS have."""
    return re.fullmatch(r"-\d+|\.[A-Za-z]", text) is not None


def may_be_missing_code(text: str) -> bool:
    """Return whether a number is one that surveys write for unknown, if it means nothing else: 0, 99, 9998."""
    return re.fullmatch(r"0+|7{2,}|8{2,}|9+[789]", text) is not None
