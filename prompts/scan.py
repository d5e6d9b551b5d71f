"""Scan: limits on a template's tokens, checked before Jinja parses it."""

from __future__ import annotations

from collections.abc import Iterable

Token = tuple[int, str, str]

MAX_TOKENS = 6_000
MAX_TAG_TOKENS = 400
MAX_BRACKETS = 16
MAX_BLOCKS = 12
MAX_NUMBER_CHARS = 18
TAGS = ("block", "elif", "else", "endblock", "endfor", "endif", "for", "if", "include")
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_BEGIN, _END = frozenset({"block_begin", "variable_begin"}), frozenset({"block_end", "variable_end"})
_OPENING = frozenset({"block", "for", "if"})
_NUMBERS = frozenset({"integer", "float"})
_COUNTED = frozenset({"name", "operator", "string", *_NUMBERS})


def scan(tokens: Iterable[Token], most: int = MAX_TOKENS) -> tuple[list[tuple[int, str]], int]:
    """Return line and reason of the first violation, if any, and the number of tokens read.

    Args:
        tokens: line, kind and text of each token from Jinja's lexer, read only as far as needed.
        most: most tokens of this template.
    """
    brackets = blocks = length = total = 0
    begun = ""
    for line, kind, text in tokens:
        if kind in _BEGIN:
            begun, length, brackets = kind, 0, 0
        elif kind in _END:
            begun = ""
        elif begun and kind in _COUNTED:
            length, total = length + 1, total + 1
            is_tag = begun == "block_begin" and length == 1
            if is_tag and text not in TAGS:
                return [(line, f"{text[:40]!r} is not allowed in a prompt; tags: {', '.join(TAGS)}")], total
            blocks += (text in _OPENING) - text.startswith("end") if is_tag else 0
            brackets += (text in _OPEN) - (text in _CLOSE) if kind == "operator" else 0
            if reason := _excess(kind, text, length, brackets, blocks) or _too_many(total, most):
                return [(line, reason)], total
    return [], total


def _excess(kind: str, text: str, length: int, brackets: int, blocks: int) -> str:
    if length > MAX_TAG_TOKENS:
        return f"an expression or tag has more than {MAX_TAG_TOKENS} parts; simplify it"
    if brackets > MAX_BRACKETS:
        return f"brackets are nested more than {MAX_BRACKETS} deep; simplify the expression"
    if blocks > MAX_BLOCKS:
        return f"tags are nested more than {MAX_BLOCKS} deep; simplify the template"
    if kind in _NUMBERS and len(text) > MAX_NUMBER_CHARS:
        return f"a number of {len(text)} digits; use at most {MAX_NUMBER_CHARS}"
    return ""


def _too_many(total: int, most: int) -> str:
    if total <= most:
        return ""
    return (
        f"the templates of this set have more than {MAX_TOKENS} names, numbers, texts and signs; shorten them"
    )
