"""Payload: a chat completion as endpoints and batch results send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from persona_engine.generator.llm.chat import Completion, RequestError


def completion_of(payload: Mapping[str, Any], model: str, place: str) -> Completion:
    """The completion in the body of an answer; `place` is named in errors.

    Raises:
        RequestError: a body without choices.
    """
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise RequestError(f"{place} sent an answer without choices")
    message = choices[0].get("message") or {}
    # Reasoning models send their thoughts in a field of their own; the answer is in `content` alone.
    text = message.get("content") or ""
    reason = "refusal" if message.get("refusal") else str(choices[0].get("finish_reason") or "stop")
    used = payload.get("usage") or {}
    return Completion(
        text=str(text),
        model=model,
        finish_reason=reason,
        prompt_tokens=int(used.get("prompt_tokens") or 0),
        completion_tokens=int(used.get("completion_tokens") or 0),
    )
