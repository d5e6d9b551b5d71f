"""For any bytes from an endpoint, both transports return an answer or raise an error of this project."""

from __future__ import annotations

import asyncio
import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from hostile_server import BROKEN, PASS, SOUND, answer, hostile

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import ChatRequest, Completion, LLMError, TransientError
from census_personas.generator.narration.backends import connect

ROWS = 32
TRANSPORTS = ("openai", "lean")
REQUEST = ChatRequest(({"role": "user", "content": "Hello."},), "hello", {"type": "object"}, 0.0, 1.0, 64, 0)
KEY = "sk-proj-0123456789+/abcdef"
ANSWER = {"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}]}


def config(transport: str, base_url: str, **changes: Any) -> LLMConfig:
    values = {"backend": "openai", "model": "m", "base_url": base_url, "structured_output": "json_schema"}
    return LLMConfig.model_validate(
        {**values, "transport": transport, "timeout_s": 5, "max_retries": 0, **changes}
    )


async def asked(settings: LLMConfig, times: int = 1) -> list[Completion | LLMError]:
    """What each of some requests, one after the other, comes to; any other exception ends the test."""
    model, got = connect(settings), []
    try:
        for _ in range(times):
            try:
                got.append(await model.complete(REQUEST))
            except LLMError as error:
                got.append(error)
    finally:
        await model.aclose()
    return got


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_hostile_bytes_are_transient_errors(transport: str) -> None:
    wrong = {}
    for name, sent in BROKEN.items():
        with hostile([sent]) as server:
            [got] = await asked(config(transport, server.base_url))
        if not isinstance(got, TransientError):
            wrong[name] = got
        assert len(str(got)) < 1000
        assert str(got).isprintable()
    # These a reader may take for what was meant, if only for an object that holds no answer.
    lenient = {
        "old HTTP",
        "reason that is no UTF-8",
        "bare line feeds",
        "header that is no ASCII",
        "unknown transfer encoding",
    }
    assert wrong.keys() <= lenient, wrong


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", SOUND)
async def test_sound_answers_are_read(transport: str, name: str) -> None:
    with hostile([SOUND[name]]) as server:
        [got] = await asked(config(transport, server.base_url))
    assert isinstance(got, Completion)
    assert got.text == "{}"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_run_finishes_when_the_server_recovers(
    tmp_path: Path, calm_server: Any, command: Any, transport: str
) -> None:
    broken = [BROKEN[name] for name in BROKEN if "MiB" not in name and "bounds" not in name]
    sent = [each for pair in zip(broken, [PASS] * len(broken), strict=True) for each in pair]
    settings = {
        "name": "hostile",
        "rows": ROWS,
        "llm": {"backend": "openai", "model": "test-narrator", "transport": transport, "max_retries": 20},
        "runtime": {"progress": "off"},
    }
    with hostile(sent, calm_server.port) as server:
        settings["llm"] |= {"base_url": server.base_url, "concurrency": 8, "structured_output": "json_schema"}
        (tmp_path / "run.yaml").write_text(json.dumps(settings))
        code, said = command.run("generate", tmp_path / "run.yaml", "-o", tmp_path / "run")
    assert code == 0, said
    assert server.script == []
    assert json.loads((tmp_path / "run/manifest.json").read_text())["accepted"] == ROWS


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_packed_answers_stay_in_bounds(transport: str) -> None:
    import tracemalloc  # noqa: PLC0415 - slows what is measured and nothing else

    with hostile([BROKEN["gzip bomb"]]) as server:
        tracemalloc.start()
        try:
            await asked(config(transport, server.base_url))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 20 * 2**20


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("where", ["body", "text", "reason", "header", "chunk"])
async def test_key_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, transport: str, where: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level("DEBUG")
    before = [*range(20), *range(270, 310)] if where in {"body", "text"} else [0, 100, 4090]
    sent = {
        "body": lambda n: answer(json.dumps({"error": {"message": "x" * n + KEY}}).encode(), status="500 X"),
        "text": lambda n: answer(b"y" * n + KEY.encode() + b" tail", status="503 X"),
        "reason": lambda n: b"HTTP/1.1 x" + b"x" * n + KEY.encode() + b"\r\n\r\n",
        "header": lambda n: b"HTTP/1.1 200 OK\r\n" + b"x" * n + KEY.encode() + b"\r\n\r\n",
        "chunk": lambda n: (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"z" * n + KEY.encode() + b"\r\n"
        ),
    }[where]
    with hostile([sent(n) for n in before]) as server:
        got = await asked(config(transport, server.base_url), len(before))
    shown = caplog.text
    for error in got:
        assert isinstance(error, LLMError)
        shown += "".join(traceback.format_exception(error)) + error.hint
    pieces = [KEY[i : i + 8] for i in range(len(KEY) - 7)]
    assert [piece for piece in pieces if piece in shown] == []


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_terminals_get_printable_text(transport: str) -> None:
    said = "\x1b]0;title\x07 \u202eevil \x9b31m\r\nnext"
    body = json.dumps({"error": {"message": said}}).encode()
    with hostile([answer(body, status="400 X"), answer(said.encode(), status="400 X")]) as server:
        for error in await asked(config(transport, server.base_url), 2):
            assert str(error).isprintable()
            assert "title" in str(error)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    "usage",
    [
        "null",
        "[]",
        '{"prompt_tokens": "12", "completion_tokens": "3"}',
        '{"prompt_tokens": 12.5, "completion_tokens": 1e9}',
        '{"prompt_tokens": 18446744073709551615, "completion_tokens": 18446744073709551615}',
        '{"prompt_tokens": -1, "completion_tokens": -5}',
        '{"prompt_tokens": true, "completion_tokens": true}',
        '{"prompt_tokens": NaN, "completion_tokens": Infinity}',
        '{"prompt_tokens": ' + "9" * 400 + "}",
        '{"prompt_tokens": ' + "9" * 100_000 + "}",
    ],
)
async def test_budget_survives_false_usage(
    caplog: pytest.LogCaptureFixture, transport: str, usage: str
) -> None:
    text = json.dumps({"story": "word " * 400})
    body = json.dumps({"choices": [{"message": {"content": text}}]})[:-1] + f', "usage": {usage}}}'
    with hostile([answer(body.encode())] * 10) as server:
        got = await asked(config(transport, server.base_url, max_tokens_total=1500), 5)
    answers = [each for each in got if isinstance(each, Completion)]
    if len(usage) < 10_000:
        assert {(each.prompt_tokens, each.completion_tokens) for each in answers} == {(2, 504)}
        assert caplog.text.count("estimates from lengths") == 1
    assert len(answers) in (0, 3)
    assert "max_tokens_total=1500 is spent" in str(got[-1])


