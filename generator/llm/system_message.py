"""System message: recognises endpoints that refuse one, and resends its text as a user message."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# Gemma: "System role not supported"; Mistral: "Conversation roles must alternate user/assistant/…", "Only user and
# assistant roles are supported!"; OpenAI: "'messages[0].role' does not support 'system' with this model"; Google:
# "Developer instruction is not enabled"; validators: "Input should be 'user' or 'assistant'".
_NO_SYSTEM = re.compile(
    r"system[ _](?:role|message|prompt|instruction)|\brole\b.{0,60}\bsystem\b|\bsystem\b.{0,60}\brole|"
    r"roles must alternate|developer instruction|only user\b.{0,40}\bassistant|'user' or 'assistant'",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"roles must alternate|system role|roles are supported|chat[ _]template|\bjinja|TemplateError|raise_exception",
    re.IGNORECASE,
)


def is_no_system_role(refusal: str) -> bool:
    """Return whether an endpoint's words say that the model takes no system message."""
    return _NO_SYSTEM.search(refusal) is not None


def is_template_error(said: str) -> bool:
    """Return whether an error message of status 500 or more says that the chat template refused the messages.

    llama.cpp and older vLLM answer so; the same messages would be refused again.
    """
    return _TEMPLATE.search(said) is not None


def fold_system(messages: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return the messages with the text of system messages in front of the next user message."""
    folded: list[Mapping[str, str]] = []
    held: list[str] = []
    for message in messages:
        if message["role"] == "system":
            held.append(message["content"])
        elif held and message["role"] == "user":
            folded.append({**message, "content": "\n\n".join((*held, message["content"]))})
            held = []
        else:
            folded.append(message)
    if held:
        folded.append({"role": "user", "content": "\n\n".join(held)})
    return folded
