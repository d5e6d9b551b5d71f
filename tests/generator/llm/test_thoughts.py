"""Thoughts of reasoning models are counted and kept out of answers."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from census_personas.generator.llm.payload import completion_of
from census_personas.generator.llm.thoughts import separate_thoughts

pytestmark = pytest.mark.quick
ANSWER = '{"story": "Once."}'


@pytest.mark.parametrize(
    "text",
    [
        f"<think>a {{b}}</think>{ANSWER}",
        f"\n<think>\n\n</think>\n\n{ANSWER}",
        f"Sure. <think>a</think>{ANSWER}",
        f"<think>a</think><think>b</think>{ANSWER}",
        f"<thinking>a</thinking>{ANSWER}",
        f"[THINK]a[/THINK]{ANSWER}",
        f"The template began this thought {{not json}}.</think>{ANSWER}",
        f"a</think>b</think>{ANSWER}",
    ],
)
def test_leading_thoughts_are_left_out(text: str) -> None:
    answer, thoughts = separate_thoughts(text)
    assert answer.replace("Sure. ", "").strip() == ANSWER
    assert thoughts


@pytest.mark.parametrize(
    "text", ["<think>a", f"<think>I would write {ANSWER} or so", "Well. <think>", "[THINK]a"]
)
def test_endless_thought_is_no_answer(text: str) -> None:
    answer, thoughts = separate_thoughts(text)
    assert answer.strip() in {"", "Well."}
    assert thoughts


@pytest.mark.parametrize(
    "text",
    [ANSWER, '{"story": "He wrote <think> and </think> on the board."}', "No marks.", "", "```json\n{}\n```"],
)
def test_plain_answer_is_unchanged(text: str) -> None:
    assert separate_thoughts(text) == (text, "")


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "[THINK]", "[/THINK]", "a", " ", "<", "{"]), max_size=30)
)
def test_no_thought_stays_beside_a_mark(parts: list[str]) -> None:
    text = "".join(parts)
    answer, thoughts = separate_thoughts(text)
    assert len(answer) + len(thoughts) == len(text)
    if not text.lstrip().startswith("{"):
        assert "<think>" not in answer


def test_many_marks_take_linear_time() -> None:
    began = time.monotonic()
    for text in ("<think>" * 10**6, "<think></think>" * 10**5 + "a", "</think>" * 10**6):
        separate_thoughts(text)
    assert time.monotonic() - began < 2


def completed(message: dict[str, Any], **usage: Any) -> Any:
    payload = {
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, **usage},
    }
    return completion_of(payload, "m", "here")


@pytest.mark.parametrize(
    ("message", "text", "reason"),
    [
        ({"content": ANSWER, "reasoning_content": "x" * 40}, ANSWER, "stop"),
        ({"content": ANSWER, "reasoning": "x" * 40}, ANSWER, "stop"),
        ({"content": f"<think>{'x' * 24}</think>{ANSWER}"}, ANSWER, "stop"),
        ({"content": f"<think>{'x' * 40}"}, "", "reasoning"),
        ({"content": None, "reasoning_content": "x" * 40, "reasoning": "x" * 40}, "", "reasoning"),
    ],
)
def test_thoughts_are_counted_not_kept(message: dict[str, Any], text: str, reason: str) -> None:
    answer = completed(message, completion_tokens=70)
    assert (answer.text, answer.finish_reason, answer.completion_tokens) == (text, reason, 70)
    assert 9 <= answer.reasoning_tokens <= 12
    told = completed(message, completion_tokens=70, completion_tokens_details={"reasoning_tokens": 33})
    assert told.reasoning_tokens == 33
    uncounted = completed(message)
    assert uncounted.completion_tokens >= uncounted.reasoning_tokens
    assert uncounted.completion_tokens >= len(text) // 4 + 9


def test_thought_at_the_limit_gets_a_larger_one() -> None:
    payload = {"choices": [{"message": {"content": "<think>and so"}, "finish_reason": "length"}]}
    answer = completion_of(payload, "m", "here")
    assert (answer.text, answer.finish_reason) == ("", "length")
