"""Rows are a promise: the people that a seed draws are the same in every later release.

`frozen_rows.json` holds the identity of the en_US model, which uuids follow from, and a digest of every column of
20,000 rows, plain and under three kinds of selection. If this test fails, a change of yours gives every user other
people for the same seed. Find what drew them differently and keep it as it was: renamed streams, another order of
states, steps or sums, a fit that ends elsewhere. Columns that are new are no failure.

Only where rows are meant to change (tables of a new year, a corrected fit), write the file anew, say so in the
changelog, and raise the versions in `generator/model/identity.py` if an algorithm changed:

    python tests/generator/population/test_frozen_rows.py
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from census_personas.generator.population.population import Population

pytestmark = pytest.mark.quick

FILE = Path(__file__).with_name("frozen_rows.json")
ROWS, SEED = 20_000, 2024
SELECTIONS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "where": {
        "where": {"state": ["TX", "NY", "PR"], "age": "25-64", "openness_label": ["high", "very_high"]}
    },
    "target": {
        "target": {"sex": {"Female": 0.7}, "education_level": {"graduate": 0.3}},
        "where": {"labor_force_status": ["employed", "armed_forces"]},
    },
    "quota": {"quota": {"ethnicity": "uniform"}},
}


def digests(frame: pd.DataFrame) -> dict[str, str]:
    """The first 64 bits of SHA-256 over the values of each column, as text."""
    texts = {name: "\0".join(map(str, frame[name].tolist())) for name in frame}
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in texts.items()}


@pytest.fixture(scope="module")
def frozen() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8"))


def test_en_us_keeps_its_identity(population: Population, frozen: Any) -> None:
    assert population.digest == frozen["identity"]


@pytest.mark.parametrize("selection", SELECTIONS)
def test_seed_draws_the_same_people(population: Population, frozen: Any, selection: str) -> None:
    frame = population.sample(ROWS, seed=SEED, **SELECTIONS[selection])
    wanted = frozen[selection]
    drawn = digests(frame[list(wanted)])
    assert [name for name in wanted if drawn[name] != wanted[name]] == []


def write() -> None:
    """Write the file from the model as it is."""
    population = Population.load("en_US")
    found: dict[str, Any] = {"identity": population.digest}
    for name, selection in SELECTIONS.items():
        found[name] = digests(population.sample(ROWS, seed=SEED, **selection))
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
