"""Payload: a chat completion as endpoints and batch results send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from persona_engine.generator.llm.chat import Completion, RequestError

_THOUGHTS = ("reasoning_content", "reasoning")


def completion_of(payload: Mapping[str, Any], model: str, place: str) -> Completion:
    """The completion in the body of an answer; `place` is named in errors.

    `finish_reason` is the endpoint's, or `refusal`, or `reasoning` where text stands in the reasoning fields alone.

    Raises:
        RequestError: a body without choices.
    """
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise RequestError(f"{place} sent an answer without choices")
    message = _object(choices[0], "message")
    # Reasoning models send their thoughts in a field of their own; the answer is in `content` alone.
    text = message.get("content") or ""
    reason = "refusal" if message.get("refusal") else str(choices[0].get("finish_reason") or "stop")
    if reason != "length" and not str(text).strip() and any(message.get(name) for name in _THOUGHTS):
        reason = "reasoning"
    used = _object(payload, "usage")
    return Completion(
        text=str(text),
        model=model,
        finish_reason=reason,
        prompt_tokens=_count(used.get("prompt_tokens")),
        completion_tokens=_count(used.get("completion_tokens")),
    )


def _object(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What a body has under a name, if it is an object; servers put anything there."""
    said = payload.get(name)
    return said if isinstance(said, dict) else {}


def _count(said: object) -> int:
    return said if isinstance(said, int) and said > 0 else 0
