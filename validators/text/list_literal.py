"""List literals: lists of strings as Python or numpy prints them, which is how the public releases store them."""

from __future__ import annotations

import ast
import re
from typing import Any

# A list of strings without escapes; matched here because parsing it as Python is slower.
_PLAIN_LIST = re.compile(r"""\[(?:(?:'[^'\\\n]*'|"[^"\\\n]*")(?:, |(?=\])))*\]""")
_ITEM = re.compile(r"""'([^']*)'|"([^"]*)\"""")
# How numpy prints an array, and pandas stores one in a CSV file: no commas, and line breaks.
_STRING = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_ARRAY = re.compile(rf"\[{_STRING}(?:\s+{_STRING})+\]")
_STRINGS = re.compile(_STRING)


def as_list(value: Any) -> list[str] | None:
    """Return the strings of a list, an array or a list literal; None for anything else."""
    if isinstance(value, str):
        return parse_list(value)
    if value is None or not hasattr(value, "__iter__"):
        return None
    return [str(item) for item in value]


def parse_list(text: str) -> list[str] | None:
    """Return the strings in the literal of a Python list or a numpy array; None for other text."""
    if not text.startswith("["):
        return None
    if text.startswith("['") and text.endswith("']") and '"' not in text and "\\" not in text:
        items = text[2:-2].split("', '")
        if text.count("'") == 2 * len(items) and "\n" not in text:
            return items
    if _PLAIN_LIST.fullmatch(text):
        return [one or other for one, other in _ITEM.findall(text)]
    if _ARRAY.fullmatch(text):  # Python would concatenate its items into one string
        return [str(ast.literal_eval(item)) for item in _STRINGS.findall(text)]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return [str(item) for item in value] if isinstance(value, list) else None
