"""What models really send is read; what cannot be read is said."""

from __future__ import annotations

import json

import pytest

from persona_engine.generator.llm.answer import AnswerError, parse_object, read
from persona_engine.prompts.fields import FieldSpec

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
def test_a_json_object_is_found_wherever_it_stands(text: str) -> None:
    assert parse_object(text) == {"story": "Once."}


def test_raw_control_characters_inside_strings_are_tolerated() -> None:
    assert read('{"story": "Once\n\tupon a\x01 time"}', [TEXT]).values == {"story": "Once upon a time"}


@pytest.mark.parametrize("blank", ["\\n", "\\u0007", "\\u00a0", "\xa0", "\x7f", "  ", "\\n \\n"])
def test_whatever_is_no_single_blank_becomes_one(blank: str) -> None:
    assert read(f'{{"story": "Once{blank}upon"}}', [TEXT]).values == {"story": "Once upon"}
    assert read(f'{{"items": ["one{blank}thing", "two"]}}', [LIST]).values == {"items": ["one thing", "two"]}


@pytest.mark.parametrize(
    "text", ["", "   ", "no object", '{"story": "cut o', "[1, 2]", "null", "{", '{"a": {"b": 1}']
)
def test_text_without_a_whole_object_is_an_error(text: str) -> None:
    with pytest.raises(AnswerError):
        parse_object(text)


def test_an_unreadable_answer_is_a_finding_for_every_field() -> None:
    answer = read("I cannot help with that.", [TEXT, LIST])
    assert answer.values == {}
    assert [finding.field for finding in answer.findings] == ["story", "items"]
    assert "I cannot help" in answer.findings[0].message


@pytest.mark.parametrize("value", [7, None, ["a", "b"], {"a": 1}])
def test_a_wrong_type_is_a_finding(value: object) -> None:
    answer = read(json.dumps({"story": value}), [TEXT])
    assert [finding.field for finding in answer.findings] == ["story"]
    assert "is not a text" in answer.findings[0].message


def test_a_missing_field_is_a_finding_and_the_others_are_kept() -> None:
    answer = read('{"story": "Once upon."}', [TEXT, LIST])
    assert answer.values == {"story": "Once upon."}
    assert "is missing" in answer.findings[0].message


@pytest.mark.parametrize("story", ["Hm.", "x" * 41])
def test_a_length_outside_the_bounds_is_a_finding(story: str) -> None:
    answer = read(json.dumps({"story": story}), [TEXT])
    assert f"has {len(story)} characters; write 5 to 40" in answer.findings[0].message


def test_list_items_that_begin_with_a_number_keep_it() -> None:
    assert read('{"items": ["3D printing", "1950s jazz"]}', [LIST]).values == {
        "items": ["3D printing", "1950s jazz"]
    }


def test_list_items_lose_bullets_blanks_and_repetitions() -> None:
    answer = read('{"items": ["- one", "2. two;", "two", "  ", "• three"]}', [LIST])
    assert answer.values == {"items": ["one", "two", "three"]}
    assert not answer.findings


def test_fields_that_nobody_asked_for_are_ignored() -> None:
    assert read('{"story": "Once upon.", "age": 7}', [TEXT]).values == {"story": "Once upon."}
