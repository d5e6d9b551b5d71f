from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.validators.assess import Assessment, assess_files


def _file(tmp_path: Path, rows: list[dict[str, Any]]) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_file_is_measured_in_one_pass(tmp_path: Path, good: dict[str, Any], another: dict[str, Any]) -> None:
    path = _file(tmp_path, [good, another, good])
    found = assess_files([path], Priors.load("en_US"), np.random.default_rng(0))
    _keeps_its_names(found)
    assert found.rows == 3
    assert found.duplication.uuids == 1
    assert found.people.entropy["sex"] == pytest.approx(0.918, abs=0.001)
    assert ("sex", "age") in [table.attributes for table in found.fidelity]
    assert {gap.attribute for gap in found.bias.representation} >= {"sex", "state"}


def _keeps_its_names(found: Assessment) -> None:
    """The keys of `validation.json`, on which others rely, and all of it read back."""
    numbers = found.model_dump(mode="json")
    assert tuple(numbers) == (
        "version", "rows", "tests", "fidelity", "names_not_judged", "associations", "assumptions", "people", "texts",
        "vendi", "duplication", "near_duplication", "sentences", "bias", "further_measures", "not_measured",
    )  # fmt: skip
    assert tuple(numbers["bias"]) == ("guide", "representation", "words")
    assert numbers["version"] == 1
    assert Assessment.model_validate_json(json.dumps(numbers, allow_nan=False)) == found


def test_the_sample_of_texts_is_bounded_and_reproducible(tmp_path: Path, good: dict[str, Any]) -> None:
    rows = [
        {**good, "persona": f"{good['persona']} {word}."} for word in ("One", "Two", "Three", "Four", "Five")
    ]
    path, priors = _file(tmp_path, rows), Priors.load("en_US")
    first, second = (assess_files([path], priors, np.random.default_rng(9), sample=2) for _ in range(2))
    assert first.texts == second.texts
    assert {text.texts for text in first.texts} == {2}
    assert first.rows == 5


def test_an_empty_file_cannot_be_measured(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"rows.jsonl: no rows"):
        assess_files([_file(tmp_path, [])], Priors.load("en_US"), np.random.default_rng(0))
