"""Stratified draws: unbiased, with less variance, and each row a function of its number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from census_personas.foundation.randomness import fractions, permuted, stratified_fractions, stream_key
from census_personas.generator.population.population import Population


@given(st.integers(1, 14), st.integers(0, 2**32))
def test_permutation_covers_every_number(bits: int, seed: int) -> None:
    numbers = np.arange(1 << bits, dtype=np.uint64)
    found = permuted(numbers, bits, stream_key(seed, "any"))
    assert np.array_equal(np.sort(found), numbers)


@given(st.integers(0, 5000), st.integers(1, 3000), st.integers(0, 9))
def test_row_number_decides_its_number(start: int, count: int, seed: int) -> None:
    whole = stratified_fractions(seed, "age", 0, start + count)
    assert np.array_equal(stratified_fractions(seed, "age", start, count), whole[start:])


def test_each_block_covers_every_stratum() -> None:
    drawn = stratified_fractions(1, "age", 0, 4096)
    assert sorted(drawn[:64] >> 26) == list(range(64))
    assert sorted(drawn[2048:2304] >> 24) == list(range(256))


def test_numbers_are_uniform_over_seeds() -> None:
    firsts = np.array([stratified_fractions(seed, "age", 7, 1)[0] for seed in range(4000)])
    shares = np.bincount(firsts >> 26, minlength=64)
    assert ((shares - 62.5) ** 2 / 62.5).sum() < 110  # chi-squared with 63 degrees, 99.98 %
    within = np.bincount(firsts >> 20 & 63, minlength=64)
    assert ((within - 62.5) ** 2 / 62.5).sum() < 110


def test_streams_are_independent() -> None:
    one, other = (stratified_fractions(2, name, 0, 65_536) for name in ("core", "age"))
    table, _, _ = np.histogram2d(one, other, bins=16)
    assert ((table - 256) ** 2 / 256).sum() < 330  # 225 degrees of freedom, less by stratification
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02


@pytest.mark.parametrize("n", [700, 1000, 3000])
def test_marginals_are_unbiased_with_less_variance(toy: Population, n: int) -> None:
    want = toy.marginal(["region"]).weights
    shares = {}
    for stratified in (False, True):
        samples = [toy.sample(n, seed=seed, stratified=stratified)["region"] for seed in range(60)]
        shares[stratified] = np.array(
            [sample.value_counts(normalize=True).reindex(["north", "south", "west"]) for sample in samples]
        )
    plain, strata = (np.var(shares[kind], axis=0).sum() for kind in (False, True))
    assert strata < 0.2 * plain
    np.testing.assert_allclose(shares[True].mean(axis=0), want, atol=4 * np.sqrt(strata / 60) + 1e-4)


def test_real_tables_are_closer_to_the_model(population: Population) -> None:
    for names in (["state"], ["sex"], ["age"], ["occupation"], ["ethnicity"]):
        want = population.marginal(names).weights
        gaps = {False: 0.0, True: 0.0}
        for stratified in gaps:
            for seed in (1, 2, 3):
                frame = population.sample(10_000, seed=seed, stratified=stratified)
                have = frame[names[0]].value_counts(normalize=True)
                have = have.reindex(population.priors.domain[names[0]], fill_value=0).to_numpy()
                gaps[stratified] += float(np.abs(have - want).sum())
        assert gaps[True] < gaps[False], names


def test_rows_do_not_depend_on_the_sample_size(toy: Population) -> None:
    whole = toy.sample(50_000, seed=4, stratified=True)
    part = toy.sample(60, seed=4, start=30_000, stratified=True)
    assert part.equals(whole.iloc[30_000:30_060].reset_index(drop=True))


def test_stratified_rows_have_other_uuids(toy: Population) -> None:
    plain, strata = (toy.sample(100, stratified=kind) for kind in (False, True))
    assert not set(plain["uuid"]) & set(strata["uuid"])


def test_stratification_keeps_conditions(toy: Population) -> None:
    assert set(toy.sample(500, where={"mood": "glad"}, stratified=True)["mood"]) == {"glad"}


def test_plain_numbers_are_unchanged() -> None:
    before = fractions(0, "age", 0, 10)
    stratified_fractions(0, "age", 0, 10)
    assert np.array_equal(before, fractions(0, "age", 0, 10))
