"""Randomness: counter-based streams, so that row i of a stream is a function of (seed, stream, i) alone.

The core has one pair of streams, every attribute beside it a stream keyed by its name: a new one leaves the
others' draws as they were. A row takes a word of 64 bits of each stream, or half a word (Philox 4x64, Salmon et
al. 2011, four words a block).
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

WORDS_A_BLOCK = 4
UNIT = 2.0**-53
Fractions = npt.NDArray[np.uint32]
"""Uniform numbers as fractions of 2^32."""
FIRST_STRATA, MOST_STRATA = 6, 17
"""Strata of the smallest and the largest block of stratified rows, as powers of two."""


def key_of(seed: int, stream: str) -> npt.NDArray[np.uint64]:
    """The Philox key of a stream: the first 128 bits of SHA-256 over seed and name.

    The spelling of what is hashed is frozen, whatever the project is called: another one changes every row.
    """
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


def fractions(seed: int, stream: str, start: int, count: int) -> Fractions:
    """32-bit numbers of rows `start` up to `start + count`, each a fraction of 2^32; two rows share a word."""
    first = start // 2
    drawn = words(seed, stream, first, (start + count + 1) // 2 - first)
    return drawn.astype("<u8", copy=False).view("<u4")[start % 2 :][:count]


def stratified_fractions(seed: int, stream: str, start: int, count: int) -> Fractions:
    """`fractions` of which every block of rows has one in each of as many equal parts of their range.

    Latin hypercube sampling (McKay, Beckman and Conover 1979): within a block of 2^k rows, rows take the 2^k parts
    in an order that is permuted anew for each block and stream, and a uniform place within their part. A row's
    numbers are uniform and independent across streams, so that no marginal is biased, and sums over a block vary
    less (Stein 1987). Blocks grow with the row number, to an eighth of it at most, so that any first n rows are
    nearly all in whole blocks; and row i depends on (seed, stream, i) alone.
    """
    drawn = fractions(seed, stream, start, count)
    top = start + count
    while start < top:
        bits = min(max(FIRST_STRATA, start.bit_length() - 4), MOST_STRATA)
        block = start >> bits
        end = min((block + 1) << bits, top)
        rows = np.arange(start & ((1 << bits) - 1), (end - 1 & ((1 << bits) - 1)) + 1, dtype=np.uint64)
        order = permuted(rows, bits, key_of(seed, f"strata/{stream}/{bits}/{block}")).astype(np.uint32)
        part = drawn[len(drawn) - (top - start) : len(drawn) - (top - end)]
        part >>= np.uint32(bits)
        part |= order << np.uint32(32 - bits)
        start = end
    return drawn


def permuted(
    numbers: npt.NDArray[np.uint64], bits: int, key: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """A permutation of 0 .. 2^bits - 1 that the key chooses, of some of these numbers.

    Rounds of steps that are one-to-one on `bits` bits: exclusive or, multiplication by an odd number, and
    exclusive or with own high bits. The first and last add the key, so that every number goes everywhere alike.
    """
    mask = np.uint64((1 << bits) - 1)
    half = np.uint64((bits + 1) // 2)
    found = numbers
    for turn in range(3):
        shift = np.uint64(21 * turn)
        found = (found + (key[0] >> shift)) & mask
        found = (found * ((key[1] >> shift) | np.uint64(1))) & mask
        found ^= found >> half
    return np.asarray((found + (key[0] ^ (key[1] >> np.uint64(7)))) & mask, dtype=np.uint64)
