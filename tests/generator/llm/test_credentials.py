"""Keys and headers reach only the endpoints that they are for, through both transports."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gateway import Noted, Reply, completion, gateway, refusal

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.batch import dialect_of
from census_personas.generator.llm.chat import AddressError, ChatRequest, Completion, EndpointError, LLMError
from census_personas.generator.llm.credentials import secrets_of
from census_personas.generator.llm.request_key import request_key
from census_personas.generator.llm.request_outline import outline_requests
from census_personas.generator.llm.transport import Address
from census_personas.generator.narration.backends import connect

TRANSPORTS = ("openai", "lean")
REQUEST = ChatRequest(({"role": "user", "content": "Hello."},), "hello", {"type": "object"}, 0.0, 1.0, 64, 7)
TOKEN = "tok-hunter2-0123456789abcdef"
LITERAL = "lit-hunter2-0123456789abcdef"


def ok(_: dict[str, Any]) -> Reply:
    return completion({"content": "{}"})


def config(transport: str, url: str | None, **changes: Any) -> LLMConfig:
    values = {"backend": "openai", "model": "m", "base_url": url, "structured_output": "json_schema"}
    limits = {"max_retries": 0, "timeout_s": 10, "patience_s": 0, "transport": transport}
    return LLMConfig.model_validate({**values, **limits, **changes})


async def asked(settings: LLMConfig, *requests: ChatRequest) -> list[Completion]:
    model = connect(settings)
    try:
        return await asyncio.gather(*(model.complete(request) for request in requests or (REQUEST,)))
    finally:
        await model.aclose()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_headers_are_filled_from_variables(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", TOKEN)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-usual")
    headers = {"X-Gateway": "Token ${GATEWAY_TOKEN}", "x-team": "census", "Api-Key": "${GATEWAY_TOKEN}"}
    with gateway(ok, needs={"X-Gateway": f"Token {TOKEN}"}) as server:
        await asked(config(transport, server.url, headers=headers))
        sent = server.headers[0]
        assert (sent["x-team"], sent["api-key"], sent["authorization"]) == (
            "census",
            TOKEN,
            "Bearer sk-usual",
        )
        await asked(
            config(transport, server.url, headers={**headers, "authorization": "Basic ${GATEWAY_TOKEN}"})
        )
        assert server.headers[1]["authorization"] == f"Basic {TOKEN}"
        monkeypatch.delenv("OPENAI_API_KEY")
        await asked(config(transport, server.url, headers=headers))
        assert "authorization" not in server.headers[2], "a gateway may take a made-up key for a wrong one"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_refused_header_value_is_not_shown(
    transport: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("GATEWAY_TOKEN", TOKEN)
    headers = {"X-Gateway": "Token ${GATEWAY_TOKEN}", "X-Other": LITERAL}
    for name in headers:
        with gateway(ok, needs={name: "other"}) as server:
            settings = config(transport, server.url, headers=headers)
            model = connect(settings)
            with pytest.raises(EndpointError, match=f"401.*bad {name}") as raised:
                await model.complete(REQUEST)
            await model.aclose()
        shown = (
            "".join(traceback.format_exception(raised.value))
            + caplog.text
            + repr(vars(model))
            + repr(settings)
        )
        assert "hunter2" not in shown + raised.value.hint


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_repeated_header_value_spoils_an_answer(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", TOKEN)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Team: census\nX-Pass: pass-hunter2-0123456789")
    for secret in (TOKEN, LITERAL, "pass-hunter2-0123456789"):
        with gateway(lambda _, said=secret: completion({"content": f'{{"a": "{said}"}}'})) as server:  # type: ignore[misc]
            headers = {"A": "${GATEWAY_TOKEN}", "B": LITERAL}
            [answer] = await asked(config(transport, server.url, headers=headers))
        assert answer.fault
        assert answer.text == ""


@pytest.mark.parametrize(
    ("state", "said"), [(None, "which is not set"), ("", "which is empty"), ("a\nb", "a header cannot have")]
)
def test_empty_header_variable_is_one_error(
    state: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GATEWAY_TOKEN", raising=False)
    if state is not None:
        monkeypatch.setenv("GATEWAY_TOKEN", state)
    with pytest.raises(AddressError, match=f"GATEWAY_TOKEN.*{said}") as raised:
        connect(config("lean", "http://127.0.0.1:9/v1", headers={"X-A": "${GATEWAY_TOKEN}"}))
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_endpoints_get_their_own_keys(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    servers: list[Noted] = []
    with ExitStack() as stack:
        for number in range(3):
            monkeypatch.setenv(f"KEY_{number}", f"sk-{number}-hunter2-0123456789")
            needs = {"Authorization": f"Bearer sk-{number}-hunter2-0123456789", "X-Place": str(number)}
            servers.append(stack.enter_context(gateway(ok, needs=needs)))
        endpoints = [
            {"base_url": server.url, "api_key_env": f"KEY_{number}", "headers": {"X-Place": str(number)}}
            for number, server in enumerate(servers)
        ]
        settings = config(transport, None, endpoints=endpoints, headers={"X-Place": "any", "X-All": "all"})
        answers = await asked(settings, *[REQUEST] * 60)
    assert [answer.text for answer in answers] == ["{}"] * 60
    assert all(len(server.bodies) >= 10 for server in servers)
    sent = Counter(headers["x-all"] for server in servers for headers in server.headers)
    assert sent == {"all": 60}
    assert all(secrets_of(settings).held_by(f"sk-{number}-hunter2-0123456789") for number in range(3))


def test_refused_key_is_named_by_its_variable() -> None:
    endpoints = [{"base_url": "http://a/v1"}, {"base_url": "http://b/v1", "api_key_env": "KEY_B"}]
    addresses = Address.all_of(config("lean", None, endpoints=endpoints, api_key_env="KEY_A"))
    assert [(address.url, address.key_variable) for address in addresses] == [
        ("http://a/v1", "KEY_A"),
        ("http://b/v1", "KEY_B"),
    ]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_options_are_in_each_body(transport: str) -> None:
    options = {
        "top_k": 40, "min_p": 0.05, "presence_penalty": 0.5, "frequency_penalty": 0.25, "repetition_penalty": 1.1,
        "stop": ["END"], "reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False},
    }  # fmt: skip
    with gateway(ok) as server:
        settings = config(
            transport, server.url, **options, extra_body={"provider": {"order": ["a"]}, "x": None}
        )
        request = ChatRequest(
            REQUEST.messages, "hello", {"type": "object"}, 0.0, 1.0, 64, 7, options=settings.options()
        )
        await asked(settings, request, REQUEST)
        await asked(settings.model_copy(update={"seed": False}))
        await asked(config(transport, server.url))
    for body in server.bodies[:2]:
        assert {name: body[name] for name in options} == options
        assert (body["provider"], body["x"], body["seed"]) == ({"order": ["a"]}, None, 7)
    assert "seed" not in server.bodies[2]
    usual = {"model", "messages", "temperature", "top_p", "seed", "max_tokens", "stream", "response_format"}
    assert set(server.bodies[3]) == usual


def test_batches_carry_the_options() -> None:
    settings = config("lean", "http://a/v1", top_k=40, seed=False, system_role="no")
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello."})
    request = replace(REQUEST, messages=messages, options=settings.options())
    body = dialect_of(settings, bounded=False).body(request, "m", 64)
    assert (body["top_k"], "seed" in body) == (40, False)
    assert body["messages"] == [{"role": "user", "content": "Be brief.\n\nHello."}]
    assert request_key(request, "m") != request_key(REQUEST, "m")
    assert request_key(replace(REQUEST, options={}), "m") == request_key(REQUEST, "m")


@pytest.mark.parametrize("form", ["auto", "json_schema"])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("option", "said", "key"),
    [
        ({"top_k": 40}, "Unrecognized request argument supplied: top_k", "llm.top_k"),
        ({"min_p": 0.1}, "body: Extra inputs are not permitted, field: 'min_p'", "llm.min_p"),
        ({"stop": ["END"]}, "Unsupported parameter: 'stop' is not supported with this model.", "llm.stop"),
        ({"reasoning_effort": "high"}, "reasoning_effort: must be none or low", "llm.reasoning_effort"),
        ({"extra_body": {"route": "a"}}, 'unknown field "route"', "llm.extra_body.route"),
    ],
)
async def test_refused_option_ends_the_run(
    transport: str, form: str, option: dict[str, Any], said: str, key: str
) -> None:
    with gateway(
        lambda body: refusal(said) if set(option) & set(body) or "route" in body else ok(body)
    ) as server:
        with pytest.raises(EndpointError, match=f"^{key} is refused: http://.*answered 400") as raised:
            await asked(config(transport, server.url, structured_output=form, **option))
        assert raised.value.hint.startswith(f"leave {key} out")
        assert len(server.bodies) == 1


async def test_plain_words_name_no_option() -> None:
    with (
        gateway(lambda _: refusal("please stop sending so much")) as server,
        pytest.raises(LLMError, match=r"^http://") as raised,
    ):
        await asked(config("lean", server.url, stop=["END"]))
    assert not isinstance(raised.value, EndpointError)


SYSTEM = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello."})


def strict(body: dict[str, Any]) -> Reply:
    if body["messages"][0]["role"] == "system":
        return refusal("System role not supported")
    return ok(body)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_system_role_is_probed_or_set(transport: str) -> None:
    request = ChatRequest(SYSTEM, "hello", {"type": "object"}, 0.0, 1.0, 64, 7)
    folded = [{"role": "user", "content": "Be brief.\n\nHello."}]
    with gateway(strict) as server:
        model = connect(config(transport, server.url))
        for _ in range(2):
            await model.complete(request)
        await model.aclose()
        assert [body["messages"] for body in server.bodies] == [list(SYSTEM), folded, folded]
        await asked(config(transport, server.url, system_role="no"), request)
        assert [body["messages"] for body in server.bodies[3:]] == [folded]
        with pytest.raises(EndpointError, match=r"llm.system_role=yes is refused.*System role") as raised:
            await asked(config(transport, server.url, system_role="yes"), request)
        assert raised.value.hint == "set llm.system_role to auto"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_openai_reasoning_models_work(transport: str) -> None:
    def reasoning(body: dict[str, Any]) -> Reply:
        if "max_tokens" in body:
            said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'"
            return refusal(f"{said} instead.")
        for name in ("temperature", "top_p"):
            if name in body:
                return refusal(f"Unsupported value: '{name}' does not support 0.9 with this model.")
        usage = {
            "prompt_tokens": 5,
            "completion_tokens": 40,
            "completion_tokens_details": {"reasoning_tokens": 30},
        }
        return completion({"content": "{}"}, usage=usage)

    with gateway(reasoning) as server:
        [answer] = await asked(config(transport, server.url, reasoning_effort="low"))
    assert (answer.text, answer.completion_tokens, answer.reasoning_tokens) == ("{}", 40, 30)
    assert server.bodies[-1]["max_completion_tokens"] == 64
    assert server.bodies[-1]["reasoning_effort"] == "low"


def test_outline_holds_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", TOKEN)
    monkeypatch.setenv("KEY_A", "sk-hunter2-0123456789abc")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2-pass@proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "a.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    endpoints = [
        {"base_url": "http://a.test/v1", "api_key_env": "KEY_A"},
        {
            "base_url": "https://b.test/v1",
            "api_key_env": "KEY_B",
            "headers": {"X-Gateway": "${GATEWAY_TOKEN}"},
        },
    ]
    settings = config("lean", None, endpoints=endpoints, top_k=40, seed=False, extra_body={"provider": "a"})
    lines = outline_requests(settings)
    assert lines == {
        "request": 'model="m", temperature=0.9, top_p=1.0, max_tokens=2048, provider="a", top_k=40; messages and no '
        "seed; JSON schema: json_schema; system message: found out",
        "endpoint 1 of 2": "http://a.test/v1, key from KEY_A",
        "endpoint 2 of 2": "https://b.test/v1, key from KEY_B (not set), headers X-Gateway, by the proxy "
        "http://proxy.test:3128, authorities of SSL_CERT_FILE",
    }
