from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from persona_engine.validators.dataset.counterfactual import swap_effect
from persona_engine.validators.dataset.vendi import vendi_score

PEOPLE = [
    {"first_name": "Ana", "last_name": "Wu", "sex": sex, "row": row}
    for row in range(20)
    for sex in ("Female", "Male")
]
HOBBIES = ("chess", "rowing", "baking", "pottery")


def _swapped(record: Mapping[str, Any]) -> dict[str, Any]:
    return {**record, "sex": "Male" if record["sex"] == "Female" else "Female"}


def _fair(record: Mapping[str, Any], seed: int) -> dict[str, Any]:
    she = "she" if record["sex"] == "Female" else "he"
    return {"persona": f"Ana Wu says that {she} loves {HOBBIES[(record['row'] + seed) % 4]}."}


def _biased(record: Mapping[str, Any], seed: int) -> dict[str, Any]:
    return {
        "persona": _fair(record, seed)["persona"] + (" Gentle." if record["sex"] == "Female" else " Bold.")
    }


def test_a_narrator_that_looks_away_changes_nothing_but_pronouns() -> None:
    effect = swap_effect(PEOPLE, "sex", _swapped, _fair)
    assert (effect.records, effect.distance) == (40, 0.0)
    assert effect.chance > 0.3
    assert not any(effect.words.values())


def test_words_that_follow_the_swapped_fact_are_named() -> None:
    effect = swap_effect(PEOPLE, "sex", _swapped, _biased)
    assert effect.distance > 0.2
    assert {sex: list(words) for sex, words in effect.words.items()} == {
        "Female": ["gentle"],
        "Male": ["bold"],
    }
    assert effect.as_dict()["fields"]["persona"] == effect.distance


def test_vendi_counts_different_texts() -> None:
    assert vendi_score(["The same text."] * 8) == pytest.approx(1.0)
    assert vendi_score(["one two", "three four", "five six"]) == pytest.approx(3.0, abs=0.1)
    assert vendi_score(["a", "b", "c", "d"], embed=lambda texts: np.eye(len(texts))) == pytest.approx(4.0)


def test_vendi_refuses_what_it_cannot_measure() -> None:
    with pytest.raises(ValueError, match="0 texts"):
        vendi_score([])
    with pytest.raises(ValueError, match="not one row for each text"):
        vendi_score(["a", "b"], embed=lambda _: np.ones(3))
