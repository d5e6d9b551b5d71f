"""Raking: weights meet margins that can be met, keep what the margins say nothing of, and leave others alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from census_personas.census_priors.build.raking import Target, count, rake, shares

pytestmark = pytest.mark.quick

CELLS = np.array([0, 0, 1, 1, 2, 2])
GROUPS = np.array([0, 1, 0, 1, 0, 1])


def test_two_margins_are_both_met() -> None:
    targets = [
        Target("cells", CELLS, np.array([10.0, 20.0, 30.0])),
        Target("groups", GROUPS, np.array([25.0, 35.0])),
    ]
    weights = rake(np.ones(6), targets)
    assert all(target.miss(weights) < 1e-4 for target in targets)
    np.testing.assert_allclose(weights.sum(), 60)


def test_odds_within_a_margin_are_kept() -> None:
    before = np.array([1.0, 3.0, 2.0, 2.0, 5.0, 1.0])
    after = rake(before, [Target("cells", CELLS, np.array([10.0, 20.0, 30.0]))])
    np.testing.assert_allclose(after[1] / after[0], 3)
    np.testing.assert_allclose(after[4] / after[5], 5)


def test_others_keep_their_weight() -> None:
    outside = np.array([0, 1, -1])
    assert rake(np.ones(3), [Target("some", outside, np.array([4.0, 6.0]))]).tolist() == [4, 6, 1]


def test_cell_without_donors_is_left_out() -> None:
    weights = rake(np.ones(2), [Target("cells", np.array([0, 0]), np.array([8.0, 5.0]))])
    assert weights.tolist() == [4, 4]


def test_empty_target_cell_becomes_empty() -> None:
    assert rake(np.ones(2), [Target("cells", np.array([0, 1]), np.array([3.0, 0.0]))]).tolist() == [3, 0]


@given(
    st.lists(st.floats(0.1, 100), min_size=3, max_size=3),
    st.lists(st.floats(0.1, 10), min_size=6, max_size=6),
)
def test_last_margin_is_always_met(persons: list[float], weights: list[float]) -> None:
    wanted = np.array(persons)
    raked = rake(
        np.array(weights),
        [Target("groups", GROUPS, np.array([1.0, 9.0])), Target("cells", CELLS, wanted)],
        rounds=3,
    )
    np.testing.assert_allclose(count(CELLS, raked, 3), wanted, rtol=1e-9)


def test_shares_of_nothing_are_zero() -> None:
    assert shares(np.array([[1.0, 3.0], [0.0, 0.0]])).tolist() == [[0.25, 0.75], [0.0, 0.0]]
