"""`personas priors list`, `show`, `check` and `query`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from census_personas.census_priors.priors import Priors

Personas = Callable[..., tuple[int, str, str]]


def test_priors_are_listed_and_shown(personas: Personas) -> None:
    assert "en_US" in json.loads(personas("priors", "list", "--json")[1])
    shown = json.loads(personas("priors", "show", "--json")[1])
    sex = next(item for item in shown["attributes"] if item["name"] == "sex")
    assert sex["states"] == {"Male": "male", "Female": "female"}


def test_shipped_tables_are_sound(personas: Personas) -> None:
    code, out, _ = personas("priors", "check", "--json")
    found = json.loads(out)
    assert (code, found["passed"]) == (0, True)
    assert len(found["verdicts"]) > 15


def test_negative_table_is_named(personas: Personas, tmp_path: Path, one_line: Callable[[str], str]) -> None:
    shutil.copytree(Priors.load("en_US").folder, tmp_path / "xx")
    broken = tmp_path / "xx/tables/state-occupation.parquet"
    table = pd.read_parquet(broken)
    weights = next(name for name in table if name.startswith("weight"))
    table.loc[0, weights] = -3
    table.to_parquet(broken)
    code, out, err = personas("priors", "check", "--locale", tmp_path / "xx")
    assert code == 1
    assert "state-occupation.parquet" in out
    assert "3 of 20 checks failed" in one_line(err)


def test_query_answers_under_a_condition(personas: Personas, one_line: Callable[[str], str]) -> None:
    code, out, _ = personas("priors", "query", "sex", "--where", '{"state": "NY"}', "--json")
    found = json.loads(out)
    assert code == 0
    assert 0.05 < found["probability"] < 0.07
    assert sum(probability for _, probability in found["cells"]) == pytest.approx(1)
    assert "unknown attribute" in one_line(personas("priors", "query", "planet")[2])
