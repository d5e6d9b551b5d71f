"""One suite for every transport: the same answers, the same errors, against a real server process."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import (
    ChatModel,
    ChatRequest,
    Completion,
    EndpointError,
    LLMError,
    RequestError,
    TransientError,
)
from census_personas.generator.llm.openai_compatible import OpenAICompatible
from census_personas.generator.narration.backends import connect
from census_personas.prompts.template import PromptSet

pytestmark = pytest.mark.parametrize("transport", ["openai", "lean"])
Server = Callable[..., Any]
KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def request_() -> ChatRequest:
    prompts = PromptSet.load("en_US")
    template = prompts.templates["personas"]
    messages = template.render(prompts.words("sample"))
    return ChatRequest(messages, "personas", template.schema, 0.9, 1.0, 2048, 11)


def config(transport: str, server: Any, **changes: Any) -> LLMConfig:
    values = {"backend": "openai", "model": server.model, "base_url": server.base_url, "max_retries": 3}
    return LLMConfig.model_validate({**values, "transport": transport, "timeout_s": 5, **changes})


async def asked(settings: LLMConfig, *requests: ChatRequest) -> tuple[OpenAICompatible, list[Completion]]:
    model = connect(settings)
    assert isinstance(model, OpenAICompatible)
    try:
        return model, await asyncio.gather(*(model.complete(request) for request in requests))
    finally:
        await model.aclose()


async def failure(settings: LLMConfig, request: ChatRequest) -> LLMError:
    with pytest.raises(LLMError) as raised:
        await asked(settings, request)
    return raised.value


async def test_answer_satisfies_the_schema(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    _, [answer] = await asked(config(transport, chat_server()), request_)
    values = json.loads(answer.text)
    assert list(values) == request_.schema["required"]
    assert all(text.startswith("Ruth Castellano, a 47-year-old") for text in values.values())
    assert answer.finish_reason == "stop"
    assert answer.prompt_tokens > 0
    assert answer.completion_tokens > 0


async def test_same_request_gets_the_same_answer(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    _, answers = await asked(config(transport, chat_server()), request_, request_)
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("understood", "found"),
    [
        ("json_schema,structured_outputs,json_object", "json_schema"),
        ("structured_outputs,json_object", "structured_outputs"),
        ("json_object", "json_object"),
        ("none", "prompt"),
    ],
)
async def test_ignored_form_is_not_believed(
    transport: str, chat_server: Server, request_: ChatRequest, understood: str, found: str
) -> None:
    server = chat_server("--understands", understood)
    model, [answer] = await asked(config(transport, server), request_)
    assert model.capability["structured_output"] == found
    assert "Ruth Castellano" in answer.text


async def test_endpoint_is_probed_once(transport: str, chat_server: Server, request_: ChatRequest) -> None:
    server = chat_server()
    await asked(config(transport, server), *[request_] * 20)
    assert server.stats()["requests"] == 21


async def test_configured_form_is_not_probed(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    server = chat_server()
    await asked(config(transport, server, structured_output="json_schema"), request_)
    assert server.stats()["requests"] == 1


@pytest.mark.parametrize(
    ("refused", "found"),
    [
        ("max_tokens", {"token_limit": "max_completion_tokens"}),
        ("seed,temperature", {"dropped_parameters": ["seed", "temperature"]}),
        ("maxLength", {"length_bounds": False, "structured_output": "json_schema"}),
        ("response_format", {"structured_output": "structured_outputs"}),
    ],
)
async def test_refused_parameters_are_left_out(
    transport: str, chat_server: Server, request_: ChatRequest, refused: str, found: dict[str, Any]
) -> None:
    model, [answer] = await asked(config(transport, chat_server("--refuses", refused)), request_)
    assert found.items() <= dict(model.capability).items()
    assert "Ruth Castellano" in answer.text


@pytest.mark.parametrize("fault", ["429", "500", "503", "drop", "reset", "truncate", "half_json"])
async def test_transient_fault_is_retried(
    transport: str, chat_server: Server, request_: ChatRequest, fault: str
) -> None:
    server = chat_server("--script", f"ok,{fault},{fault},ok")
    model, [answer] = await asked(config(transport, server), request_)
    assert "Ruth Castellano" in answer.text
    assert model.usage.retries == 2
    assert server.stats()[f"fault_{fault}"] == 2


async def test_stalled_body_times_out(transport: str, chat_server: Server, request_: ChatRequest) -> None:
    server = chat_server("--script", "ok,stall,ok")
    _, [answer] = await asked(config(transport, server, timeout_s=0.5), request_)
    assert "Ruth Castellano" in answer.text


async def test_slow_body_has_a_total_limit(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    server = chat_server("--fault", "slow=1")
    settings = config(transport, server, timeout_s=0.1, max_retries=0, structured_output="json_schema")
    assert isinstance(await failure(settings, request_), TransientError)


async def test_retry_after_is_honoured(transport: str, chat_server: Server, request_: ChatRequest) -> None:
    server = chat_server("--script", "ok,429,ok", "--retry-after", "1")
    started = time.monotonic()
    await asked(config(transport, server), request_)
    assert time.monotonic() - started >= 1.0


async def test_permanent_faults_have_a_kind(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    error = await failure(config(transport, chat_server("--p500", "1"), max_retries=1), request_)
    assert isinstance(error, TransientError)
    assert "answered 500" in str(error)


async def test_missing_endpoint_is_named(transport: str, chat_server: Server, request_: ChatRequest) -> None:
    server = chat_server()
    server.kill()
    error = await failure(config(transport, server, max_retries=1), request_)
    assert isinstance(error, EndpointError)
    assert str(server.port) in str(error)
    assert "is a server running at" in error.hint


async def test_unknown_model_lists_the_served(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    error = await failure(config(transport, chat_server(), model="other"), request_)
    assert isinstance(error, EndpointError)
    assert "'other'" in str(error)
    assert "test-narrator" in error.hint


async def test_wrong_key_is_explained_and_hidden(
    transport: str,
    chat_server: Server,
    request_: ChatRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    settings = config(transport, chat_server("--wrong-key", KEY))
    model = connect(settings)
    with pytest.raises(EndpointError) as raised:
        await model.complete(request_)
    await model.aclose()
    assert "answered 401" in str(raised.value)
    assert "OPENAI_API_KEY" in raised.value.hint
    shown = "".join(traceback.format_exception(raised.value)) + caplog.text + repr(model) + repr(vars(model))
    assert KEY not in shown


async def test_key_of_the_variable_is_sent(
    transport: str, chat_server: Server, request_: ChatRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_KEY", KEY)
    server = chat_server("--key", KEY)
    _, [answer] = await asked(config(transport, server, api_key_env="OTHER_KEY"), request_)
    assert "Ruth Castellano" in answer.text


async def test_refused_request_is_not_retried(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    server = chat_server("--refuses", "messages")
    error = await failure(config(transport, server, structured_output="json_schema"), request_)
    assert isinstance(error, RequestError)
    assert server.stats()["requests"] == 1


async def test_cut_answer_gets_a_larger_limit(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    server = chat_server("--fault", "length=1")
    settings = config(transport, server, structured_output="json_schema")
    _, [answer] = await asked(settings, request_)
    assert answer.finish_reason == "stop"
    assert json.loads(answer.text)
    assert server.stats()["requests"] == 2
    assert answer.completion_tokens == server.stats()["completion_tokens"]


async def test_thoughts_stay_out_of_the_answer(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    _, [answer] = await asked(config(transport, chat_server("--fault", "reasoning=1")), request_)
    assert json.loads(answer.text)


async def test_refusal_is_an_empty_answer(transport: str, chat_server: Server, request_: ChatRequest) -> None:
    settings = config(transport, chat_server("--fault", "refusal=1"), structured_output="json_schema")
    _, [answer] = await asked(settings, request_)
    assert (answer.text, answer.finish_reason) == ("", "refusal")


async def test_many_requests_survive_faults(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    faults = [f"--fault={name}=0.02" for name in ("429", "500", "503", "drop", "reset")]
    server = chat_server(*faults, "--retry-after", "0.01")
    model, answers = await asked(config(transport, server, max_retries=8), *[request_] * 300)
    assert len(set(answers)) == 1
    assert model.usage.in_flight == 0
    assert model.usage.retries > 0


async def test_connections_are_kept_and_closed(
    transport: str, chat_server: Server, request_: ChatRequest
) -> None:
    server = chat_server()
    model: ChatModel = connect(config(transport, server))
    for _ in range(10):
        await model.complete(request_)
    await model.aclose()
    assert server.stats()["connections"] <= 3
