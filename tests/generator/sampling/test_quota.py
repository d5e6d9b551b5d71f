"""Quotas: exact counts for any n, row by row, and otherwise the model's distribution."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from census_personas.foundation.arrays import Floats
from census_personas.generator.config.selection import EvidenceError, Selection
from census_personas.generator.population.population import Population
from census_personas.generator.sampling.quota import apportion, refuse_other_counts

pytestmark = pytest.mark.quick

WHOLE = st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(lambda counts: sum(counts) > 0)


def counts_of(shares: Floats, n: int) -> npt.NDArray[np.int64]:
    """Count the rows of each cell among the first n."""
    return np.bincount(apportion(shares, 0, n), minlength=len(shares)).astype(np.int64)


@given(WHOLE)
def test_counts_summing_to_n_are_exact(counts: list[int]) -> None:
    shares = np.array(counts) / sum(counts)
    assert counts_of(shares, sum(counts)).tolist() == counts


@given(WHOLE, st.integers(0, 500), st.integers(1, 200))
def test_cell_depends_on_the_row_number_alone(counts: list[int], start: int, count: int) -> None:
    shares = np.array(counts) / sum(counts)
    assert apportion(shares, start, count).tolist() == apportion(shares, 0, start + count)[start:].tolist()


@settings(max_examples=50)
@given(WHOLE, st.integers(1, 300))
def test_rows_go_to_the_highest_average(counts: list[int], n: int) -> None:
    shares = np.array(counts) / sum(counts)
    seats = np.zeros(len(shares))
    for cell in apportion(shares, 0, n):
        averages = shares / (2 * seats + 1)
        assert averages[cell] == pytest.approx(averages.max(), rel=1e-9)
        seats[cell] += 1


def test_large_counts_stay_within_one() -> None:
    shares = np.array([0.7, 0.2, 0.09, 0.01])
    assert np.abs(counts_of(shares, 1_000_003) - shares * 1_000_003).max() < 1


@pytest.mark.parametrize(
    "quota",
    [
        {"sex": "uniform"},
        {"age": ["18-19", "20-22", "23-25"]},
        {"age": "uniform"},
        {"mood": {"glad": 0.3, "grim": 0.7}},
        {"trade": {"mason": 200, "clerk": 400}},
        {"sex,age_half": "uniform"},
        {"openness": ["20-49", "50-80"]},
    ],
    ids=lambda quota: next(iter(quota)),
)
def test_every_cell_has_its_count(toy: Population, quota: dict[str, object]) -> None:
    frame = toy.sample(600, quota=quota, seed=3)
    target, shares = toy.given(Selection(quota=quota)).quota or pytest.fail("no quota")
    wanted = counts_of(shares, 600)
    axes = [{state: code for code, state in enumerate(axis.states)} for axis in target.axes]
    frame["age_half"] = np.where(frame["age"] < 23, "18-22", "23+")
    codes = [
        frame[axis.attribute].map(known).astype(int) for axis, known in zip(target.axes, axes, strict=True)
    ]
    got = np.bincount(target.cells[tuple(codes)], minlength=len(wanted))
    assert got.tolist() == wanted.tolist()


def test_cells_follow_the_conditioned_model(toy: Population) -> None:
    frame = toy.sample(20_000, quota={"sex": "uniform"})
    women = frame[frame["sex"] == "Female"]
    want = toy.marginal(["trade"], where={"sex": "Female"})
    have = women["trade"].value_counts(normalize=True)
    for state, share in zip(want.domain["trade"], want.weights, strict=True):
        assert have.get(state, 0.0) == pytest.approx(share, abs=0.02)


def test_quota_holds_with_condition_and_target(toy: Population) -> None:
    frame = toy.sample(
        3000,
        where={"region": ["north", "west"]},
        target={"mood": {"glad": 0.8}},
        quota={"sex": {"Male": 0.2}},
    )
    assert "south" not in set(frame["region"])
    assert (frame["sex"] == "Male").sum() == 600
    assert (frame["mood"] == "glad").mean() == pytest.approx(0.8, abs=0.03)


def test_rows_do_not_depend_on_the_sample_size(toy: Population) -> None:
    quota = {"age": ["18-19", "20-22", "23-25"]}
    whole = toy.sample(40_000, quota=quota, seed=5)
    part = toy.sample(50, quota=quota, seed=5, start=20_000)
    assert part.equals(whole.iloc[20_000:20_050].reset_index(drop=True))


def test_quota_is_one_table_of_few_cells(toy: Population, population: Population) -> None:
    with pytest.raises(EvidenceError, match="one table at a time; write it as 'sex,mood'"):
        toy.sample(1, quota={"sex": "uniform", "mood": "uniform"})
    with pytest.raises(EvidenceError, match="at most 256"):
        population.sample(1, quota={"occupation": "uniform"})


@pytest.mark.parametrize(
    "wanted",
    [{"Male": 5, "Female": 3}, {"Male": 0.6, "Female": 0.4}, {"Male": 1, "Female": 1}, "uniform", ["Male"]],
)
def test_matching_counts_and_shares_are_accepted(wanted: object) -> None:
    assert refusal(wanted, 8) == ""


def test_mismatched_counts_are_refused() -> None:
    said = refusal({"Male": 5, "Female": 3}, 6)
    assert "sex: counts sum to 8, but 6 rows are requested; use -n 8, or" in said


def refusal(wanted: object, rows: int) -> str:
    try:
        refuse_other_counts({"sex": wanted}, rows)
    except EvidenceError as error:
        return str(error)
    return ""
