"""Spelling: headers and cells of other people's files, as texts that can be compared."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_WORDS = re.compile(r"[^\W_]+")
_CODED = re.compile(r"\s*\d+\s*[.:=)]\s*(?=\S)|\s*\d+\s+-\s+(?=\S)")


def plain(text: str) -> str:
    """A text without case, blanks, accents of width and punctuation: `High-School Grad` -> `highschoolgrad`."""
    return "".join(_WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))


def cell_text(cell: Any) -> str | None:
    """What a cell says as text, None of an empty one; a whole number that a table made 12.0 of is 12 again."""
    if cell is None or cell != cell:  # noqa: PLR0124  NaN
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip()
    return text.removesuffix(".0") if re.fullmatch(r"-?\d+\.0", text) else text or None


def without_code(text: str) -> str:
    """The label of a value such as `2. Female` or `2 = Female`; the text itself where no code begins it."""
    return _CODED.sub("", text, count=1)


def is_negative(text: str) -> bool:
    """Whether a cell is a negative whole number, as surveys code what they do not know."""
    return re.fullmatch(r"-\d+", text) is not None
