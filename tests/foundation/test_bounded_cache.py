"""Values are computed once and kept within a number of bytes, also with threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from census_personas.foundation.array_memory import array_bytes
from census_personas.foundation.bounded_cache import BoundedCache
from census_personas.foundation.threads import computed_once

pytestmark = pytest.mark.quick


@given(st.lists(st.integers(1, 9)), st.integers(0, 20))
def test_one_large_value_may_exceed(keys: list[int], most: int) -> None:
    cache: BoundedCache[int] = BoundedCache(most, lambda value: value)
    for key in keys:
        with cache.use(key, lambda key=key: key) as value:  # type: ignore[misc]
            assert value == key
        assert cache.size <= most or len(cache) == 1


def test_values_in_use_are_kept() -> None:
    cache: BoundedCache[bytes] = BoundedCache(10, len)
    with cache.use("a", lambda: b"x" * 8):
        with cache.use("b", lambda: b"x" * 8):
            pass
        with cache.use("a", lambda: pytest.fail("it was dropped")):
            pass
    assert len(cache) == 1


def test_threads_compute_a_value_once() -> None:
    cache: BoundedCache[object] = BoundedCache(100, lambda _: 1)
    made: list[int] = []
    all_ask = threading.Barrier(8)

    def ask(_: int) -> object:
        all_ask.wait()
        with cache.use("key", lambda: made.append(1) or object()) as value:
            return value

    with ThreadPoolExecutor(8) as pool:
        assert len({id(value) for value in pool.map(ask, range(8))}) == 1
    assert made == [1]


def test_failed_values_are_not_kept() -> None:
    cache: BoundedCache[int] = BoundedCache(100, lambda value: value)

    def fail() -> int:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"), cache.use("key", fail):
        pass
    assert len(cache) == 0
    with cache.use("key", lambda: 7) as value:
        assert value == 7


def test_shared_memory_is_counted_once() -> None:
    own, other = np.zeros(1000), np.zeros(10_000)
    value = {"a": own, "b": [own[:10], {"c": own.reshape(10, 100)}], "d": other[5:]}
    assert array_bytes(value) == own.nbytes + other.nbytes
    assert array_bytes(value, {id(other)}) == own.nbytes


def test_property_is_computed_once() -> None:
    made: list[int] = []
    all_ask = threading.Barrier(8)

    class Owner:
        @computed_once
        def value(self) -> object:
            made.append(1)
            threading.Event().wait(0.05)
            return object()

    owner = Owner()

    def ask(_: int) -> object:
        all_ask.wait()
        return owner.value

    with ThreadPoolExecutor(8) as pool:
        assert len({id(value) for value in pool.map(ask, range(8))}) == 1
    assert made == [1]
