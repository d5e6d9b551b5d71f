"""Selections that draw the same rows have one key and one fingerprint."""

from __future__ import annotations

from pathlib import Path

import pytest

from census_personas.generator.config.run_config import Config
from census_personas.generator.config.selection import Selection

pytestmark = pytest.mark.quick


def test_conditions_have_their_own_key() -> None:
    assert Selection({"sex": "Male"}).key == '{"sex": ["Male"]}'
    assert Selection().key == "{}"


def test_every_selection_has_its_own_key() -> None:
    ways = [
        Selection(),
        Selection({"sex": "Male"}),
        Selection(target={"sex": "uniform"}),
        Selection(quota={"sex": "uniform"}),
        Selection(stratified=True),
    ]
    assert len({way.key for way in ways}) == len(ways)


def test_unused_kinds_keep_the_fingerprint() -> None:
    assert not {"target", "quota", "stratified"} & set(Config().identity())


def test_selections_enter_the_fingerprint() -> None:
    configs = [
        Config(),
        Config(target={"sex": "uniform"}),
        Config(quota={"sex": "uniform"}),
        Config(stratified=True),
        Config(where={"sex": "Male"}),
    ]
    assert len({config.fingerprint() for config in configs}) == len(configs)


def test_table_counts_by_its_contents(tmp_path: Path) -> None:
    prints = []
    for name, text in (
        ("a.csv", "sex,share\nMale,1\n"),
        ("b.csv", "sex,share\nMale,1\n"),
        ("c.csv", "sex,share\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        prints.append(Config(target={"sex": str(tmp_path / name)}).fingerprint())
    assert prints[0] == prints[1] != prints[2]


def test_equal_conditions_have_one_key() -> None:
    assert Selection({"state": "CA"}).key == Selection({"state": ["CA"]}).key
    assert Selection({"state": ["CA", "OR"]}).key == Selection({"state": {"OR", "CA"}}).key
    assert Selection({"age": 30}).key == Selection({"age": "30"}).key
    assert Selection({"age": range(30, 33)}).key == Selection({"age": [32, 31, 30, 30]}).key
