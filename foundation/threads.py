"""Threads: spreads numpy work over processor cores; numpy releases the interpreter lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import RLock
from typing import Generic, TypeVar, overload

Item = TypeVar("Item")
Result = TypeVar("Result")
Owner = TypeVar("Owner")
_most = 0  # cores to use at most; 0: all


def use_cores(number: int) -> None:
    """Use so many cores at most from now on, as a worker beside others does."""
    global _most  # noqa: PLW0603 - one setting of the process
    _most = number


def cores() -> int:
    """Processor cores that this process may use."""
    if _most:
        return _most
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def each(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Apply `work` to every item in parallel; results come in the order of the items."""
    work_items = list(items)
    if len(work_items) < 2:
        return [work(item) for item in work_items]
    with ThreadPoolExecutor(min(cores(), len(work_items))) as pool:
        return list(pool.map(work, work_items))


class computed_once(Generic[Owner, Result]):  # noqa: N801  used as a decorator, as `cached_property` is
    """A `cached_property` that is computed once per instance, also with several threads.

    The standard one may compute it in each thread or, up to Python 3.11, locks all instances together.
    """

    def __init__(self, compute: Callable[[Owner], Result]) -> None:
        """Decorate a method without arguments."""
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, owner: None, kind: type[Owner]) -> computed_once[Owner, Result]: ...
    @overload
    def __get__(self, owner: Owner, kind: type[Owner]) -> Result: ...
    def __get__(self, owner: Owner | None, kind: type[Owner]) -> computed_once[Owner, Result] | Result:
        """Return the value and store it in the instance, so that this method is not called again."""
        if owner is None:
            return self
        kept = owner.__dict__
        lock = kept.setdefault(f"_computing_{self._name}", RLock())
        with lock:
            if self._name not in kept:
                kept[self._name] = self._compute(owner)
            kept.pop(f"_computing_{self._name}", None)
        result: Result = kept[self._name]
        return result
