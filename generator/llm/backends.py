"""Backends: from configuration to a chat model."""

from __future__ import annotations

from pathlib import Path

from persona_engine.generator.config import LLMConfig
from persona_engine.generator.llm.chat import ChatModel
from persona_engine.generator.llm.endpoint import Endpoint
from persona_engine.generator.llm.transport import Address, Transport


def connect(config: LLMConfig, locale: str | Path = "en_US") -> ChatModel:
    """The chat model that `config.backend` names; the offline narrator writes in the grammar of `locale`.

    No request is sent yet; call `aclose()` when done.
    """
    if config.backend == "offline":
        from persona_engine.generator.llm.offline.narrator import OfflineNarrator  # noqa: PLC0415 - one backend is loaded

        return OfflineNarrator.load(locale)
    from persona_engine.generator.llm.openai_compatible import OpenAICompatible  # noqa: PLC0415 - as above

    addresses = Address.all_of(config)
    return OpenAICompatible(config, [Endpoint(config, each, _transport(config, each)) for each in addresses])


def _transport(config: LLMConfig, address: Address) -> Transport:
    if config.transport == "lean":
        from persona_engine.generator.llm.lean import Lean  # noqa: PLC0415 - one transport is loaded

        return Lean(config, address)
    from persona_engine.generator.llm.openai_sdk import OpenAISDK  # noqa: PLC0415 - as above

    return OpenAISDK(config, address)