async def test_answers_without_choices_are_paid_for() -> None:
    with hostile([answer(b'{"error": "busy"}')] * 10) as server:
        got = await asked(config("lean", server.base_url, max_tokens_total=100), 5)
    assert "without choices" in str(got[0])
    assert "max_tokens_total=100 is spent" in str(got[-1])


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_bad_proxy_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    for proxy in ("http://u:hunter2-pass@proxy:port", "socks9://u:hunter2-pass@proxy:1", "u:hunter2-pass@["):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(LLMError) as raised:
            connect(config(transport, "http://example.test/v1"))
        assert "proxy" in str(raised.value)
        shown = "".join(traceback.format_exception(raised.value))
        assert "hunter2" not in shown


async def test_failures_together_end_one_by_one() -> None:
    with hostile([BROKEN["negative length"]] * 20) as server:
        settings = config("openai", server.base_url)
        model = connect(settings)
        got = await asyncio.gather(*(model.complete(REQUEST) for _ in range(8)), return_exceptions=True)
        await model.aclose()
    assert all(isinstance(each, LLMError) for each in got)


async def test_openai_headers_are_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-7")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-7")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Team: census")
    heads = {}
    for transport in TRANSPORTS:
        with hostile([SOUND["gzip"]]) as server:
            await asked(config(transport, server.base_url))
        heads[transport] = server.head.split(b"\r\n")
    common = [b"post /v1/chat/completions http/1.1", b"authorization: bearer " + KEY.lower().encode()]
    own = [b"openai-organization: org-7", b"openai-project: proj-7", b"x-team: census"]
    assert {*common, *own} <= set(heads["openai"])
    assert set(common) <= set(heads["lean"])
    assert not {*own} & set(heads["lean"])
