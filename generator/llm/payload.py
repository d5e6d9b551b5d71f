"""Payload: a chat completion from an endpoint or batch file, parsed and checked for usability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from census_personas.generator.llm.chat import Completion, UnreadableError
from census_personas.generator.llm.redaction import Secrets
from census_personas.generator.llm.thoughts import separate_thoughts

MOST_CHARACTERS = 2**20
"""Of an answer's text, thoughts and all."""
MOST_TOKENS = 10_000_000
"""That one answer can have taken: what a server counts beyond them is no count."""
BYTES_PER_TOKEN = 4
"""Of UTF-8, where an endpoint does not count: English takes 4 to 5, other scripts 2 to 4."""
_SHORT = 8  # characters of which an endpoint may say that they are no token
_REASONS = frozenset({"stop", "length", "content_filter", "tool_calls", "function_call", "abort", "error"})
_REASONING = ("reasoning_content", "reasoning")


def completion_of(
    payload: Mapping[str, Any],
    model: str,
    place: str,
    messages: Sequence[Mapping[str, str]] = (),
    secrets: Secrets | None = None,
) -> Completion:
    """The completion in the body of an answer.

    Args:
        payload: the body.
        model: the name that the completion bears; what the body says of it is not used.
        place: named in errors.
        messages: what was asked, whose tokens are counted from their length where the body has no usable count.
        secrets: an answer that holds one of them is unusable.

    Thoughts, in fields of their own or in the text before the answer, are counted and left out. `finish_reason` is the
    endpoint's, or `refusal`, or `reasoning` where there are thoughts alone.

    Raises:
        UnreadableError: a body without choices, such as an error that is sent as an answer.
    """
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise UnreadableError(f"{place} sent an answer without choices", size=0)
    message = _object(choices[0], "message")
    whole = _content(message.get("content"))
    text, thought = (None, "") if whole is None else separate_thoughts(whole)
    said, used = choices[0].get("finish_reason"), _object(payload, "usage")
    read, written = _count(used.get("prompt_tokens")), _count(used.get("completion_tokens"))
    cached = _count(_object(used, "prompt_tokens_details").get("cached_tokens"))
    refusal = message.get("refusal")
    thoughts = [thought, *_reasoning(message), *([refusal] if isinstance(refusal, str) else [])]
    counted = _count(_object(used, "completion_tokens_details").get("reasoning_tokens"))
    reasoned = counted or tokens(thought, *_reasoning(message))
    answer = Completion(
        text=text if text is not None else "",
        model=model,
        finish_reason=_finish(message, text, _reason(said), thought),
        prompt_tokens=read or tokens(*(message["content"] for message in messages)),
        completion_tokens=written or tokens(text or "", *thoughts),
        fault="" if text is not None else "the content of the answer is not a text",
        estimated=not (read and (written or len(text or "") < _SHORT)),
        cached_tokens=min(cached, read),
        reasoning_tokens=min(reasoned, written) if written else reasoned,
    )
    beside = [part for part in (said, payload.get("model")) if isinstance(part, str)]
    if secrets is not None and any(map(secrets.held_by, beside)):
        return _unusable(answer, _SECRET)
    return usable(answer, secrets)


def usable(answer: Completion, secrets: Secrets | None) -> Completion:
    """The answer, or one without text that says why it cannot be used, whatever wrote it down or kept it."""
    if max(answer.prompt_tokens, answer.completion_tokens) > MOST_TOKENS:
        counted = tokens(answer.text)
        answer = replace(
            answer,
            prompt_tokens=0,
            completion_tokens=counted,
            estimated=True,
            cached_tokens=0,
            reasoning_tokens=0,
        )
    if len(answer.text) > MOST_CHARACTERS:
        return _unusable(answer, f"the answer is longer than {MOST_CHARACTERS} characters")
    if secrets is not None and secrets.held_by(answer.text):
        return _unusable(answer, _SECRET)
    if not answer.text.isascii():
        # Half of a surrogate pair stands for no character: nothing could write it down.
        clean = answer.text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        return answer if clean == answer.text else replace(answer, text=clean)
    return answer


def tokens(*texts: str) -> int:
    """Tokens of texts, counted from their length."""
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return -(-size // BYTES_PER_TOKEN)


def counted_tokens(payload: Mapping[str, Any]) -> int:
    """Tokens written, as the body counts them; 1 where it does not."""
    return _count(_object(payload, "usage").get("completion_tokens")) or 1


_SECRET = "the answer repeats a key or password of this environment"  # noqa: S105 - says so, and is none


def _unusable(answer: Completion, fault: str) -> Completion:
    return replace(answer, text="", fault=fault)


def _content(said: object) -> str | None:
    """The text of a message; the thoughts of reasoning models stand in fields, or parts, of their own."""
    if said is None:
        return ""
    if isinstance(said, list):
        parts = [part.get("text") for part in said if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str)) if parts else None
    return said if isinstance(said, str) else None


def _reasoning(message: Mapping[str, Any]) -> list[str]:
    """The thoughts in fields of their own. Some servers send the same ones in both fields: they are counted once."""
    return list(dict.fromkeys(said for name in _REASONING if isinstance(said := message.get(name), str)))


def _finish(message: Mapping[str, Any], text: str | None, reason: str, thought: str) -> str:
    if message.get("refusal"):
        return "refusal"
    thinks = thought or any(message.get(name) for name in _REASONING)
    return "reasoning" if thinks and reason != "length" and text is not None and not text.strip() else reason


def _reason(said: object) -> str:
    if said is None or said == "":
        return "stop"
    return said if isinstance(said, str) and said in _REASONS else "other"


def _object(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What a body has under a name, if it is an object; servers put anything there."""
    said = payload.get(name)
    return said if isinstance(said, dict) else {}


def _count(said: object) -> int:
    """A count that can be one; 0 for anything else."""
    return said if type(said) is int and 0 < said <= MOST_TOKENS else 0
