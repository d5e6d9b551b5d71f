"""Concurrency follows an endpoint's capacity; outages are waited out, taken over by others, or end the run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.budget import BudgetError
from census_personas.generator.llm.chat import ChatRequest, Completion, EndpointError
from census_personas.generator.llm.openai_compatible import OpenAICompatible
from census_personas.generator.narration.backends import connect
from census_personas.prompts.template import PromptSet

Server = Callable[..., Any]


@pytest.fixture
def request_() -> ChatRequest:
    prompts = PromptSet.load("en_US")
    template = prompts.templates["personas"]
    return ChatRequest(
        template.render(prompts.words("sample")), "personas", template.schema, 0.9, 1.0, 2048, 11
    )


def model_of(*servers: Any, **changes: Any) -> OpenAICompatible:
    urls = ",".join(server.base_url for server in servers)
    values = {
        "backend": "openai",
        "model": "test-narrator",
        "base_url": urls,
        "transport": "lean",
        "timeout_s": 10,
    }
    model = connect(LLMConfig.model_validate({**values, "structured_output": "json_schema", **changes}))
    assert isinstance(model, OpenAICompatible)
    return model


async def many(model: OpenAICompatible, request: ChatRequest, count: int, at_once: int) -> list[Completion]:
    """`count` answers to the request, `at_once` callers asking one after the other."""
    left = iter(range(count))

    async def caller() -> list[Completion]:
        return [await model.complete(request) for _ in left]

    return [
        answer for answers in await asyncio.gather(*(caller() for _ in range(at_once))) for answer in answers
    ]


async def test_many_429s_are_one_line(
    chat_server: Server, request_: ChatRequest, caplog: pytest.LogCaptureFixture
) -> None:
    server = chat_server("--capacity", "8", "--latency", "0.02")
    model = model_of(server, concurrency=64, max_retries=50)
    await many(model, request_, 30, 30)
    await model.aclose()
    assert model.usage.throttled > 1
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line.startswith(f"{server.base_url} answers 429")
    assert line.endswith("lower llm.concurrency (now 64)")


async def test_capacity_is_used_not_overrun(chat_server: Server, request_: ChatRequest) -> None:
    server = chat_server("--capacity", "16", "--latency", "0.02", "--retry-after", "0.02")
    model = model_of(server, concurrency=256)
    answers = await many(model, request_, 1500, 128)
    await model.aclose()
    stats = server.stats()
    assert len(answers) == 1500
    assert model.limit <= 32
    assert stats.get("fault_429", 0) < 400


async def test_ceiling_is_never_exceeded(chat_server: Server, request_: ChatRequest) -> None:
    server = chat_server("--latency", "0.01")
    model = model_of(server, concurrency=10)
    await many(model, request_, 200, 50)
    await model.aclose()
    assert server.stats()["max_in_flight"] <= 10


async def test_restart_loses_no_answer(chat_server: Server, request_: ChatRequest) -> None:
    first = chat_server("--latency", "0.05")
    model = model_of(first, max_retries=2, patience_s=30)
    await model.complete(request_)  # from now on the endpoint is known to be alive
    asking = asyncio.create_task(many(model, request_, 600, 50))
    await asyncio.sleep(0.2)
    await asyncio.to_thread(first.kill)
    await asyncio.sleep(1.5)
    assert not asking.done()
    second = await asyncio.to_thread(chat_server, port=first.port)
    answers = await asking
    await model.aclose()
    assert len(answers) == 600
    assert len(set(answers)) == 1
    assert second.stats()["requests"] > 0


async def test_outage_ends_the_run_with_one_line(chat_server: Server, request_: ChatRequest) -> None:
    server = chat_server("--latency", "0.05")
    model = model_of(server, max_retries=2, patience_s=1)
    await model.complete(request_)  # from now on the endpoint is known to be alive
    asking = asyncio.create_task(many(model, request_, 600, 50))
    await asyncio.sleep(0.2)
    await asyncio.to_thread(server.kill)
    started = time.monotonic()
    with pytest.raises(EndpointError, match="has not answered for 1 s") as raised:
        await asking
    await model.aclose()
    assert time.monotonic() - started < 10
    assert "finished answers are kept" in raised.value.hint


async def test_endpoints_share_the_work(chat_server: Server, request_: ChatRequest) -> None:
    servers = [chat_server("--latency", "0.02") for _ in range(3)]
    model = model_of(*servers)
    await many(model, request_, 300, 30)
    await model.aclose()
    assert min(server.stats()["requests"] for server in servers) > 50


async def test_others_take_over_from_a_lost_endpoint(chat_server: Server, request_: ChatRequest) -> None:
    servers = [chat_server("--latency", "0.02") for _ in range(2)]
    model = model_of(*servers, max_retries=4, patience_s=1)
    await model.complete(request_)  # from now on the endpoint is known to be alive
    asking = asyncio.create_task(many(model, request_, 1500, 40))
    await asyncio.sleep(0.2)
    await asyncio.to_thread(servers[0].kill)
    answers = await asking
    await model.aclose()
    assert len(answers) == 1500


async def test_others_work_beside_a_missing_endpoint(chat_server: Server, request_: ChatRequest) -> None:
    dead, alive = chat_server(), chat_server("--latency", "0.01")
    await asyncio.to_thread(dead.kill)
    model = model_of(dead, alive, structured_output="auto")
    answers = await many(model, request_, 200, 40)
    await model.aclose()
    assert len(answers) == 200


@pytest.mark.parametrize(
    "budget", [{"max_tokens_total": 20_000}, {"max_cost": 0.02, "price_prompt": 0.5, "price_completion": 2.0}]
)
async def test_spent_budget_stops_requests(
    chat_server: Server, request_: ChatRequest, budget: dict[str, Any]
) -> None:
    server = chat_server()
    model = model_of(server, **budget)
    with pytest.raises(BudgetError, match="is spent"):
        await many(model, request_, 500, 1)
    await model.aclose()
    one = (model.budget.prompt_tokens + model.budget.completion_tokens) / server.stats()["requests"]
    spent = model.budget.prompt_tokens + model.budget.completion_tokens
    if "max_tokens_total" in budget:
        assert 20_000 <= spent < 20_000 + one
    else:
        assert 0.02 <= model.budget.cost < 0.025


@pytest.mark.parametrize("transport", ["openai", "lean"])
async def test_random_faults_lose_nothing(chat_server: Server, request_: ChatRequest, transport: str) -> None:
    names = ("429", "500", "503", "drop", "reset", "truncate", "half_json", "slow")
    server = chat_server(*[f"--fault={name}=0.0125" for name in names], "--retry-after", "0.01")
    model = model_of(server, transport=transport, max_retries=8, concurrency=128)
    requests = [replace(request_, seed=i) for i in range(5000)]
    left = iter(requests)

    async def caller() -> dict[int, Completion]:
        return {request.seed: await model.complete(request) for request in left}

    answers: dict[int, Completion] = {}
    for part in await asyncio.gather(*(caller() for _ in range(128))):
        answers |= part
    await model.aclose()
    assert len(answers) == len(requests)
    assert all("Ruth Castellano" in answer.text for answer in answers.values())
    assert model.usage.retries >= 0.08 * len(requests)
