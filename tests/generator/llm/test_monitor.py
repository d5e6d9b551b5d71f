"""A server's metrics of its queue are read, and replace latency as the guide of the limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import ChatRequest
from census_personas.generator.llm.monitor import Load
from census_personas.generator.llm.openai_compatible import OpenAICompatible
from census_personas.generator.narration.backends import connect

Server = Callable[..., Any]
QUESTION = ChatRequest(
    ({"role": "user", "content": "Hello?"},), "reply", {"type": "object", "properties": {}}, 0.0, 1.0, 64, 1
)
KEY = "sk-secret-3141592653589793"


def model_of(url: str, **changes: Any) -> OpenAICompatible:
    values = {"backend": "openai", "model": "test-narrator", "base_url": url, "transport": "lean"}
    paced = {"structured_output": "json_schema", "pace_by": "metrics", "concurrency": 256}
    model = connect(LLMConfig.model_validate({**values, **paced, **changes}))
    assert isinstance(model, OpenAICompatible)
    return model


async def asked_for(model: OpenAICompatible, seconds: float) -> list[int]:
    """Limits over time while 256 callers ask one after the other."""
    limits: list[int] = []
    callers = [asyncio.create_task(_asking(model)) for _ in range(256)]
    for _ in range(round(10 * seconds)):
        await asyncio.sleep(0.1)
        limits.append(model.limit)
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await model.aclose()
    return limits


async def _asking(model: OpenAICompatible) -> None:
    while True:
        await model.complete(QUESTION)


VLLM = """\
# HELP python_info Python platform information
# TYPE python_info gauge
python_info{implementation="CPython",major="3",minor="11",patchlevel="7",version="3.11.7"} 1.0
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="tiny"} 60.0
vllm:num_requests_running{engine="1",model_name="tiny"} 64.0
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="tiny"} 0.0
vllm:num_requests_waiting{engine="1",model_name="tiny"} 7.0
# HELP vllm:num_requests_waiting_by_reason Number of waiting requests by reason.
# TYPE vllm:num_requests_waiting_by_reason gauge
vllm:num_requests_waiting_by_reason{engine="1",model_name="tiny",reason="capacity"} 7.0
# HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="tiny"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="tiny"} 0.7512690355329949
"""
OLD_VLLM = """\
vllm:num_requests_running{model_name="a } 5 \\"quoted\\" name"} 3.0
vllm:num_requests_swapped{model_name="a } 5 \\"quoted\\" name"} 9.0
vllm:num_requests_waiting{model_name="a } 5 \\"quoted\\" name"} 1e+03 1395066363000
vllm:gpu_cache_usage_perc{model_name="a } 5 \\"quoted\\" name"} 0.5
vllm:cpu_cache_usage_perc{model_name="a } 5 \\"quoted\\" name"} 0.9
"""
SGLANG = """\
# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{engine_type="unified",model_name="llama",pp_rank="0",tp_rank="0"} 162.0
sglang:num_queue_reqs{engine_type="unified",model_name="llama",pp_rank="0",tp_rank="0"} 2826.0
sglang:token_usage{engine_type="unified",model_name="llama",pp_rank="0",tp_rank="0"} 0.28
"""


@pytest.mark.parametrize(
    ("text", "load"),
    [
        (VLLM, Load(7, 124, 0.7512690355329949)),
        (OLD_VLLM, Load(1000, 3, 0.5)),
        (SGLANG, Load(2826, 162, 0.28)),
        ("vllm:num_requests_running 2\r\nvllm:num_requests_waiting 1\r\n", Load(1, 2, 0)),
        ("vllm:num_requests_running 2\n", None),
        ("vllm:num_requests_running x\nvllm:num_requests_waiting 1\n", None),
        ("<html>Not found</html>", None),
        ("", None),
    ],
)
def test_load_is_parsed(text: str, load: Load | None) -> None:
    assert Load.of(text) == load


async def test_queue_stays_short_and_server_busy(chat_server: Server) -> None:
    server = chat_server("--metrics", "--slots", "16", "--latency", "0.1")
    limits = await asked_for(model_of(server.base_url), 5)
    assert min(limits) >= 16
    assert max(limits[-15:]) <= 32
    assert 4 <= server.stats()["looks"] <= 11


async def test_limit_grows_before_the_first_answer(chat_server: Server) -> None:
    server = chat_server("--metrics", "--latency", "20")
    limits = await asked_for(model_of(server.base_url), 3)
    assert limits[-1] == 256
    assert server.stats()["max_in_flight"] == 256


async def test_latency_replaces_missing_metrics(
    chat_server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    server = chat_server("--latency", "1", "--key", KEY)  # beside which a busy machine's own delays are small
    limits = await asked_for(model_of(server.base_url), 6)
    assert max(limits) >= 128
    (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said.startswith(f"{server.base_url} does not publish at /metrics")
    assert KEY not in caplog.text


async def test_restarted_server_is_polled_again(
    chat_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    first = chat_server("--metrics", "--latency", "0.2")
    model = model_of(first.base_url)
    asking = asyncio.create_task(asked_for(model, 8))
    await asyncio.sleep(1)
    await asyncio.to_thread(first.kill)
    await asyncio.sleep(1)
    await asyncio.to_thread(chat_server, "--metrics", "--latency", "0.2", "--slots", "16", port=first.port)
    limits = await asking
    assert limits[-1] <= 32
    assert ["does not publish" in said for said in caplog.messages] == [False, False]
