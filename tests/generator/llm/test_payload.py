"""A body of any shape is a completion that can be kept, or an answer that is asked for again."""

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
def test_a_body_without_choices_may_be_asked_for_again(choices: Any) -> None:
    with pytest.raises(UnreadableError, match="without choices"):
        completion_of({"choices": choices}, "m", "here")


@pytest.mark.parametrize("content", [7, 1.5, True, {"a": 1}, [], [1], [{"type": "image"}]])
def test_content_that_is_no_text_is_unusable_and_says_so(content: Any) -> None:
    answer = completion(content)
    assert (answer.text, answer.fault) == ("", "the content of the answer is not a text")


def test_parts_of_text_are_one_text_without_the_thoughts() -> None:
    parts = [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert completion(parts).text == "ab"


@pytest.mark.parametrize("reason", [7, ["x"], {"a": 1}, "x" * 1000, "\x1b[31m", "\ud800", True])
def test_a_finish_reason_of_any_kind_is_another(reason: Any) -> None:
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
def test_what_strict_json_refuses_is_read_and_can_be_kept(body: bytes) -> None:
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
def test_an_answer_that_repeats_a_long_key_is_unusable_and_not_kept(spelt: str) -> None:
    answer = completion(f"before {spelt} after")
    assert answer.text == ""
    assert "repeats a key" in answer.fault
    assert KEY not in repr(answer)
    kept = Completion(spelt, "m", "stop")
    assert usable(kept, Secrets([KEY])).text == ""


def test_a_key_beside_the_text_makes_the_answer_unusable_too() -> None:
    assert completion("{}", finish_reason=KEY).fault
    payload = {"model": f"m-{KEY}", "choices": [{"message": {"content": "{}"}}]}
    assert completion_of(payload, "m", "here", MESSAGES, Secrets([KEY])).fault


def test_a_short_key_decides_no_answer_and_is_kept_out_of_messages() -> None:
    secrets = Secrets(["EMPTY"])
    payload = {"choices": [{"message": {"content": "an EMPTY room"}}]}
    assert completion_of(payload, "m", "here", MESSAGES, secrets).text == "an EMPTY room"
    assert secrets.scrub("key EMPTY is wrong") == "key [key] is wrong"


@pytest.mark.parametrize("key", [KEY, "x" * 16, "EMPTY"])
def test_no_part_of_a_key_is_left_at_any_offset(key: str) -> None:
    secrets = Secrets([key])
    for offset in range(320):
        shown = secrets.scrub("." * offset + key + "." * 20)
        assert key[:4] not in shown, offset


def test_credentials_of_proxies_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:pass%2Fword-of-proxy@proxy:3128")
    secrets = Secrets.of_environment("")
    basic = base64.b64encode(b"me:pass/word-of-proxy").decode()
    for said in ("pass%2Fword-of-proxy", "pass/word-of-proxy", basic):
        assert secrets.scrub(f"<{said}>") == "<[key]>"
    assert "word-of-proxy" not in repr(secrets)


@pytest.mark.parametrize("text", ["\x1b[31m", "a\u202eb", "\x9b", "\u2066x", "\ud800", "\x00", "a\u200bb"])
def test_no_character_that_a_terminal_obeys_is_shown(text: str) -> None:
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
def test_tokens_of_a_prefix_cache_are_counted_where_the_endpoint_names_them(
    details: Any, cached: int
) -> None:
    used = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": details}
    payload = {"choices": [{"message": {"content": "an answer"}}], "usage": used}
    assert completion_of(payload, "m", "here").cached_tokens == cached


def test_tokens_that_nobody_counted_are_a_quarter_of_the_bytes() -> None:
    answer = completion("é" * 10)
    assert (answer.prompt_tokens, answer.completion_tokens, answer.estimated) == (4, 5, True)


def test_counts_of_an_earlier_release_that_cannot_be_are_counted_anew() -> None:
    kept = usable(Completion("a" * 40, "m", "stop", 2**64 - 1, 2**64 - 1), None)
    assert (kept.prompt_tokens, kept.completion_tokens) == (0, 10)
