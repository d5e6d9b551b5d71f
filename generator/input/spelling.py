"""Spelling: headers and cells of other people's files, as texts that can be compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

OLDEST = 130
"""No age of a person is above it."""
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
    """The label of a value such as `2. Female` or `2 = Female`; the text itself where no code begins it."""
    return _CODED.sub("", text, count=1)


def is_negative(text: str) -> bool:
    """Whether a cell is a negative whole number, as surveys code what they do not know."""
    return re.fullmatch(r"-\d+", text) is not None
