"""Backends: from configuration to a chat model."""

from __future__ import annotations

from persona_engine.generator.config import LLMConfig
from persona_engine.generator.llm.chat import ChatModel


def connect(config: LLMConfig) -> ChatModel:
    """The chat model that `config.backend` names. No request is sent yet; call `aclose()` when done."""
    raise NotImplementedError
