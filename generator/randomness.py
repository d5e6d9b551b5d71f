"""Randomness: counter-based streams, so that row i of a stream is a function of (seed, stream, i) alone.

Every attribute has a stream of its own, keyed by its name: adding an attribute leaves the others' draws as
they were. A row takes one counter word of each stream (Philox 4x64, Salmon et al. 2011, four words a block).
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

WORDS_A_BLOCK = 4
UNIT = 2.0**-53


def key_of(seed: int, stream: str) -> npt.NDArray[np.uint64]:
    """The Philox key of a stream: the first 128 bits of SHA-256 over seed and name."""
    digest = hashlib.sha256(f"persona-engine/{seed}/{stream}".encode()).digest()
    return np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)


def words(seed: int, stream: str, start: int, count: int) -> npt.NDArray[np.uint64]:
    """Words `start` up to `start + count` of a stream, as uint64."""
    block, skipped = divmod(start, WORDS_A_BLOCK)
    counter = np.array([block & (2**64 - 1), block >> 64, 0, 0], dtype=np.uint64)
    raw = np.random.Philox(key=key_of(seed, stream), counter=counter).random_raw(skipped + count)
    return np.asarray(raw[skipped:], dtype=np.uint64)


def uniforms(seed: int, stream: str, start: int, count: int) -> npt.NDArray[np.float64]:
    """Uniform numbers in [0, 1) of rows `start` up to `start + count`, 53 bits each."""
    drawn = words(seed, stream, start, count)
    return (drawn >> np.uint64(11)).astype(np.float64) * UNIT


def row_generator(seed: int, stream: str, row: int) -> np.random.Generator:
    """A generator of its own for one row, for choices that need an unknown number of draws."""
    key = key_of(seed, f"{stream}/{row}")
    return np.random.Generator(np.random.Philox(key=key))
