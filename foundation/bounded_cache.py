"""Bounded cache: values computed once and kept within a number of bytes, the least recently used dropped first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(slots=True)
class _Entry(Generic[Value]):
    computing: Lock = field(default_factory=Lock)
    value: Value | None = None
    users: int = 0
    size: int = 0


class BoundedCache(Generic[Value]):
    """Values by key, for any number of threads.

    A value is computed once, however many threads ask for it, and is never dropped while it is used. The one that was
    used last is kept whatever its size, so that work which needs it again and again does not compute it each time.
    """

    def __init__(self, most_bytes: int, measure: Callable[[Value], int]) -> None:
        """An empty cache.

        Args:
            most_bytes: bound of all values together, once nobody uses them.
            measure: bytes of a value; asked after each use, since values may grow while they are used.
        """
        self._most = most_bytes
        self._measure = measure
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._lock = Lock()

    @contextmanager
    def use(self, key: Hashable, compute: Callable[[], Value]) -> Iterator[Value]:
        """The value of a key, computed if it is not there, and kept at least until the end of the `with`."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            entry.users += 1
            self._entries.move_to_end(key)
        try:
            with entry.computing:
                if entry.value is None:
                    entry.value = compute()
                value = entry.value
            yield value
        finally:
            size = 0 if entry.value is None else self._measure(entry.value)
            with self._lock:
                entry.users -= 1
                entry.size = size
                self._trim()

    @property
    def size(self) -> int:
        """Bytes of all values, as measured after their last use."""
        with self._lock:
            return sum(entry.size for entry in self._entries.values())

    def __len__(self) -> int:
        """Number of values."""
        return len(self._entries)

    def _trim(self) -> None:
        """Drop what failed to be computed, then the values used longest ago until the bound holds."""
        idle = [key for key, entry in self._entries.items() if not entry.users]
        for key in idle:
            if self._entries[key].value is None:
                del self._entries[key]
        total = sum(entry.size for entry in self._entries.values())
        for key in idle:
            if total <= self._most or len(self._entries) <= 1:
                return
            if key in self._entries:
                total -= self._entries.pop(key).size
