"""Array memory: the bytes of the numpy arrays that a value holds."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

import numpy as np


def array_bytes(value: object, shared: AbstractSet[int] = frozenset()) -> int:
    """Count the bytes of all arrays that a value refers to, each memory block once.

    Memory-mapped arrays do not count: the system reclaims their memory when needed.

    Args:
        value: objects, mappings and sequences are searched for arrays.
        shared: `id`s of objects and arrays owned elsewhere; they are neither searched nor counted.
    """
    seen = set(shared)
    waiting: list[Any] = [value]
    total = 0
    while waiting:
        item = waiting.pop()
        is_array = isinstance(item, np.ndarray)
        if is_array:
            item = memory_of(item)
        if id(item) in seen:
            continue
        seen.add(id(item))
        if is_array:
            total += 0 if isinstance(item.base, mmap.mmap) else item.nbytes
        else:
            waiting.extend(_parts(item))
    return total


def memory_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the array that owns the memory of an array or view."""
    while isinstance(array.base, np.ndarray):  # a view
        array = array.base
    return array


def _parts(item: object) -> Iterator[Any]:
    """Yield the values that an object holds, except strings and numbers."""
    if isinstance(item, str | bytes | int | float | type | np.generic | np.dtype):
        return
    if isinstance(item, Mapping):
        yield from list(item.values())
    elif isinstance(item, Sequence):
        if item and not isinstance(item[0], str | int | float):
            yield from item
    elif isinstance(item, partial):
        yield from item.args
    yield from list(getattr(item, "__dict__", {}).values())
    for kind in type(item).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if not name.startswith("__"):
                yield getattr(item, name, None)
