from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from census_personas.validators.dataset.chance import (
    cell_probabilities,
    excess_of,
    mean_distance,
    probability_beyond,
    widest,
)
from census_personas.validators.dataset.fidelity import Fidelity, compared
from census_personas.validators.dataset.multiple_testing import FAMILY, counted_together

pytestmark = pytest.mark.quick

ROWS = (200, 5_000, 1_000_000)


def shares_of(cells: int, rng: np.random.Generator) -> np.ndarray:
    """Shares from about equal to one that has nearly everybody, with cells that are nobody's."""
    shares = rng.dirichlet(np.full(cells, rng.choice([0.05, 0.5, 5.0])))
    shares[rng.random(cells) < 0.1] = 0.0
    return shares / shares.sum() if shares.sum() else np.eye(cells)[0]


def table(counts: np.ndarray, shares: np.ndarray, tests: int) -> Fidelity:
    rows, spread = int(counts.sum()), widest(shares)
    trials = np.full(len(shares), rows)
    found = compared(("x",), counts, trials, shares, rows, spread, lambda cell: (str(cell),))
    return counted_together([found], tests)[0]


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.3, 0.5), (0.01, 0.0, 0.99)])
def test_the_mean_distance_is_that_of_all_samples(shares: tuple[float, ...]) -> None:
    rows, expected = 6, 0.0
    for sample in product(range(len(shares)), repeat=rows):
        counts = np.bincount(sample, minlength=len(shares))
        distance = np.abs(counts - rows * np.array(shares)).sum() / 2
        expected += distance * np.prod([shares[cell] for cell in sample])
    assert mean_distance(rows, np.array(shares)) == pytest.approx(expected)


@given(st.floats(1e-12, 0.5), st.floats(0, 0.9), st.floats(0, 0.25), st.integers(1, 10**7))
def test_a_limit_is_exceeded_with_the_probability_that_it_is_for(
    probability: float, floor: float, spread: float, rows: int
) -> None:
    excess = excess_of(probability, floor, spread, rows)
    assert probability_beyond(excess, floor, spread, rows) == pytest.approx(probability, rel=1e-6)


def test_cells_that_nobody_can_be_in_have_nobody() -> None:
    found = cell_probabilities(np.array([0, 1, 10]), 10, np.array([0.0, 0.0, 1.0]))
    assert found.tolist() == [1.0, 0.0, 1.0]


def test_perfect_reports_are_marked_no_oftener_than_they_say() -> None:
    rng, reports, tables = np.random.default_rng(5), 400, 12
    marked = 0
    for report in range(reports):
        rows = ROWS[report % len(ROWS)]
        drawn = [shares_of(int(rng.choice([2, 3, 8, 60, 400])), rng) for _ in range(tables)]
        marked += any(not table(rng.multinomial(rows, s), s, tables).passes for s in drawn)
    assert marked <= binom.ppf(1 - 1e-6, reports, FAMILY)


def test_distances_of_perfect_samples_stay_below_limits_of_any_rate() -> None:
    rng, samples = np.random.default_rng(6), 1_000
    for cells, rows, rate in product((2, 5, 50), (200, 100_000), (0.2, 0.01)):
        shares = shares_of(cells, rng)
        floor = mean_distance(rows, shares) / rows
        distances = np.abs(rng.multinomial(rows, shares, size=samples) / rows - shares).sum(axis=1) / 2
        assert distances.mean() == pytest.approx(floor, rel=0.15, abs=1e-12)
        beyond = distances > floor + excess_of(rate, floor, widest(shares), rows)
        assert beyond.sum() <= binom.ppf(1 - 1e-6, samples, rate)


def test_samples_with_exact_numbers_of_some_are_within_the_limits_too() -> None:
    rng, reports, rows = np.random.default_rng(7), 200, 3_000
    marked = 0
    for _ in range(reports):
        parts = [shares_of(20, rng) for _ in range(5)]
        counts = np.sum([rng.multinomial(rows // 5, part) for part in parts], axis=0)
        marked += not table(counts, np.mean(parts, axis=0), 1).passes
    assert marked <= binom.ppf(1 - 1e-6, reports, FAMILY)


def test_a_table_moved_by_twice_its_limit_is_marked() -> None:
    rng, tried = np.random.default_rng(8), 0
    marked = 0
    for run in range(300):
        shares = shares_of(int(rng.choice([2, 3, 8, 60, 400])), rng)
        rows = ROWS[1:][run % 2]
        limit = table(rng.multinomial(rows, shares), shares, 390).limit
        order = np.argsort(shares)
        losing = order[np.cumsum(shares[order]) <= 0.6]
        mass = shares[losing].sum()
        if not 0 < 2 * limit < mass:
            continue
        moved = shares * (1 + 2 * limit / (1 - mass))
        moved[losing] = shares[losing] * (1 - 2 * limit / mass)
        tried += 1
        marked += not table(rng.multinomial(rows, moved), shares, 390).passes
    assert tried > 100
    assert marked >= binom.ppf(1e-6, tried, 0.95)
