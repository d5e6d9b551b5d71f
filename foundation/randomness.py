"""Randomness: seeded streams; the draws of row i are a function of (seed, stream, i) alone.

Every stream of the project is here. The bytes hashed for a stream are frozen, even if the project is renamed
(`tests/foundation/test_frozen_streams.py`).

| drawn | by | from |
|---|---|---|
| attributes and UUID of a row, rows to judge | `words`, `uniforms`, `fractions`, `stratified_fractions` | Philox, key \
SHA-256 of `persona-engine/SEED/STREAM`, one word or half a word per row |
| the seed of a selection's rows | `selection_seed` | SHA-256 of `SEED/KEY OF THE SELECTION` |
| missing facts of a row | `uniform_of` | BLAKE2b of `persona-engine/SEED/STREAM/UUID` |
| the number of a row with a UUID but no number | `row_of` | SHA-256 of the UUID |
| the facts of a row that prompts use | `RowGenerator` | Philox, key (SEED, purpose), counter of the row |
| the seed of a request | `sampling_seed` | BLAKE2b of `SEED/ROW/CALL/ATTEMPT/TURN` |
| texts of the offline narrator | `draws` | SHAKE-128 of `IDENTITY/BLOCK` |
| people who calibrate unusual facts | `generator_of` | Philox, seeded by numpy |

Measures of a whole dataset shuffle with a numpy generator from their caller.

The core has one pair of streams, and every other attribute a stream keyed by its name, so that a new attribute does
not change the draws of the others. A row takes one 64-bit word of each stream, or half a word (Philox 4x64, Salmon et
al. 2011, four words per block).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from functools import partial
from itertools import chain, count

import numpy as np
import numpy.typing as npt

from census_personas.foundation.arrays import Floats, Words

WORDS_A_BLOCK = 4
UNIT = 2.0**-53
Fractions = npt.NDArray[np.uint32]
"""Uniform numbers as fractions of 2^32."""
FIRST_STRATA, MOST_STRATA = 6, 17
"""Strata of the smallest and the largest block of stratified rows, as powers of two."""
GROUNDING = int.from_bytes(b"narrator", "big")
"""Purpose of the generators that choose the facts of a row for prompts."""
ROW_BITS = 63
"""Bits of a row number derived from a UUID: as many as a signed 64-bit integer holds."""
Draw = Callable[[], int]
"""Returns the next number from 0 to 2**16 - 1: `draw() * n >> 16` is below n, for the small n of a grammar."""

_PROJECT = "persona-engine"  # frozen: another name changes every row
_BLOCK = struct.Struct("<84H")  # one block of the hash: about the draws of one person and call


def stream_key(seed: int, stream: str) -> Words:
    """Return the Philox key of a stream: the first 128 bits of SHA-256 over seed and name."""
    digest = hashlib.sha256(f"{_PROJECT}/{seed}/{stream}".encode()).digest()
    return np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)


def words(seed: int, stream: str, start: int, count: int) -> Words:
    """Return words `start` up to `start + count` of a stream, as uint64."""
    block, skipped = divmod(start, WORDS_A_BLOCK)
    counter = np.array([block & (2**64 - 1), block >> 64, 0, 0], dtype=np.uint64)
    raw = np.random.Philox(key=stream_key(seed, stream), counter=counter).random_raw(skipped + count)
    return np.asarray(raw[skipped:], dtype=np.uint64)


def uniforms(seed: int, stream: str, start: int, count: int) -> Floats:
    """Return uniform numbers in [0, 1) for rows `start` up to `start + count`, 53 bits each."""
    drawn = words(seed, stream, start, count)
    return (drawn >> np.uint64(11)).astype(np.float64) * UNIT


def fractions(seed: int, stream: str, start: int, count: int) -> Fractions:
    """Return 32-bit numbers for rows `start` up to `start + count`, as fractions of 2^32; two rows share a word."""
    first = start // 2
    drawn = words(seed, stream, first, (start + count + 1) // 2 - first)
    return drawn.astype("<u8", copy=False).view("<u4")[start % 2 :][:count]


def stratified_fractions(seed: int, stream: str, start: int, count: int) -> Fractions:
    """Return `fractions` that are stratified: a block of n rows has one number in each of n equal parts of the range.

    Latin hypercube sampling (McKay, Beckman and Conover 1979): within a block of 2^k rows, rows take the 2^k parts in
    a permuted order, different for each block and stream, and a uniform position within their part. A row's numbers
    are uniform and independent across streams, so that no marginal is biased, and sums over a block vary less (Stein
    1987). Blocks grow with the row number, up to an eighth of it, so that nearly all of the first n rows are in whole
    blocks; and row i depends on (seed, stream, i) alone.
    """
    drawn = fractions(seed, stream, start, count)
    top = start + count
    while start < top:
        bits = min(max(FIRST_STRATA, start.bit_length() - 4), MOST_STRATA)
        block = start >> bits
        end = min((block + 1) << bits, top)
        rows = np.arange(start & ((1 << bits) - 1), (end - 1 & ((1 << bits) - 1)) + 1, dtype=np.uint64)
        order = permuted(rows, bits, stream_key(seed, f"strata/{stream}/{bits}/{block}")).astype(np.uint32)
        part = drawn[len(drawn) - (top - start) : len(drawn) - (top - end)]
        part >>= np.uint32(bits)
        part |= order << np.uint32(32 - bits)
        start = end
    return drawn


def permuted(numbers: Words, bits: int, key: Words) -> Words:
    """Apply a permutation of 0 .. 2^bits - 1, chosen by the key, to some of these numbers.

    Rounds of steps that are one-to-one on `bits` bits: exclusive or, multiplication by an odd number, and
    exclusive or with own high bits. The first and last add the key, so that every number reaches every place.
    """
    mask = np.uint64((1 << bits) - 1)
    half = np.uint64((bits + 1) // 2)
    result = numbers
    for turn in range(3):
        shift = np.uint64(21 * turn)
        result = (result + (key[0] >> shift)) & mask
        result = (result * ((key[1] >> shift) | np.uint64(1))) & mask
        result ^= result >> half
    return np.asarray((result + (key[0] ^ (key[1] >> np.uint64(7)))) & mask, dtype=np.uint64)


def selection_seed(seed: int, key: str) -> int:
    """Return the seed of a selection's streams: selections share no draws, so that their samples may be joined."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:8], "big")


