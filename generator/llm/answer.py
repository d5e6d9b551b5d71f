"""Answers: what a model wrote, read as the fields that were asked for."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from persona_engine.prompts.fields import FieldSpec
from persona_engine.validators.finding import Finding

CODE = "answer_shape"
THINKING_OFF = (
    "turn thinking off at the server (vLLM: --default-chat-template-kwargs '{\"enable_thinking\": false}') "
    "or serve the model without a reasoning parser"
)
# Why there is no object to read, by finish reason, and the remedy.
_CAUSES = {
    "reasoning": ("its text stands in the message's reasoning, not in content", THINKING_OFF),
    "length": (
        "it was cut off at the token limit",
        f"raise llm.max_tokens; if the model thinks first, {THINKING_OFF}",
    ),
    "refusal": ("the model refused", "change the prompts, or ask another model"),
    "content_filter": ("the endpoint's filter withheld it", "change the prompts, or ask another endpoint"),
}
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL | re.IGNORECASE)
_THINKING = "<think>"
_OPENING = re.compile(r'\{\s*["}]')
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
# A decoder that keeps strings open through control characters is known (xgrammar with maxLength).
_DECODER = json.JSONDecoder(strict=False)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]+")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")


class AnswerError(ValueError):
    """Text in which no JSON object can be found."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The fields that could be read, and what is wrong with the others."""

    values: Mapping[str, Any]
    findings: tuple[Finding, ...]


def parse_object(text: str) -> dict[str, Any]:
    """The JSON object in a text, with code fences, thoughts, prose around it and control characters allowed.

    Raises:
        AnswerError: quoting the beginning of a text without a whole object.
    """
    found = _strict(text)
    return _lenient(text) if found is None else found


def _strict(text: str) -> dict[str, Any] | None:
    """Nearly always the answer is the object and nothing else, which a stricter and faster reader can tell."""
    if text.startswith("{") and _THINKING not in text:
        with contextlib.suppress(ValueError):
            return dict(orjson.loads(text))
    return None


def _lenient(text: str) -> dict[str, Any]:
    bare = _THOUGHT.sub("", text)
    fenced = [match.group(1) for match in _FENCE.finditer(bare)]
    for candidate in (bare, *fenced):
        # An object begins with a brace and a quotation mark; other braces are prose.
        opening = _OPENING.search(candidate)
        if opening is None:
            continue
        try:
            value, _ = _DECODER.raw_decode(candidate, opening.start())
        except ValueError:
            continue
        return dict(value)
    shown = " ".join(text.split())[:80]
    raise AnswerError(f"no JSON object in the answer ({shown!r})" if shown else "the answer is empty")


def unreadable(error: AnswerError, finish_reason: str) -> str:
    """Why nothing could be read, in words."""
    return f"{error}: {_CAUSES[finish_reason][0]}" if finish_reason in _CAUSES else str(error)


def remedy(reason: str) -> str:
    """What may help where answers are unreadable for this reason, as `unreadable` words it; else empty."""
    if "<think>" in reason:
        return THINKING_OFF
    if "no JSON object in the answer" in reason and not any(cause in reason for cause, _ in _CAUSES.values()):
        return "see that the endpoint honours llm.structured_output"
    return next((said for cause, said in _CAUSES.values() if cause in reason), "")


def read(text: str, fields: Sequence[FieldSpec], finish_reason: str = "stop") -> Answer:
    """The fields asked for, each of its kind and within its bounds; whatever else was sent is ignored.

    `finish_reason` explains an answer in which nothing can be read.
    """
    found = _strict(text)
    # Strict JSON has control characters in escapes alone.
    plain = found is not None and text.isascii() and "\\" not in text and "\x7f" not in text
    try:
        found = _lenient(text) if found is None else found
    except AnswerError as error:
        said = unreadable(error, finish_reason)
        return Answer({}, tuple(Finding(CODE, "error", field.name, said) for field in fields))
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for field in fields:
        value = _cleaned(found.get(field.name), field, plain=plain)
        if value is None:
            said = "is missing" if field.name not in found else f"is not a {field.kind}"
            findings.append(Finding(CODE, "error", field.name, f"{said}; write a {_KIND[field.kind]}"))
            continue
        values[field.name] = value
        size = value if isinstance(value, int) else len(value)
        if not field.minimum <= size <= field.maximum:
            message = f"{_SIZE[field.kind].format(size)}; write {field.minimum} to {field.maximum}"
            findings.append(Finding(CODE, "error", field.name, message))
    return Answer(values, tuple(findings))


_KIND = {"text": "text", "list": "list of texts", "score": "whole number"}
_SIZE = {"text": "has {} characters", "list": "has {} items", "score": "is {}"}


def _cleaned(value: object, field: FieldSpec, *, plain: bool) -> str | list[str] | int | None:
    if field.kind == "score":
        # Without a schema a model may write the number as a text.
        digits = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        return int(digits) if digits.isdecimal() else None
    if field.kind == "text":
        return _line(value, plain) if isinstance(value, str) else None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return list(dict.fromkeys(item for text in value if (item := _item(_line(text, plain)))))


def _line(text: str, plain: bool) -> str:
    if (plain or text.isprintable()) and "  " not in text:
        return text.strip()
    return " ".join(_CONTROL.sub(" ", text).split())


def _item(line: str) -> str:
    return (line if line[:1].isalpha() else _BULLET.sub("", line)).rstrip(".;,")
