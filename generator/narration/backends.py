"""Backends: build the chat model of a configuration."""

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
    """Return the chat model that `config.backend` names; the offline narrator uses the grammar of `locale`.

    Sends nothing yet; call `aclose()` when done.

    Args:
        config: names the backend.
        locale: the locale whose grammar the offline narrator uses, or a folder with a grammar.
        fields: the fields that will be asked for.
        limits: on requests and spending that other processes share. Default: the config's, for this model alone.

    Raises:
        GrammarError: the grammar cannot be used, or has no symbol for one of the fields.
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
    """Return the configuration, with `concurrency` lowered to the connections that this process may open."""
    at_once = endpoints * config.concurrency
    allowed = affordable_connections(at_once)
    if allowed == at_once:
        return config
    logger.warning(
        "llm.concurrency=%d needs more open files than the system allows this process: at most %d requests "
        "are sent at once (for more, raise the hard limit: ulimit -Hn)",
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
    """Return the faults of a prompt set's own grammar; empty if it is sound or there is none."""
    from census_personas.generator.offline.grammar import GrammarError  # noqa: PLC0415 - as above
    from census_personas.generator.offline.narrator import OfflineNarrator  # noqa: PLC0415 - as above

    try:
        if (prompts / "offline").is_dir():
            OfflineNarrator.load(prompts / "offline")
    except GrammarError as error:
        return (str(error),)
    return ()
