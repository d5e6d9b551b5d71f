"""The errors of an endpoint's statuses, and which parts of its address may be shown."""

from __future__ import annotations

import traceback

import pytest

from census_personas.generator.config.config_file import parse
from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.config.run_config import ConfigError
from census_personas.generator.llm.chat import (
    EndpointError,
    NotFoundError,
    RequestError,
    ThrottledError,
    TransientError,
)
from census_personas.generator.llm.transport import Address, decoded, retry_after, served_models, status_error

pytestmark = pytest.mark.quick

KEY = "sk-0123456789"


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Address:
    monkeypatch.setenv("SOME_KEY", KEY)
    return Address("http://host:8000/v1/", "SOME_KEY")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestError),
        (401, EndpointError),
        (403, EndpointError),
        (404, NotFoundError),
        (303, EndpointError),
        (304, TransientError),
        (307, EndpointError),
        (408, TransientError),
        (413, RequestError),
        (422, RequestError),
        (429, ThrottledError),
        (500, TransientError),
        (502, TransientError),
        (529, TransientError),
    ],
)
def test_status_has_an_error_type(address: Address, status: int, kind: type) -> None:
    error = status_error(address, status, {}, b'{"error": {"message": "No."}}')
    assert type(error) is kind
    assert str(error) == f"http://host:8000/v1 answered {status}: No."


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "Too\\n  long."}}', "Too long."),
        (b'{"error": "busy"}', "busy"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b"<html>502</html>", "<html>502</html>"),
        (b"", "(no message)"),
        (b"[1]", "[1]"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_error_messages_are_quoted(address: Address, body: bytes, said: str) -> None:
    assert str(status_error(address, 500, {}, body)).endswith(said)


def test_repeated_key_is_not_shown(address: Address) -> None:
    error = status_error(address, 401, {}, f'{{"error": {{"message": "Bad key {KEY}"}}}}'.encode())
    assert KEY not in str(error)
    assert "SOME_KEY" in error.hint
    assert KEY not in repr(address)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-4"}, None),
        ({"retry-after": "9" * 31}, 600.0),
        ({"retry-after": "9" * 5000}, 600.0),
        ({"retry-after": "1e999"}, 600.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "\u00b2"}, None),
        ({"retry-after-ms": "nan", "retry-after": "2"}, 2.0),
        ({"retry-after-ms": "inf"}, None),
        ({"retry-after-ms": "-5"}, 0.0),
        ({"retry-after-ms": "9" * 40}, 600.0),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": "Wed, 21 Oct 9999 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 600.0),
        (
            {"retry-after": "Wed, 21 Oct 2026 07:28:30 +9999999999", "date": "Wed, 21 Oct 2026 07:28:00 GMT"},
            None,
        ),
    ],
)
def test_retry_after_ignores_the_local_clock(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize("body", [b"", b'{"choices": [', b"[]", b"null"])
def test_broken_200_is_transient(address: Address, body: bytes) -> None:
    with pytest.raises(TransientError, match="host:8000"):
        decoded(address, body)


def test_models_are_listed() -> None:
    assert served_models({"data": [{"id": "a"}, {}, 3, {"id": "b", "max_model_len": 9}]}) == {"a": 0, "b": 9}
    assert served_models({"error": "no"}) == {}


def test_address_has_three_sources(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = LLMConfig(backend="openai", model="m", base_url="http://a/v1, http://b/v1/")
    assert [address.url for address in Address.all_of(given)] == ["http://a/v1", "http://b/v1"]
    monkeypatch.setenv("OPENAI_BASE_URL", "http://c/v1")
    silent = LLMConfig(backend="openai", model="m")
    assert [address.url for address in Address.all_of(silent)] == ["http://c/v1"]
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert [address.url for address in Address.all_of(silent)] == ["https://api.openai.com/v1"]
    said = status_error(Address.all_of(silent)[0], 401, {}, b"")
    assert "v1 (the default, as neither llm.base_url nor OPENAI_BASE_URL is set) answered 401" in str(said)


def test_url_tail_is_not_shown() -> None:
    assert Address("http://host:1/v1?token=x", "NONE").shown == "http://host:1/v1"


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2-secret@host:1/v1",
        "https://hunter2-secret@host/v1",
        "http://user:hunter2-secret@host:port/v1",
        "http://user:hunter2-secret@host:99999/v1",
        "http://user:hunter2-secret@[::1/v1",
        "htp://user:hunter2-secret@host/v1",
        "http:/user:hunter2-secret@host/v1",
        "http:user:hunter2-secret@host/v1",
        "user:hunter2-secret@host/v1",
        "//user:hunter2-secret@host/v1",
        "http://user:hunter2-secret",
        "http://user:hunter2-secret/v1",
        "http://user:hunter2-secret#x@host/v1",
        "http://user:hunter2-secret?x@host/v1",
        "http://user:hunter2-secret/x@host/v1",
        "http://user:hunter2-secret,x@host/v1",
        "http://user:hunter2-secret\n@host/v1",
        "http://user:hunter2-secret@host\x1b[31m/v1",
        "http://user:hunter2%2Dsecret@host/v1",
        "http://h\u00fcnter:hunter2-secret@\u2603..x/v1",
        "http://host:hunter2-secret",
        "hunter2-secret",
    ],
)
def test_url_with_a_password_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(EndpointError) as raised:
        Address.all_of(LLMConfig(backend="openai", model="m"))
    shown = f"{raised.value}; {raised.value.hint}" + "".join(traceback.format_exception(raised.value))
    assert "hunter2" not in shown
    assert "OPENAI_BASE_URL" in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "url",
    [
        "http://a\nb/v1",
        "http://[::1",
        "http://h:99999",
        "http://./v1",
        "http://a..b/v1",
        f"http://{'a' * 70}/",
        "http://256.1.1.1/v1",
        "http://1/v1",
        "http:///v1",
        "ftp://host/v1",
    ],
)
def test_unusable_address_is_refused(url: str) -> None:
    with pytest.raises(EndpointError) as raised:
        Address(url, "NONE")
    assert raised.value.hint == "write llm.base_url as http://host:port/v1"


def test_password_of_a_url_is_in_no_traceback() -> None:
    secret = "http://user:hunter2-secret@host/v1"
    text = f"llm: {{base_url: '{secret}', api_key_env: 'sk-hunter2'}}"
    with pytest.raises(ConfigError) as raised:
        parse(text, "run.yaml")
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


def test_commas_alone_are_no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", " , ")
    with pytest.raises(EndpointError, match="OPENAI_BASE_URL: names no URL"):
        Address.all_of(LLMConfig(backend="openai", model="m"))
