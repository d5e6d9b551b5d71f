"""Payload: parses a chat completion from an endpoint or batch file and checks that it is usable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from census_personas.generator.llm.chat import Completion, UnreadableError
from census_personas.generator.llm.redaction import Secrets
from census_personas.generator.llm.thoughts import separate_thoughts

MOST_CHARACTERS = 2**20
"""Most characters of an answer's text, including thoughts."""
MOST_TOKENS = 10_000_000
"""Most tokens that an answer can take; a larger count from a server is not believed."""
BYTES_PER_TOKEN = 4
"""UTF-8 bytes per token, if an endpoint does not count: English takes 4 to 5, other scripts 2 to 4."""
_SHORT = 8  # shorter answers may be reported as 0 tokens
_REASONS = frozenset({"stop", "length", "content_filter", "tool_calls", "function_call", "abort", "error"})
_REASONING = ("reasoning_content", "reasoning")


def completion_of(
    payload: Mapping[str, Any],
    model: str,
    place: str,
    messages: Sequence[Mapping[str, str]] = (),
    secrets: Secrets | None = None,
) -> Completion:
    """Return the completion in the body of an answer.

    Args:
        payload: the body.
        model: the name for the completion; the name in the body is not used.
        place: named in errors.
        messages: the request; its tokens are estimated from its length if the body has no usable count.
        secrets: an answer that holds one of them is unusable.

    Thoughts, in separate fields or in the text before the answer, are counted and left out. `finish_reason` is the
    endpoint's, or `refusal`, or `reasoning` if there are only thoughts.

    Raises:
        UnreadableError: the body has no choices, such as an error that is sent as an answer.
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
    """Return the answer, or one with a fault and no text if it cannot be used; for new and for stored answers."""
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
        # Half of a surrogate pair is not a character and cannot be encoded.
        clean = answer.text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        return answer if clean == answer.text else replace(answer, text=clean)
    return answer


def tokens(*texts: str) -> int:
    """Return the tokens of texts, estimated from their length."""
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return -(-size // BYTES_PER_TOKEN)


def counted_tokens(payload: Mapping[str, Any]) -> int:
    """Return the completion tokens by the body's count; 1 if it has none."""
    return _count(_object(payload, "usage").get("completion_tokens")) or 1


_SECRET = "the answer repeats a key or password of this environment"  # noqa: S105 - a message, not a secret


def _unusable(answer: Completion, fault: str) -> Completion:
    return replace(answer, text="", fault=fault)


def _content(said: object) -> str | None:
    """Return the text of a message; thoughts of reasoning models are in separate fields or parts."""
    if said is None:
        return ""
    if isinstance(said, list):
        parts = [part.get("text") for part in said if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str)) if parts else None
    return said if isinstance(said, str) else None


def _reasoning(message: Mapping[str, Any]) -> list[str]:
    """Return the thoughts in separate fields. Some servers send the same ones in both fields: count them once."""
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
    """Return a body's value under a name if it is an object, else an empty one."""
    said = payload.get(name)
    return said if isinstance(said, dict) else {}


def _count(said: object) -> int:
    """Return a plausible count; 0 for anything else."""
    return said if type(said) is int and 0 < said <= MOST_TOKENS else 0
