"""Randomness: seeded streams, so that what row i draws is a function of (seed, stream, i) alone.

Every stream of the project is here, each with the bytes that it always had: what is hashed for it is frozen, whatever
the project is called (`tests/foundation/test_frozen_streams.py`).

| what is drawn | by | from |
|---|---|---|
| attributes of a row, uuids, who is judged | `words`, `uniforms`, `fractions`, `stratified_fractions` | Philox, key \
SHA-256 of `persona-engine/SEED/STREAM`, one word or half a word a row |
| the seed of a selection's rows | `selection_seed` | SHA-256 of `SEED/KEY OF THE SELECTION` |
| facts that a row lacks | `uniform_of` | BLAKE2b of `persona-engine/SEED/STREAM/UUID` |
| the number of a row that has a uuid and no number | `row_of` | SHA-256 of the uuid |
| what prompts may say about a row | `RowGenerator` | Philox, key (SEED, purpose), counter of the row |
| the seed that an endpoint is sent | `sampling_seed` | BLAKE2b of `SEED/ROW/CALL/ATTEMPT/TURN` |
| texts of the offline narrator | `draws` | SHAKE-128 of `IDENTITY/BLOCK` |
| people by whom unusual facts are calibrated | `generator_of` | Philox, seeded as numpy does |

Measures of a whole dataset shuffle with a numpy generator that their caller hands in.

The core has one pair of streams, every attribute beside it a stream keyed by its name: a new one leaves the
others' draws as they were. A row takes a word of 64 bits of each stream, or half a word (Philox 4x64, Salmon et
al. 2011, four words a block).
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
"""Purpose of the generators that choose what prompts may say about a row."""
ROW_BITS = 63
"""Bits of a row's number that is made of its uuid: as many as a signed integer of 64 bits holds."""
Draw = Callable[[], int]
"""Gives the next number from 0 to 2**16 - 1: `draw() * n >> 16` is a number below n, for the small n of a grammar."""

_PROJECT = "persona-engine"  # frozen: another name changes every row
_BLOCK = struct.Struct("<84H")  # one block of the hash: about what a person's texts need for each call


def stream_key(seed: int, stream: str) -> Words:
    """The Philox key of a stream: the first 128 bits of SHA-256 over seed and name."""
    digest = hashlib.sha256(f"{_PROJECT}/{seed}/{stream}".encode()).digest()
    return np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)


def words(seed: int, stream: str, start: int, count: int) -> Words:
    """Words `start` up to `start + count` of a stream, as uint64."""
    block, skipped = divmod(start, WORDS_A_BLOCK)
    counter = np.array([block & (2**64 - 1), block >> 64, 0, 0], dtype=np.uint64)
    raw = np.random.Philox(key=stream_key(seed, stream), counter=counter).random_raw(skipped + count)
    return np.asarray(raw[skipped:], dtype=np.uint64)


def uniforms(seed: int, stream: str, start: int, count: int) -> Floats:
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
        order = permuted(rows, bits, stream_key(seed, f"strata/{stream}/{bits}/{block}")).astype(np.uint32)
        part = drawn[len(drawn) - (top - start) : len(drawn) - (top - end)]
        part >>= np.uint32(bits)
        part |= order << np.uint32(32 - bits)
        start = end
    return drawn


def permuted(numbers: Words, bits: int, key: Words) -> Words:
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


def selection_seed(seed: int, key: str) -> int:
    """The seed of a selection's streams: two selections share no draws, so that their samples may be joined."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:8], "big")


def uniform_of(seed: int, stream: str, identity: str) -> float:
    """A uniform number in [0, 1) of 53 bits, for a row that is known by its uuid and not by a number."""
    hashed = hashlib.blake2b(f"{_PROJECT}/{seed}/{stream}/{identity}".encode(), digest_size=8).digest()
    return float(int.from_bytes(hashed, "big") >> 11) * UNIT


def row_of(uuid: str) -> int:
    """The number by which the streams of a row go that comes with a uuid and without a number."""
    return int.from_bytes(hashlib.sha256(uuid.encode()).digest()[:8], "big") >> (64 - ROW_BITS)


def sampling_seed(seed: int, row: int, call: str, attempt: int, turn: int) -> int:
    """The seed that a request carries: 31 bits, since some servers read it as a signed integer of 32."""
    identity = f"{seed}/{row}/{call}/{attempt}/{turn}".encode()
    return int.from_bytes(hashlib.blake2b(identity, digest_size=4).digest(), "big") >> 1


class RowGenerator:
    """A row's own numpy generator for one purpose, apart from the streams that sampled the row."""

    def __init__(self, seed: int, purpose: int) -> None:
        """One generator, set to each row in turn: making one costs three times as much."""
        self._bits = np.random.Philox(key=[seed, purpose])
        self._state = self._bits.state
        self._generator = np.random.Generator(self._bits)

    def at(self, row: int) -> np.random.Generator:
        """The row's stream at its beginning, good until the next row is asked for."""
        self._state["state"]["counter"] = np.array([0, 0, 0, row], dtype=np.uint64)
        self._bits.state = self._state
        return self._generator


def generator_of(seed: int) -> np.random.Generator:
    """A numpy generator that is read from its beginning, in order."""
    return np.random.Generator(np.random.Philox(seed))


def draws(identity: str) -> Draw:
    """Return the whole numbers of an identity: always the same, on every machine and under every Python.

    A `random.Random` costs more to seed than a person's draws cost to make.
    """
    return chain.from_iterable(map(partial(_block, identity), count())).__next__


def _block(identity: str, place: int) -> tuple[int, ...]:
    hashed = hashlib.shake_128(f"{identity}/{place}".encode(errors="surrogatepass"))
    return _BLOCK.unpack(hashed.digest(_BLOCK.size))
