"""The queue of a genuine vLLM, as its metrics show it, decides how much is asked of it."""

from __future__ import annotations

import asyncio
import itertools
import statistics
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import ChatModel, ChatRequest
from census_personas.generator.llm.openai_compatible import OpenAICompatible
from census_personas.generator.narration.backends import connect

AT_ONCE = 64  # requests that vllm.sh lets the server work on
CALLERS = 256
LOOKS = 30
SCHEMA = {
    "type": "object",
    "properties": {"words": {"type": "array", "items": {"type": "string", "maxLength": 80}, "maxItems": 5}},
    "required": ["words"],
    "additionalProperties": False,
}
QUESTION = ChatRequest(
    ({"role": "user", "content": "Some words, please."},), "words", SCHEMA, 0.9, 1.0, 512, 1
)

pytestmark = pytest.mark.inference_server


async def asking(model: ChatModel, seeds: Iterator[int]) -> None:
    for seed in seeds:
        await model.complete(replace(QUESTION, seed=seed))


async def test_the_queue_of_the_genuine_server_is_found_and_kept_short(
    server: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-needed")
    wanted = {"pace_by": "metrics", "concurrency": CALLERS, "base_url": server.base_url}
    model = connect(LLMConfig.model_validate({"backend": "openai", "model": "tiny", **wanted}))
    assert isinstance(model, OpenAICompatible)
    seeds, limits, queues = itertools.count(), [], []
    callers = [asyncio.create_task(asking(model, seeds)) for _ in range(CALLERS)]
    for _ in range(LOOKS):
        await asyncio.sleep(1)
        limits.append(model.limit)
        queues.append(await asyncio.to_thread(server.gauge, "vllm:num_requests_waiting"))
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await model.aclose()
    assert caplog.messages == []
    assert max(limits) > AT_ONCE, (limits, queues)
    # Without the queue's word the limit stays where as many wait as are worked on.
    assert statistics.median(limits[-10:]) < 1.75 * AT_ONCE, (limits, queues)
    assert statistics.median(queues[-10:]) < AT_ONCE / 2, (limits, queues)
