"""Backends: from configuration to a chat model."""

from __future__ import annotations

from pathlib import Path

from persona_engine.generator.config import LLMConfig
from persona_engine.generator.llm.chat import ChatModel


def connect(config: LLMConfig, locale: str | Path = "en_US") -> ChatModel:
    """The chat model that `config.backend` names; the offline narrator writes in the grammar of `locale`.

    No request is sent yet; call `aclose()` when done.
    """
    if config.backend == "offline":
        from persona_engine.generator.llm.offline import OfflineNarrator  # noqa: PLC0415 - one backend is loaded

        return OfflineNarrator.load(locale)
    from persona_engine.generator.llm.openai_compatible import OpenAICompatible  # noqa: PLC0415 - as above
    from persona_engine.generator.llm.openai_sdk import OpenAISDK  # noqa: PLC0415 - as above
    from persona_engine.generator.llm.transport import Address  # noqa: PLC0415 - as above

    address = Address(config)
    return OpenAICompatible(config, address, OpenAISDK(config, address))
