"""What decides rows and what does not: selections as keys, and as part of a config's fingerprint."""

from __future__ import annotations

from pathlib import Path

import pytest

from census_personas.generator.config.run_config import Config
from census_personas.generator.config.selection import Selection

pytestmark = pytest.mark.quick


def test_a_selection_of_conditions_alone_has_the_key_of_its_conditions() -> None:
    assert Selection({"sex": "Male"}).key == '{"sex": ["Male"]}'
    assert Selection().key == "{}"


def test_every_way_of_selecting_makes_another_key() -> None:
    ways = [
        Selection(),
        Selection({"sex": "Male"}),
        Selection(target={"sex": "uniform"}),
        Selection(quota={"sex": "uniform"}),
        Selection(stratified=True),
    ]
    assert len({way.key for way in ways}) == len(ways)


def test_ways_that_are_not_used_leave_a_fingerprint_as_it_was() -> None:
    assert not {"target", "quota", "stratified"} & set(Config().identity())


def test_every_way_of_selecting_is_part_of_the_fingerprint() -> None:
    configs = [
        Config(),
        Config(target={"sex": "uniform"}),
        Config(quota={"sex": "uniform"}),
        Config(stratified=True),
        Config(where={"sex": "Male"}),
    ]
    assert len({config.fingerprint() for config in configs}) == len(configs)


def test_a_wanted_table_counts_by_its_contents(tmp_path: Path) -> None:
    prints = []
    for name, text in (
        ("a.csv", "sex,share\nMale,1\n"),
        ("b.csv", "sex,share\nMale,1\n"),
        ("c.csv", "sex,share\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        prints.append(Config(target={"sex": str(tmp_path / name)}).fingerprint())
    assert prints[0] == prints[1] != prints[2]


def test_conditions_that_say_the_same_have_one_key() -> None:
    assert Selection({"state": "CA"}).key == Selection({"state": ["CA"]}).key
    assert Selection({"state": ["CA", "OR"]}).key == Selection({"state": {"OR", "CA"}}).key
    assert Selection({"age": 30}).key == Selection({"age": "30"}).key
    assert Selection({"age": range(30, 33)}).key == Selection({"age": [32, 31, 30, 30]}).key
