"""Draws: the randomness of one person's texts, as whole numbers that a hash gives."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from hashlib import shake_128
from itertools import chain, count

Draw = Callable[[], int]
"""Gives the next number from 0 to 2**16 - 1: `draw() * n >> 16` is a number below n, for the small n of a grammar."""

_BLOCK = struct.Struct("<84H")  # one block of the hash: about what a person needs for each call


def draws(identity: str) -> Draw:
    """Return the numbers of an identity: always the same, on every machine and under every Python.

    A `random.Random` costs more to seed than a person's draws cost to make.
    """
    return chain.from_iterable(map(partial(_block, identity), count())).__next__


def _block(identity: str, place: int) -> tuple[int, ...]:
    return _BLOCK.unpack(shake_128(f"{identity}/{place}".encode(errors="surrogatepass")).digest(_BLOCK.size))
