"""Conditions of experiments, and the statistics of their comparisons."""

from __future__ import annotations

import math

import numpy as np
import pytest

from census_personas.generator.experiment.cells import baseline, conditions
from census_personas.generator.experiment.comparison import _acceptance, _means, holm
from census_personas.generator.experiment.declaration import Experiment, ExperimentError
from census_personas.generator.experiment.plan import rows_needed

pytestmark = pytest.mark.quick


def test_conditions_are_combined_once() -> None:
    experiment = Experiment(
        name="x",
        base="b",
        matrix={"a": [1, 2], "b": [1, 2]},
        exclude=[{"a": 2, "b": 2}],
        include=[{"a": 1, "b": 1}, {"c": 3}],
        baseline={"a": 2},
    )
    known = conditions(experiment)
    assert [dict(one.values) for one in known] == [
        {"a": 1, "b": 1},
        {"a": 1, "b": 2},
        {"a": 2, "b": 1},
        {"c": 3},
    ]
    assert baseline(experiment, known).values == {"a": 2, "b": 1}
    with pytest.raises(ExperimentError, match="2 conditions have these values"):
        baseline(experiment.model_copy(update={"baseline": {"a": 1}}), known)


def test_rows_needed_follow_connor() -> None:
    # z(.975) = 1.95996, z(.8) = .84162; psi = .95 * .15 + .85 * .05 = .185.
    expected = (1.95996 * math.sqrt(0.185) + 0.84162 * math.sqrt(0.185 - 0.01)) ** 2 / 0.01
    assert rows_needed(0.1, 1) == math.ceil(expected)
    assert rows_needed(0.1, 10) > rows_needed(0.1, 1)


def test_holm_is_monotone() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_intervals_cover_what_they_should() -> None:
    """At the nominal 95 %, 1,000 experiments miss 50 +- 14 (two standard errors)."""
    rng = np.random.default_rng(5)
    condition = conditions(Experiment(name="x", base="b", matrix={"a": [1]}))[0]
    missed = {"accepted": 0, "words": 0}
    for _ in range(1000):
        people = rng.random(120)
        one, other = people + 0.2 * rng.normal(size=120) < 0.8, people + 0.2 * rng.normal(size=120) < 0.8
        found = _acceptance(condition, one, other)
        missed["accepted"] += not found.low <= 0 <= found.high
        before = 100 + rng.normal(size=40)
        found = _means("words", condition, before, before + rng.normal(size=40))
        missed["words"] += not found.low <= 0 <= found.high
    assert missed["accepted"] <= 64
    assert 36 <= missed["words"] <= 64
