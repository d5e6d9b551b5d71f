"""What an attempt said so far is shown as it stands now, to the byte where nothing changed."""

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


def test_an_answer_that_stands_is_shown_as_it_came() -> None:
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
def test_of_any_other_answer_only_its_values_are_shown(text: str) -> None:
    assert so_far([turn(text)], VALUES)[-1]["content"] == json.dumps(VALUES)


def test_a_field_that_was_repaired_is_shown_as_it_is_now() -> None:
    now = VALUES | {"hobbies": "Ana rows."}
    assert json.loads(so_far([turn(json.dumps(VALUES))], now)[-1]["content"]) == now


def test_a_field_that_is_asked_for_again_is_left_out() -> None:
    shown = so_far([turn(json.dumps(VALUES))], VALUES, {"hobbies"})
    assert json.loads(shown[-1]["content"]) == {"skills": "Ana bakes."}


def test_a_first_call_without_an_answer_keeps_its_question_and_a_later_one_is_left_out() -> None:
    later = Turn(({"role": "user", "content": "More."},), (FieldSpec("arts", "text", "", 1, 9),), "", {})
    assert so_far([turn(""), later], {}) == ASKED


def test_neighbours_of_one_role_become_one_message() -> None:
    more = {"role": "user", "content": "Again."}
    assert joined([*ASKED, more]) == (ASKED[0], {"role": "user", "content": "Write.\n\nAgain."})
    assert joined(ASKED) == ASKED
