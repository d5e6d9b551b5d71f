"""Answers: parse a model's text into the fields that were asked for."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from census_personas.foundation.errors import PersonasError
from census_personas.generator.llm.body import MOST_DEPTH, depth
from census_personas.generator.llm.thoughts import without_thoughts
from census_personas.prompts.fields import FieldSpec
from census_personas.validators.finding import Finding

CODE = "answer_shape"
THINKING_OFF = (
    "turn thinking off (--set llm.chat_template_kwargs.enable_thinking=false for vLLM, SGLang and llama.cpp, "
    "--set llm.reasoning_effort=none or =low for others), or serve the model without a reasoning parser"
)
# Finish reason -> why there is no object to read, and the remedy.
_CAUSES = {
    "reasoning": ("its text stands in the message's reasoning, not in content", THINKING_OFF),
    "length": (
        "it was cut off at the token limit",
        f"raise llm.max_tokens; if the model thinks first, {THINKING_OFF}",
    ),
    "refusal": ("the model refused", "change the prompts, or ask another model"),
    "content_filter": ("the endpoint's filter withheld it", "change the prompts, or ask another endpoint"),
}
MOST_ITEMS = 1_000
"""Most items of a list; a longer one is not read."""
LONGEST_ITEM = 1_000
"""Most characters of an item; longer ones are cut, and asked for again."""
LONGEST_FIELD = 4_000
"""Characters to which a text above its maximum is cut, unless its maximum is larger."""
_FENCE = "```"
_THINKING = "<think>"
_OPENING = re.compile(r'\{\s*["}]')
# Some guided decoders let control characters into strings (xgrammar with maxLength).
_DECODER = json.JSONDecoder(strict=False)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_LONGEST_NUMBER = 9


class AnswerError(PersonasError, ValueError):
    """A text without a JSON object."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The fields that could be read, and findings about the others."""

    values: Mapping[str, Any]
    findings: tuple[Finding, ...]


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object in a text that may also hold code fences, thoughts, prose and control characters.

    Raises:
        AnswerError: the text has no whole object; the message quotes its beginning.
    """
    found = _strict(text)
    return _lenient(text) if found is None else found


def _strict(text: str) -> dict[str, Any] | None:
    """Parse a text that is one JSON object and nothing else: the usual case, and fast. None for any other text."""
    if text.startswith("{") and _THINKING not in text:
        with contextlib.suppress(ValueError):
            return dict(orjson.loads(text)) if depth(text) <= MOST_DEPTH else None
    return None


def _lenient(text: str) -> dict[str, Any]:
    bare = without_thoughts(text)
    if depth(bare) > MOST_DEPTH:
        raise AnswerError(f"the answer is nested more than {MOST_DEPTH} levels deep")
    for candidate in (bare, *_fenced(bare)):
        # An object begins with a brace and a quotation mark; other braces are prose.
        opening = _OPENING.search(candidate)
        if opening is None:
            continue
        try:
            value, _ = _DECODER.raw_decode(candidate, opening.start())
        except (ValueError, RecursionError):
            continue
        return dict(value)
    shown = " ".join(text[:_QUOTED].split())[:80]
    raise AnswerError(f"no JSON object in the answer ({shown!r})" if shown else "the answer is empty")


def unreadable(error: AnswerError, finish_reason: str) -> str:
    """Describe why an answer could not be read."""
    return f"{error}: {_CAUSES[finish_reason][0]}" if finish_reason in _CAUSES else str(error)


def remedy(reason: str) -> str:
    """Return a remedy for a reason as `unreadable` words it; empty if none is known."""
    if "<think>" in reason:
        return THINKING_OFF
    if "no JSON object in the answer" in reason and not any(cause in reason for cause, _ in _CAUSES.values()):
        return "check that the endpoint honours llm.structured_output"
    return next((said for cause, said in _CAUSES.values() if cause in reason), "")


_QUOTED = 400


def _fenced(text: str) -> list[str]:
    """Return the texts between pairs of code fences."""
    inside = text.split(_FENCE)[1:-1:2]
    return [part[4:] if part[:4].lower() == "json" else part for part in inside]


def read(text: str, fields: Sequence[FieldSpec], fault: str = "", finish_reason: str = "stop") -> Answer:
    """Return the fields that were asked for, each checked for its kind and bounds; other keys are ignored.

    Time and memory are linear in the text for any content, and every value can be written to a file.

    Args:
        text: the model's text.
        fields: the fields that it was asked for.
        fault: why the answer is unusable, if that is known (see `Completion`).
        finish_reason: explains an answer without a readable object.
    """
    found = None if fault else _strict(text)
    # In strict JSON, control characters occur only as escapes.
    plain = found is not None and text.isascii() and "\\" not in text and "\x7f" not in text
    try:
        found = _lenient(text) if found is None and not fault else found
    except AnswerError as error:
        fault = unreadable(error, finish_reason)
    if found is None:
        return Answer({}, tuple(Finding(CODE, "error", field.name, fault) for field in fields))
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for field in fields:
        value = _cleaned(found.get(field.name), field, plain=plain)
        if value is None:
            said = _unreadable(found, field)
            findings.append(Finding(CODE, "error", field.name, f"{said}; write a {_KIND[field.kind]}"))
            continue
        values[field.name], message = _bounded(value, field)
        if message:
            findings.append(Finding(CODE, "error", field.name, message))
    return Answer(values, tuple(findings))


def misshapen(value: str, field: FieldSpec) -> Finding | None:
    """Return a finding about the size or characters of a text that was changed after parsing; None if it is sound."""
    message = _bounded(value, field)[1]
    return Finding(CODE, "error", field.name, message) if message else None


def _unreadable(found: Mapping[str, Any], field: FieldSpec) -> str:
    value = found.get(field.name)
    if field.kind == "list" and isinstance(value, list) and len(value) > MOST_ITEMS:
        return f"has {len(value)} items"
    return "is missing" if field.name not in found else f"is not a {field.kind}"


def _bounded(value: str | list[str] | int, field: FieldSpec) -> tuple[str | list[str] | int, str]:
    """Return the value, cut if it is far too long, and a message about its size or characters (empty if sound)."""
    size = value if isinstance(value, int) else len(value)
    message = ""
    if not field.minimum <= size <= field.maximum:
        message = f"{_SIZE[field.kind].format(size)}; write {field.minimum} to {field.maximum}"
    if isinstance(value, str):
        value = value[: max(field.maximum, LONGEST_FIELD)]
        return (value, message) if _is_writable(value) else (_replace_surrogates(value), message or _HALF)
    if isinstance(value, list):
        if max(map(len, value), default=0) > LONGEST_ITEM:
            longest = max(map(len, value))
            message = message or f"has an item of {longest} characters; write short phrases"
            value = [item[:LONGEST_ITEM] for item in value]
        if not all(map(_is_writable, value)):
            value, message = [_replace_surrogates(item) for item in value], message or _HALF
    return value, message


_HALF = "holds half of a character (a lone surrogate); write the text again"


def _is_writable(text: str) -> bool:
    return text.isascii() or _SURROGATE.search(text) is None


def _replace_surrogates(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


_KIND = {"text": "text", "list": "list of texts", "score": "whole number"}
_SIZE = {"text": "has {} characters", "list": "has {} items", "score": "is {}"}


def _cleaned(value: object, field: FieldSpec, *, plain: bool) -> str | list[str] | int | None:
    if field.kind == "score":
        # Without a schema, a model may write the number as a text.
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        return int(value) if isinstance(value, str) and _is_number(value) else None
    if field.kind == "text":
        return _line(value, plain) if isinstance(value, str) else None
    if not isinstance(value, list) or len(value) > MOST_ITEMS or not all(isinstance(i, str) for i in value):
        return None
    return list(dict.fromkeys(item for text in value if (item := _item(_line(text, plain)))))


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST_NUMBER and text.isdecimal()


def _line(text: str, plain: bool) -> str:
    if (plain or text.isprintable()) and "  " not in text:
        return text.strip()
    return " ".join(_CONTROL.sub(" ", text).split())


def _item(line: str) -> str:
    return (line if line[:1].isalpha() else _BULLET.sub("", line)).rstrip(".;,")
