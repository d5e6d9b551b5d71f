"""Thoughts: what a reasoning model writes before its answer, told from the answer."""

from __future__ import annotations

# How models mark them: DeepSeek and Qwen, others after them; Mistral's Magistral.
# https://huggingface.co/deepseek-ai/DeepSeek-R1, https://huggingface.co/mistralai/Magistral-Small-2506
_MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
)


def without_thoughts(text: str, opening: str = "<think>", closing: str = "</think>") -> str:
    """The text without `<think>…</think>`; a thought that does not end is left."""
    parts, end = [], 0
    while (start := text.find(opening, end)) >= 0 and (closed := text.find(closing, start)) >= 0:
        parts.append(text[end:start])
        end = closed + len(closing)
    return "".join([*parts, text[end:]])


def separate_thoughts(text: str) -> tuple[str, str]:
    """The answer in a text, and its thoughts; nothing of a thought is in the answer. Time is linear in the text.

    Thoughts come first: a text that begins with a brace has none, and a mark in it is a word of the answer. A thought
    that does not end goes to the end of the text; one whose beginning the chat template wrote into the prompt has only
    its closing mark.
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
    """The thoughts, for their length: the text without as many characters as the answer has."""
    return text[: len(text) - len(bare)]
