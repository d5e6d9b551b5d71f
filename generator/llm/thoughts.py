"""Thoughts: separates what a reasoning model writes before its answer from the answer."""

from __future__ import annotations

# Marks of DeepSeek and Qwen, of models that follow them, and of Mistral's Magistral.
# https://huggingface.co/deepseek-ai/DeepSeek-R1, https://huggingface.co/mistralai/Magistral-Small-2506
_MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
)


def without_thoughts(text: str, opening: str = "<think>", closing: str = "</think>") -> str:
    """Return the text without `<think>…</think>`; a thought without an end stays."""
    parts, end = [], 0
    while (start := text.find(opening, end)) >= 0 and (closed := text.find(closing, start)) >= 0:
        parts.append(text[end:start])
        end = closed + len(closing)
    return "".join([*parts, text[end:]])


def separate_thoughts(text: str) -> tuple[str, str]:
    """Split a text into the answer and its thoughts, in linear time.

    Thoughts come first: a text that begins with a brace has none, and a mark in it belongs to the answer. A thought
    without a closing mark extends to the end of the text. One without an opening mark begins at the start: the chat
    template wrote the mark into the prompt.
    """
    if text.lstrip()[:1] == "{":
        return text, ""
    bare = text
    for opening, closing in _MARKS:
        if opening in bare or closing in bare:
            bare = without_thoughts(bare, opening, closing)
            bare = bare.partition(opening)[0]
            bare = bare.rpartition(closing)[2]
    return (bare, _rest(text, bare)) if bare != text else (text, "")


def _rest(text: str, bare: str) -> str:
    """Return a text as long as the thoughts, for counting: the text shortened by the answer's length."""
    return text[: len(text) - len(bare)]
