"""List literal: a list of strings written as Python or numpy writes it, as the columns of both releases are."""

from __future__ import annotations

import ast
import re
from typing import Any

# The literal of a list of strings without escapes, which need not be parsed as Python.
_PLAIN_LIST = re.compile(r"""\[(?:(?:'[^'\\\n]*'|"[^"\\\n]*")(?:, |(?=\])))*\]""")
_ITEM = re.compile(r"""'([^']*)'|"([^"]*)\"""")
# What numpy writes for an array, and pandas for one in a CSV file: no commas, and lines broken at its width.
_STRING = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_ARRAY = re.compile(rf"\[{_STRING}(?:\s+{_STRING})+\]")
_STRINGS = re.compile(_STRING)


def as_list(value: Any) -> list[str] | None:
    """The strings of a list, an array or such a literal, or None if the value is none of these."""
    if isinstance(value, str):
        return parse_list(value)
    if value is None or not hasattr(value, "__iter__"):
        return None
    return [str(item) for item in value]


def parse_list(text: str) -> list[str] | None:
    """The strings in the literal of a Python list or of a numpy array, or None if the text is none."""
    if not text.startswith("["):
        return None
    if text.startswith("['") and text.endswith("']") and '"' not in text and "\\" not in text:
        items = text[2:-2].split("', '")
        if text.count("'") == 2 * len(items) and "\n" not in text:
            return items
    if _PLAIN_LIST.fullmatch(text):
        return [one or other for one, other in _ITEM.findall(text)]
    if _ARRAY.fullmatch(text):  # which Python would read as one string
        return [str(ast.literal_eval(item)) for item in _STRINGS.findall(text)]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return [str(item) for item in value] if isinstance(value, list) else None