def uniform_of(seed: int, stream: str, identity: str) -> float:
    """Return a uniform number in [0, 1) of 53 bits, for a row identified by its UUID instead of a number."""
    hashed = hashlib.blake2b(f"{_PROJECT}/{seed}/{stream}/{identity}".encode(), digest_size=8).digest()
    return float(int.from_bytes(hashed, "big") >> 11) * UNIT


def row_of(uuid: str) -> int:
    """Return the row number for streams of a row with a UUID but no number."""
    return int.from_bytes(hashlib.sha256(uuid.encode()).digest()[:8], "big") >> (64 - ROW_BITS)


def sampling_seed(seed: int, row: int, call: str, attempt: int, turn: int) -> int:
    """Return the seed of a request: 31 bits, because some servers read it as a signed 32-bit integer."""
    identity = f"{seed}/{row}/{call}/{attempt}/{turn}".encode()
    return int.from_bytes(hashlib.blake2b(identity, digest_size=4).digest(), "big") >> 1


class RowGenerator:
    """A numpy generator per row for one purpose, separate from the streams that sampled the row."""

    def __init__(self, seed: int, purpose: int) -> None:
        """Create one generator and reset it for each row, which is three times faster than a new one."""
        self._bits = np.random.Philox(key=[seed, purpose])
        self._state = self._bits.state
        self._generator = np.random.Generator(self._bits)

    def at(self, row: int) -> np.random.Generator:
        """Return the generator at the start of the row's stream, valid until the next call."""
        self._state["state"]["counter"] = np.array([0, 0, 0, row], dtype=np.uint64)
        self._bits.state = self._state
        return self._generator


def generator_of(seed: int) -> np.random.Generator:
    """Return a numpy generator for sequential draws."""
    return np.random.Generator(np.random.Philox(seed))


def draws(identity: str) -> Draw:
    """Return the draws of an identity: the same on every machine and Python version.

    Seeding a `random.Random` would take longer than all draws of a person.
    """
    return chain.from_iterable(map(partial(_block, identity), count())).__next__


def _block(identity: str, place: int) -> tuple[int, ...]:
    hashed = hashlib.shake_128(f"{identity}/{place}".encode(errors="surrogatepass"))
    return _BLOCK.unpack(hashed.digest(_BLOCK.size))
