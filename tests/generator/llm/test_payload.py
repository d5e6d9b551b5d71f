"""A body of any shape becomes a completion that can be stored, or a transient error."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from census_personas.foundation.printable import printable
from census_personas.generator.llm.body import parse_body
from census_personas.generator.llm.chat import Completion, LLMError, UnreadableError
from census_personas.generator.llm.payload import completion_of, usable
from census_personas.generator.llm.redaction import Secrets

pytestmark = pytest.mark.quick

KEY = "sk-proj/0123456789+abcdef"
MESSAGES = ({"role": "user", "content": "Write a line."},)


def completion(content: Any, **beside: Any) -> Completion:
    payload = {"choices": [{"message": {"content": content}, **beside}]}
    return completion_of(payload, "m", "here", MESSAGES, Secrets([KEY]))


@pytest.mark.parametrize("choices", [None, [], {}, "x", [1], [[]], [None], 7])
def test_body_without_choices_is_transient(choices: Any) -> None:
    with pytest.raises(UnreadableError, match="without choices"):
        completion_of({"choices": choices}, "m", "here")


@pytest.mark.parametrize("content", [7, 1.5, True, {"a": 1}, [], [1], [{"type": "image"}]])
def test_non_text_content_is_unusable(content: Any) -> None:
    answer = completion(content)
    assert (answer.text, answer.fault) == ("", "the content of the answer is not a text")


def test_text_parts_are_joined() -> None:
    parts = [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert completion(parts).text == "ab"


@pytest.mark.parametrize("reason", [7, ["x"], {"a": 1}, "x" * 1000, "\x1b[31m", "\ud800", True])
def test_unknown_finish_reason_is_other(reason: Any) -> None:
    assert completion("{}", finish_reason=reason).finish_reason == "other"
    assert completion("{}", finish_reason="length").finish_reason == "length"
    assert completion("{}").finish_reason == "stop"


@pytest.mark.parametrize(
    "body",
    [
        b'{"choices": [{"message": {"content": "a \\ud800 b"}}]}',
        b'{"choices": [{"message": {"content": "a \xff b"}}]}',
        b'{"choices": [{"message": {"content": "a \x01 b"}}], "x": NaN}',
        b'{"\\udfff": 1, "choices": [{"message": {"content": "a"}, "finish_reason": "\\ud800"}]}',
    ],
)
def test_lenient_json_is_read(body: bytes) -> None:
    payload = parse_body(body)
    assert payload is not None
    answer = completion_of(payload, "m", "here", MESSAGES)
    assert answer.text.startswith("a")
    orjson.dumps(answer)


@pytest.mark.parametrize(
    "spelt",
    [
        KEY,
        json.dumps({"story": f"x {KEY} y"}),
        KEY.replace("/", "\\/"),
        "".join(f"\\u{ord(c):04x}" for c in KEY),
        quote(KEY, safe=""),
        base64.b64encode(KEY.encode()).decode(),
    ],
)
def test_long_key_makes_an_answer_unusable(spelt: str) -> None:
    answer = completion(f"before {spelt} after")
    assert answer.text == ""
    assert "repeats a key" in answer.fault
    assert KEY not in repr(answer)
    kept = Completion(spelt, "m", "stop")
    assert usable(kept, Secrets([KEY])).text == ""


def test_key_beside_the_text_does_too() -> None:
    assert completion("{}", finish_reason=KEY).fault
    payload = {"model": f"m-{KEY}", "choices": [{"message": {"content": "{}"}}]}
    assert completion_of(payload, "m", "here", MESSAGES, Secrets([KEY])).fault


def test_short_key_only_leaves_messages() -> None:
    secrets = Secrets(["EMPTY"])
    payload = {"choices": [{"message": {"content": "an EMPTY room"}}]}
    assert completion_of(payload, "m", "here", MESSAGES, secrets).text == "an EMPTY room"
    assert secrets.scrub("key EMPTY is wrong") == "key [key] is wrong"


@pytest.mark.parametrize("key", [KEY, "x" * 16, "EMPTY"])
def test_no_part_of_a_key_is_left(key: str) -> None:
    secrets = Secrets([key])
    for offset in range(320):
        shown = secrets.scrub("." * offset + key + "." * 20)
        assert key[:4] not in shown, offset


def test_proxy_credentials_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:pass%2Fword-of-proxy@proxy:3128")
    secrets = Secrets.of_environment("")
    basic = base64.b64encode(b"me:pass/word-of-proxy").decode()
    for said in ("pass%2Fword-of-proxy", "pass/word-of-proxy", basic):
        assert secrets.scrub(f"<{said}>") == "<[key]>"
    assert "word-of-proxy" not in repr(secrets)


@pytest.mark.parametrize("text", ["\x1b[31m", "a\u202eb", "\x9b", "\u2066x", "\ud800", "\x00", "a\u200bb"])
def test_no_control_character_is_shown(text: str) -> None:
    assert printable(text).isprintable()
    error = LLMError(text, hint=text)
    assert str(error).isprintable()
    assert error.hint.isprintable()


@pytest.mark.parametrize(
    ("details", "cached"),
    [
        ({"cached_tokens": 60}, 60),
        ({"cached_tokens": 10**6}, 100),
        ({"cached_tokens": -1}, 0),
        ({"cached_tokens": True}, 0),
        ({"cached_tokens": None}, 0),
        ([60], 0),
        (None, 0),
    ],
)
def test_cached_tokens_are_counted(details: Any, cached: int) -> None:
    used = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": details}
    payload = {"choices": [{"message": {"content": "an answer"}}], "usage": used}
    assert completion_of(payload, "m", "here").cached_tokens == cached


def test_missing_counts_are_estimated() -> None:
    answer = completion("é" * 10)
    assert (answer.prompt_tokens, answer.completion_tokens, answer.estimated) == (4, 5, True)


def test_impossible_old_counts_are_replaced() -> None:
    kept = usable(Completion("a" * 40, "m", "stop", 2**64 - 1, 2**64 - 1), None)
    assert (kept.prompt_tokens, kept.completion_tokens) == (0, 10)
