"""A missing endpoint is reported soon; one that answered before is waited for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import ChatModel, ChatRequest, EndpointError, TransientError
from census_personas.generator.narration.backends import connect

Server = Callable[..., Any]
QUESTION = ChatRequest(
    ({"role": "user", "content": "Hello?"},), "reply", {"type": "object", "properties": {}}, 0.0, 1.0, 64, 1
)


@pytest.fixture
def unused_url() -> str:
    """An address where nobody listens: the port was free a moment ago."""
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unbound.getsockname()[1]}/v1"


def model_of(*urls: str, **changes: Any) -> ChatModel:
    values = {"backend": "openai", "model": "test-narrator", "base_url": ",".join(urls), "transport": "lean"}
    return connect(LLMConfig.model_validate({**values, "structured_output": "json_schema", **changes}))


async def failure(model: ChatModel, callers: int = 1) -> tuple[EndpointError, float]:
    """What all callers are told, and after how many seconds."""
    started = time.monotonic()
    told = await asyncio.gather(*(model.complete(QUESTION) for _ in range(callers)), return_exceptions=True)
    await model.aclose()
    assert {type(error) for error in told} == {EndpointError}
    return told[0], time.monotonic() - started  # type: ignore[return-value]


@pytest.mark.parametrize(("transport", "callers"), [("openai", 1), ("lean", 40)])
async def test_refused_connection_is_reported_soon(
    transport: str, callers: int, unused_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    error, seconds = await failure(model_of(unused_url, transport=transport), callers)
    assert seconds < 4
    assert str(error) == f"{unused_url}: nobody listens there"
    assert f"is a server running at {unused_url}?" in error.hint
    assert "llm.base_url" in error.hint
    assert caplog.records == []


@pytest.mark.parametrize("transport", ["openai", "lean"])
async def test_unknown_host_is_reported_soon(transport: str) -> None:
    error, seconds = await failure(model_of("http://no-such-host.invalid/v1", transport=transport))
    assert seconds < 4
    assert "http://no-such-host.invalid/v1: nobody listens there" in str(error)


@pytest.fixture
def deaf_url() -> Iterator[str]:
    """An address that drops what asks for a connection, as a firewall does: a socket whose queue is full."""
    with contextlib.ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            queued = open_sockets.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@pytest.mark.parametrize(("transport", "callers"), [("openai", 1), ("lean", 40)])
async def test_dropped_packets_are_reported(
    transport: str, callers: int, deaf_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = model_of(deaf_url, transport=transport, connect_timeout_s=1, max_retries=50)
    error, seconds = await failure(model, callers)
    assert 1 < seconds < 5
    assert str(error) == f"{deaf_url}: no connection within 1 s"
    assert f"is a server running at {deaf_url}?" in error.hint
    assert caplog.records == []


async def test_all_missing_endpoints_are_tried(
    unused_url: str,
) -> None:
    other = unused_url.replace("127.0.0.1", "127.0.0.2")
    error, seconds = await failure(model_of(unused_url, other), 20)
    assert seconds < 5
    assert "nobody listens there" in str(error)


async def test_constant_503_ends_the_run(
    chat_server: Server,
) -> None:
    server = chat_server("--fault", "503=1")
    error, seconds = await failure(model_of(server.base_url, max_retries=50), 20)
    assert seconds < 10
    assert "answered 503: EngineCore encountered an issue." in str(error)


async def test_restart_costs_no_retries(chat_server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server = chat_server()
    model = model_of(server.base_url, max_retries=1, patience_s=30)
    before = await model.complete(QUESTION)
    await asyncio.to_thread(server.kill)
    asking = asyncio.create_task(model.complete(QUESTION))
    await asyncio.sleep(3)
    assert not asking.done()
    await asyncio.to_thread(chat_server, port=server.port)
    assert await asking == before
    await model.aclose()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert ["is down" in caplog.messages[0], "answers again" in caplog.messages[1]] == [True, True]


async def test_missing_endpoint_is_named_once(
    chat_server: Server, unused_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = model_of(unused_url, chat_server().base_url)
    await asyncio.gather(*(model.complete(QUESTION) for _ in range(50)))
    await model.aclose()
    assert caplog.messages == [f"{unused_url} is down: {unused_url}: nobody listens there"]


@pytest.mark.parametrize("transport", ["openai", "lean"])
async def test_slow_answer_is_called_slow(transport: str, chat_server: Server) -> None:
    server = chat_server("--fault", "stall=1")
    model = model_of(server.base_url, transport=transport, timeout_s=0.3, max_retries=0)
    with pytest.raises(TransientError, match=r": no answer within 0\.3 s$"):
        await model.complete(QUESTION)
    await model.aclose()
