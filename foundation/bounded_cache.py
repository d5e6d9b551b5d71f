"""Bounded cache: keeps computed values up to a number of bytes, and drops the least recently used first."""

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
    """Values by key, safe for threads.

    A value is computed once, also for several threads, and is never dropped while in use. The value used last is kept
    regardless of its size, so that repeated use does not compute it again.
    """

    def __init__(self, most_bytes: int, measure: Callable[[Value], int]) -> None:
        """Create an empty cache.

        Args:
            most_bytes: most bytes of all unused values together.
            measure: returns the bytes of a value; called after each use, because values may grow in use.
        """
        self._most = most_bytes
        self._measure = measure
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._lock = Lock()

    @contextmanager
    def use(self, key: Hashable, compute: Callable[[], Value]) -> Iterator[Value]:
        """Provide the value of a key, computed if needed, and keep it at least until the end of the `with`."""
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
        """Bytes of all values, measured after their last use."""
        with self._lock:
            return sum(entry.size for entry in self._entries.values())

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self._entries)

    def _trim(self) -> None:
        """Drop failed computations, then the least recently used values until the bound holds."""
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
