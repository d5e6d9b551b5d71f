"""A conversation repeats earlier answers with their current values, byte for byte where nothing changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from census_personas.generator.narration.conversation import Turn, joined, so_far
from census_personas.prompts.fields import FieldSpec

ASKED = ({"role": "system", "content": "Rules."}, {"role": "user", "content": "Write."})
FIELDS = tuple(FieldSpec(name, "text", "", 1, 100) for name in ("skills", "hobbies"))
VALUES = {"skills": "Ana bakes.", "hobbies": "Ana runs."}


def turn(text: str, values: dict[str, Any] | None = None) -> Turn:
    return Turn(ASKED, FIELDS, text, values or VALUES)


def test_unchanged_answer_is_repeated() -> None:
    text = '{"hobbies":"Ana runs.",\n  "skills": "Ana bakes."}'
    assert so_far([turn(text)], VALUES)[-1] == {"role": "assistant", "content": text}


@pytest.mark.parametrize(
    "text",
    [
        "<think>hm</think>{}",
        "[]",
        "no JSON",
        json.dumps(VALUES | {"more": 1}),
        json.dumps(VALUES) + " " * 999,
    ],
)
def test_changed_answer_shows_values_only(text: str) -> None:
    assert so_far([turn(text)], VALUES)[-1]["content"] == json.dumps(VALUES)


def test_repaired_field_is_shown_as_it_is() -> None:
    now = VALUES | {"hobbies": "Ana rows."}
    assert json.loads(so_far([turn(json.dumps(VALUES))], now)[-1]["content"]) == now


def test_requested_field_is_left_out() -> None:
    shown = so_far([turn(json.dumps(VALUES))], VALUES, {"hobbies"})
    assert json.loads(shown[-1]["content"]) == {"skills": "Ana bakes."}


def test_first_call_keeps_its_question() -> None:
    later = Turn(({"role": "user", "content": "More."},), (FieldSpec("arts", "text", "", 1, 9),), "", {})
    assert so_far([turn(""), later], {}) == ASKED


def test_same_role_messages_are_merged() -> None:
    more = {"role": "user", "content": "Again."}
    assert joined([*ASKED, more]) == (ASKED[0], {"role": "user", "content": "Write.\n\nAgain."})
    assert joined(ASKED) == ASKED
