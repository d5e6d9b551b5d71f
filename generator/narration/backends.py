"""Backends: from configuration to a chat model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.budget import Limits
from census_personas.generator.llm.chat import ChatModel
from census_personas.generator.llm.endpoint import Endpoint
from census_personas.generator.llm.open_files import affordable_connections
from census_personas.generator.llm.transport import Address, Transport

logger = logging.getLogger(__name__)


def connect(
    config: LLMConfig,
    locale: str | Path = "en_US",
    fields: Sequence[str] = (),
    limits: Limits | None = None,
) -> ChatModel:
    """The chat model that `config.backend` names; the offline narrator writes in the grammar of `locale`.

    No request is sent yet; call `aclose()` when done.

    Args:
        config: names the backend.
        locale: whose grammar the offline narrator writes in; or a grammar's folder.
        fields: what will be asked for.
        limits: on requests and spending that other processes share. Default: the config's, for this model alone.

    Raises:
        GrammarError: a grammar that cannot be used, or that has no symbol for one of the fields.
    """
    if config.backend == "offline":
        from census_personas.generator.offline.narrator import OfflineNarrator  # noqa: PLC0415 - one backend is loaded

        narrator = OfflineNarrator.load(locale)
        narrator.refuse_unwritable(fields)
        return narrator
    from census_personas.generator.llm.openai_compatible import OpenAICompatible  # noqa: PLC0415 - as above

    addresses = Address.all_of(config)
    config = _affordable(config, len(addresses))
    endpoints = [
        Endpoint(
            config,
            each,
            _transport(config, each),
            None if limits is None else limits.gate(config.concurrency),
        )
        for each in addresses
    ]
    return OpenAICompatible(config, endpoints, None if limits is None else limits.budget)


def _affordable(config: LLMConfig, endpoints: int) -> LLMConfig:
    """The configuration with no more requests at once, at each endpoint, than this process may open connections."""
    at_once = endpoints * config.concurrency
    allowed = affordable_connections(at_once)
    if allowed == at_once:
        return config
    logger.warning(
        "llm.concurrency=%d asks for more open files than the system allows this process: no more than %d requests "
        "are sent at once (raise the hard limit to go beyond: ulimit -Hn)",
        config.concurrency,
        allowed,
    )
    return config.model_copy(update={"concurrency": max(1, allowed // endpoints)})


def _transport(config: LLMConfig, address: Address) -> Transport:
    if config.transport == "lean":
        from census_personas.generator.llm.aiohttp_transport import AiohttpTransport  # noqa: PLC0415 - one transport is loaded

        return AiohttpTransport(config, address)
    from census_personas.generator.llm.openai_sdk import OpenAISDK  # noqa: PLC0415 - as above

    return OpenAISDK(config, address)


def offline_faults(prompts: Path) -> tuple[str, ...]:
    """What is wrong with the grammar of a prompt set's folder; nothing where it has none."""
    from census_personas.generator.offline.grammar import GrammarError  # noqa: PLC0415 - as above
    from census_personas.generator.offline.narrator import OfflineNarrator  # noqa: PLC0415 - as above

    try:
        if (prompts / "offline").is_dir():
            OfflineNarrator.load(prompts / "offline")
    except GrammarError as error:
        return (str(error),)
    return ()
