"""Streams of random numbers: functions of seed, stream and row, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from census_personas.foundation.randomness import fractions, stream_key, uniforms, words

pytestmark = pytest.mark.quick


@given(
    seed=st.integers(0, 2**70),
    start=st.integers(0, 10**12),
    count=st.integers(1, 40),
    skip=st.integers(0, 39),
)
def test_numbers_ignore_the_start(seed: int, start: int, count: int, skip: int) -> None:
    whole = words(seed, "age", start, skip + count)
    np.testing.assert_array_equal(words(seed, "age", start + skip, count), whole[skip:])


@given(start=st.integers(0, 10**12), count=st.integers(1, 40), skip=st.integers(0, 39))
def test_fractions_ignore_the_start(start: int, count: int, skip: int) -> None:
    whole = fractions(2, "age", start, skip + count)
    assert whole.dtype == np.uint32
    np.testing.assert_array_equal(fractions(2, "age", start + skip, count), whole[skip:])


def test_fractions_are_uniform() -> None:
    found = fractions(3, "age", 0, 200_000)
    counts = np.bincount(found >> 27, minlength=32)
    assert ((counts - 6250) ** 2 / 6250).sum() < 31 + 5 * (2 * 31) ** 0.5
    assert abs(np.corrcoef(found[::2], found[1::2])[0, 1]) < 5 / 100_000**0.5


def test_large_rows_have_own_numbers() -> None:
    assert (words(0, "age", 2**66, 8) != words(0, "age", 0, 8)).all()


def test_uniforms_are_below_one() -> None:
    found = uniforms(3, "age", 0, 200_000)
    assert found.min() >= 0
    assert found.max() < 1
    counts = np.histogram(found, bins=20, range=(0, 1))[0]
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 19 + 5 * (2 * 19) ** 0.5


@pytest.mark.parametrize(
    ("one", "other"), [((0, "age"), (1, "age")), ((0, "age"), (0, "sex")), ((1, "1/a"), (11, "a"))]
)
def test_streams_and_seeds_are_unrelated(one: tuple[int, str], other: tuple[int, str]) -> None:
    first, second = uniforms(*one, 0, 50_000), uniforms(*other, 0, 50_000)
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / 50_000**0.5


def test_numbers_never_change() -> None:
    assert stream_key(0, "age").tolist() == [16_039_706_865_061_170_557, 6_698_204_575_946_992_719]
    assert words(0, "age", 5, 3).tolist() == [
        10_994_878_548_902_813_636,
        15_483_921_461_329_475_167,
        6_066_971_715_177_523_387,
    ]
    assert fractions(0, "age", 11, 2).tolist() == [
        10_994_878_548_902_813_636 >> 32,
        15_483_921_461_329_475_167 % 2**32,
    ]


def test_processes_draw_the_same_numbers() -> None:
    script = "from census_personas.foundation.randomness import words; print(words(7, 'uuid', 3, 4).tolist())"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert found.strip() == str(words(7, "uuid", 3, 4).tolist())


def test_global_generator_is_not_touched() -> None:
    before = np.random.get_state(legacy=True)[1].tolist()  # noqa: NPY002  it is what must stay as it was
    uniforms(0, "age", 0, 1000)
    assert np.random.get_state(legacy=True)[1].tolist() == before  # noqa: NPY002  as above
