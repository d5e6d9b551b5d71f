"""Backends: from configuration to a chat model."""

from __future__ import annotations

from persona_engine.generator.config import LLMConfig
from persona_engine.generator.llm.chat import ChatModel


def connect(config: LLMConfig) -> ChatModel:
    """The chat model that `config.backend` names. No request is sent yet; call `aclose()` when done."""
    if config.backend == "offline":
        from persona_engine.generator.llm.offline import OfflineNarrator  # noqa: PLC0415 - one backend is loaded

        return OfflineNarrator()
    from persona_engine.generator.llm.openai_compatible import OpenAICompatible  # noqa: PLC0415 - as above
    from persona_engine.generator.llm.openai_sdk import OpenAISDK  # noqa: PLC0415 - as above
    from persona_engine.generator.llm.transport import Address  # noqa: PLC0415 - as above

    address = Address(config)
    return OpenAICompatible(config, address, OpenAISDK(config, address))
