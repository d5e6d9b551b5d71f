"""Answers as models really send them are parsed; unreadable ones become findings."""

from __future__ import annotations

import json
import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from census_personas.generator.llm.answer import AnswerError, parse_object, read
from census_personas.prompts.fields import FieldSpec

pytestmark = pytest.mark.quick

TEXT = FieldSpec("story", "text", "A story.", 5, 40)
LIST = FieldSpec("items", "list", "Items.", 2, 4)


@pytest.mark.parametrize(
    "text",
    [
        '{"story": "Once."}',
        'Here you are:\n```json\n{"story": "Once."}\n```\nAnything else?',
        '```\n{"story": "Once."}\n```',
        'Sure! {"story": "Once."} Bye.',
        '<think>{"story": "draft"}</think>{"story": "Once."}',
        'A set {such as this} comes first: {"story": "Once."}',
        '{"story": "Once."}' + " \n" * 500,
    ],
)
def test_object_is_found_in_any_text(text: str) -> None:
    assert parse_object(text) == {"story": "Once."}


def test_control_characters_are_tolerated() -> None:
    assert read('{"story": "Once\n\tupon a\x01 time"}', [TEXT]).values == {"story": "Once upon a time"}


@pytest.mark.parametrize("blank", ["\\n", "\\u0007", "\\u00a0", "\xa0", "\x7f", "  ", "\\n \\n"])
def test_blanks_are_normalized(blank: str) -> None:
    assert read(f'{{"story": "Once{blank}upon"}}', [TEXT]).values == {"story": "Once upon"}
    assert read(f'{{"items": ["one{blank}thing", "two"]}}', [LIST]).values == {"items": ["one thing", "two"]}


@pytest.mark.parametrize(
    "text", ["", "   ", "no object", '{"story": "cut o', "[1, 2]", "null", "{", '{"a": {"b": 1}']
)
def test_no_whole_object_is_an_error(text: str) -> None:
    with pytest.raises(AnswerError):
        parse_object(text)


def test_unreadable_answer_fails_every_field() -> None:
    answer = read("I cannot help with that.", [TEXT, LIST])
    assert answer.values == {}
    assert [finding.field for finding in answer.findings] == ["story", "items"]
    assert "I cannot help" in answer.findings[0].message


@pytest.mark.parametrize("value", [7, None, ["a", "b"], {"a": 1}])
def test_wrong_type_is_a_finding(value: object) -> None:
    answer = read(json.dumps({"story": value}), [TEXT])
    assert [finding.field for finding in answer.findings] == ["story"]
    assert "is not a text" in answer.findings[0].message


def test_missing_field_is_a_finding() -> None:
    answer = read('{"story": "Once upon."}', [TEXT, LIST])
    assert answer.values == {"story": "Once upon."}
    assert "is missing" in answer.findings[0].message


@pytest.mark.parametrize("story", ["Hm.", "x" * 41])
def test_length_out_of_bounds_is_a_finding(story: str) -> None:
    answer = read(json.dumps({"story": story}), [TEXT])
    assert f"has {len(story)} characters; write 5 to 40" in answer.findings[0].message


def test_leading_numbers_of_items_stay() -> None:
    assert read('{"items": ["3D printing", "1950s jazz"]}', [LIST]).values == {
        "items": ["3D printing", "1950s jazz"]
    }


def test_list_items_are_cleaned() -> None:
    answer = read('{"items": ["- one", "2. two;", "two", "  ", "• three"]}', [LIST])
    assert answer.values == {"items": ["one", "two", "three"]}
    assert not answer.findings


def test_extra_fields_are_ignored() -> None:
    assert read('{"story": "Once upon.", "age": 7}', [TEXT]).values == {"story": "Once upon."}


SCORE = FieldSpec("score", "score", "A score.", 1, 5)
N = 100_000
HOSTILE = {
    "half a pair": '{"story": "Once \\ud800 upon"}',
    "half a pair in a list": '{"items": ["one\\udfff", "two"], "story": "Once upon"}',
    "half a pair in a key": '{"\\ud800": 1, "story": "Once upon"}',
    "NUL": '{"story": "Once\\u0000upon\\u001b[31m"}',
    "nested lists": '{"story": ' + "[" * 1500 + "]" * 1500 + "}",
    "nested objects": '{"a":' * 1500 + "1" + "}" * 1500,
    "nested without end": '{"a":' * N,
    "nested after thoughts": "<think></think>" + '{"a":[' * N,
    "long number": '{"story": ' + "9" * N + "}",
    "long number as a text": '{"score": "' + "9" * N + '"}',
    "long float": '{"score": 1e' + "9" * N + "}",
    "no number": '{"score": NaN, "story": Infinity}',
    "number beyond 64 bits": '{"score": 18446744073709551616}',
    "same key often": "{" + '"story": "x", ' * N + '"story": "Once upon"}',
    "many items": '{"items": [' + '"a", ' * N + '"b"]}',
    "long items": '{"items": ["' + "a" * N + '", "b"]}',
    "long text": '{"story": "' + "word " * N + '"}',
    "thoughts": "<think>" * N,
    "thoughts and fences": "<think>```" * N,
    "closed thoughts": "<think></think>" * N,
    "fences": "```json " * N,
    "fence and blanks": "```" + " " * N,
    "braces": "{" * N,
    "braces and blanks": ("{" + " " * 50) * 2_000,
    "openings": '{"' * N,
    "quotation marks": '{"story": "' + '\\"' * N,
    "backslashes": '{"story": "' + "\\" * N,
    "digits as a bullet": '{"items": ["' + "9" * N + '", "b"]}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_is_read_fast(name: str) -> None:
    began = time.process_time()
    answer = read(HOSTILE[name], [TEXT, LIST, SCORE])
    assert time.process_time() - began < 1
    orjson.dumps({"values": answer.values, "findings": [finding.message for finding in answer.findings]})
    named = {finding.field for finding in answer.findings}
    assert {"story", "items", "score"} <= named | answer.values.keys()
    assert all(len(value) <= 4_000 for value in answer.values.values() if isinstance(value, str))


def test_half_a_character_fails_its_field() -> None:
    answer = read(HOSTILE["half a pair in a list"], [TEXT, LIST])
    assert answer.values == {"story": "Once upon", "items": ["one\ufffd", "two"]}
    assert [finding.field for finding in answer.findings] == ["items"]


def test_overlong_text_is_cut() -> None:
    answer = read(json.dumps({"story": "x" * N}), [TEXT])
    assert answer.values["story"] == "x" * 4_000
    assert "has 100000 characters; write 5 to 40" in answer.findings[0].message


def test_known_fault_fails_every_field() -> None:
    answer = read("", [TEXT, LIST], fault="the answer repeats a key")
    assert {finding.message for finding in answer.findings} == {"the answer repeats a key"}


@given(
    st.text() | st.recursive(st.text(), st.lists).map(repr), st.sampled_from(["", "{", '{"story": "', "```"])
)
def test_no_text_raises(text: str, before: str) -> None:
    orjson.dumps(dict(read(before + text, [TEXT, LIST, SCORE]).values))
