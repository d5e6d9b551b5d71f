from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from census_personas.validators.dataset.swap_effect import Pair, SwapEffect, swap_effect
from census_personas.validators.dataset.vendi import vendi_score

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


def _effect(write: Callable[[Mapping[str, Any], int], dict[str, Any]]) -> SwapEffect:
    pairs = [
        Pair(who["sex"], other["sex"], who, other, write(who, 0), write(other, 0), write(who, 1))
        for who in PEOPLE
        for other in [_swapped(who)]
    ]
    return swap_effect("sex", pairs)


def test_a_narrator_that_looks_away_changes_nothing_but_pronouns() -> None:
    effect = _effect(_fair)
    assert (effect.records, effect.distance) == (40, 0.0)
    assert effect.chance > 0.3
    assert (effect.exceeds, effect.effect) == (False, pytest.approx(-effect.chance))
    assert not any(effect.words.values())


def test_words_that_follow_the_swapped_fact_are_named() -> None:
    effect = _effect(_biased)
    assert effect.distance > 0.2
    assert {sex: list(words) for sex, words in effect.words.items()} == {
        "Female": ["gentle"],
        "Male": ["bold"],
    }
    assert effect.as_dict()["fields"]["persona"] == effect.distance


def test_an_effect_beyond_that_of_another_seed_is_told_with_its_error() -> None:
    steady = _effect(lambda who, _: _biased(who, 0))
    assert steady.chance == 0
    assert steady.exceeds
    assert steady.effect == pytest.approx(steady.distance)
    alone = swap_effect(
        "sex", [Pair("a", "b", PEOPLE[0], PEOPLE[0], *[_fair(PEOPLE[0], n) for n in range(3)])]
    )
    assert (alone.error, alone.exceeds) == (None, None)


def test_words_that_chance_makes_as_strongly_are_not_named() -> None:
    effect = _effect(
        lambda who, seed: {"persona": _biased(who, 0)["persona"] + (" Calm." if seed else " Wild.")}
    )
    assert effect.word_floor > 2
    assert all(score > effect.word_floor for words in effect.words.values() for score in words.values())


def test_vendi_counts_different_texts() -> None:
    assert vendi_score([{"persona": "The same text."}] * 8) == pytest.approx(1.0)
    assert vendi_score(
        [{"persona": text} for text in ("one two", "three four", "five six")]
    ) == pytest.approx(3.0, abs=0.1)
    assert vendi_score(
        pd.DataFrame({"persona": list("abcd")}), embed=lambda texts: np.eye(len(texts))
    ) == pytest.approx(4.0)


def test_vendi_refuses_what_it_cannot_measure() -> None:
    with pytest.raises(ValueError, match="0 texts"):
        vendi_score([])
    with pytest.raises(ValueError, match="not one row for each text"):
        vendi_score([{"persona": "a"}, {"persona": "b"}], embed=lambda _: np.ones(3))
