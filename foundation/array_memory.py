"""Array memory: the bytes of the numpy arrays that a value holds."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

import numpy as np


def array_bytes(value: object, shared: AbstractSet[int] = frozenset()) -> int:
    """Bytes of the arrays that a value reaches, each memory block once.

    Arrays that lie in mapped files count nothing: the system takes their memory back when it needs it.

    Args:
        value: objects, mappings and sequences are followed to the arrays in them.
        shared: `id`s of objects and arrays that belong to somebody else; they are not followed, nor counted.
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
    """The array that owns the memory which an array is a view of."""
    while isinstance(array.base, np.ndarray):  # of a view, its base
        array = array.base
    return array


def _parts(item: object) -> Iterator[Any]:
    """What an object holds, but for texts and numbers."""
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
