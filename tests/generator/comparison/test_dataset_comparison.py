from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import united_states

from census_personas.generator.comparison.dataset_comparison import (
    DatasetComparison,
    compare_datasets,
    write_comparison,
)
from census_personas.generator.comparison.similar_texts import nearest, pairwise, shingled
from census_personas.generator.comparison.text_comparison import compare_field
from census_personas.validators.dataset.duplication import SHINGLE

pytestmark = pytest.mark.quick

PRIORS = united_states()
WORDS = "river garden bread music window market bridge winter lantern copper saddle meadow".split()


def _texts(seed: int, rows: int, words: Sequence[str] = WORDS, length: int = 12) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(words, length + rng.integers(4))) for _ in range(rows)]


def _file(place: Path, seed: int, *, facts: int = 1, rows: int = 300, **texts: Any) -> Path:
    rng = np.random.default_rng(facts)
    pd.DataFrame(
        {
            "uuid": [f"{facts}-{i}" for i in range(rows)],
            "sex": rng.choice(["Female", "Male"], rows),
            "age": rng.integers(18, 90, rows),
            "state": rng.choice(["NY", "CA", "TX"], rows),
            "persona": _texts(seed, rows, **texts),
        }
    ).to_parquet(place)
    return place


def _compared(one: Path, other: Path, **options: Any) -> DatasetComparison:
    return compare_datasets(one, other, PRIORS.roles, recipe=PRIORS.conventions.names.recipe, **options)


def test_same_people_are_paired(tmp_path: Path) -> None:
    one = _file(tmp_path / "one.parquet", 1)
    shuffled = pd.read_parquet(one).sample(frac=1, random_state=0)
    shuffled["persona"] = _texts(2, len(shuffled))
    shuffled.to_parquet(tmp_path / "other.parquet")
    found = _compared(one, tmp_path / "other.parquet", texts=200)
    assert (found.people.by, found.people.same, found.people.pairs) == ("uuid", True, 300)
    assert found.people.facts == {"sex": 1.0, "age": 1.0, "state": 1.0}
    assert all(found.passes.values())
    (persona,) = found.texts
    assert (persona.texts, persona.differs, persona.near_duplicates.same) == (200, False, 0.0)


def test_other_texts_of_the_same_people_differ(tmp_path: Path) -> None:
    one = _file(tmp_path / "one.parquet", 1)
    other = _file(tmp_path / "other.parquet", 2, words=[*WORDS, "harbour", "thunder"], length=14)
    found = _compared(one, other)
    assert all(found.passes.values())
    assert found.people.same
    (persona,) = found.texts
    assert persona.differs
    assert persona.vocabulary.distance > persona.vocabulary.limit > persona.vocabulary.floor
    assert {"harbour", "thunder"} <= set(persona.vocabulary.more_in_other)
    assert 1 < persona.lengths.low < persona.lengths.difference < persona.lengths.high < 3


def test_the_same_file_is_the_same(tmp_path: Path) -> None:
    one = _file(tmp_path / "one.parquet", 1)
    found = _compared(one, one)
    (persona,) = found.texts
    assert (persona.near_duplicates.same, persona.near_duplicates.similarity) == (1.0, 1.0)
    assert persona.near_duplicates.across == 1.0
    assert persona.near_duplicates.within == (0.0, 0.0)
    assert (persona.vocabulary.distance, persona.differs) == (0.0, False)
    assert set(found.tvd.values()) == {0.0}
    assert found == _compared(one, one)


def test_other_people_are_said_to_be_others(tmp_path: Path) -> None:
    found = _compared(
        _file(tmp_path / "one.parquet", 1), _file(tmp_path / "other.parquet", 2, facts=2, rows=250)
    )
    assert (found.people.by, found.people.same, found.people.pairs) == ("none", False, 0)
    (persona,) = found.texts
    assert (persona.texts, persona.near_duplicates.same, persona.differs) == (250, None, False)


def test_people_without_uuid_are_paired_by_place(tmp_path: Path) -> None:
    frame = pd.read_parquet(_file(tmp_path / "one.parquet", 1)).drop(columns="uuid")
    frame.to_parquet(tmp_path / "one.parquet")
    frame.assign(state=["NY", *frame.state[1:]], age=[frame.age[0] + 1, *frame.age[1:]]).to_parquet(
        tmp_path / "other.parquet"
    )
    found = _compared(tmp_path / "one.parquet", tmp_path / "other.parquet")
    assert (found.people.by, found.people.same) == ("row", False)
    assert found.people.facts["age"] == pytest.approx(299 / 300)
    assert found.people.all_facts == pytest.approx(299 / 300)


def test_texts_of_one_population_seldom_differ() -> None:
    different = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        for paired in (True, False):
            found = compare_field(
                "persona", _texts(seed, 80), _texts(seed + 1000, 80), rng, paired=paired, tests=2
            )
            different += found.differs
    assert different <= 2


@st.composite
def some_texts(draw: st.DrawFn) -> list[str]:
    return draw(
        st.lists(st.lists(st.sampled_from(WORDS[:4]), max_size=9).map(" ".join), min_size=1, max_size=6)
    )


@given(some_texts(), some_texts())
@settings(max_examples=60, deadline=None)
def test_similarity_is_the_jaccard_index(one: list[str], other: list[str]) -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        tokens = text.split()
        return {tuple(tokens[i : i + SHINGLE]) for i in range(len(tokens) - SHINGLE + 1)}

    def jaccard(a: str, b: str) -> float:
        union = runs(a) | runs(b)
        return len(runs(a) & runs(b)) / len(union) if union else 0.0

    first, second = shingled(one, other)
    assert nearest(first, second) == pytest.approx([max(jaccard(a, b) for b in other) for a in one])
    within = [
        max((jaccard(a, b) for j, b in enumerate(one) if j != i), default=0.0) for i, a in enumerate(one)
    ]
    assert nearest(first, first, within=True) == pytest.approx(within)
    short = min(len(one), len(other))
    first, second = shingled(one[:short], other[:short])
    assert pairwise(first, second) == pytest.approx([jaccard(a, b) for a, b in zip(one, other, strict=False)])


def test_page_shows_every_section(tmp_path: Path) -> None:
    found = _compared(_file(tmp_path / "one.parquet", 1), _file(tmp_path / "other.parquet", 2))
    write_comparison(tmp_path / "comparison.html", found)
    page = (tmp_path / "comparison.html").read_text()
    for part in (
        "The people are the same.",
        "Words per text",
        "Vocabulary",
        "Near-duplicates",
        "Rule findings",
    ):
        assert part in page
    assert page.count("<svg") == 2
    written = json.loads((tmp_path / "comparison.json").read_text())
    assert written == found.model_dump(mode="json")
    assert {"rows", "tvd", "floor", "limit", "passes"} <= written.keys()


def test_textless_datasets_compare_by_tables(tmp_path: Path) -> None:
    pd.DataFrame({"state": ["NY", "CA"] * 20}).to_csv(tmp_path / "one.csv", index=False)
    found = _compared(tmp_path / "one.csv", tmp_path / "one.csv")
    assert (found.texts, found.names, found.compared) == ((), {}, (0, 0))
    assert found.passes == {"state": True}
