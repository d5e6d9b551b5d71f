"""Stems: the words of texts by their first letters, as numbers that arrays hold."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from census_personas.foundation.arrays import Words
from census_personas.validators.text.prose import letters

Keys = Words
STEM = 6  # letters by which two words count as the same
BREAK = ord("|")
"""What stands between two texts, in place of a stem."""
_BREAK = f" {chr(BREAK)} ".encode()
_WIDE = 8  # bytes of a number
_AROUND = b" " * _WIDE
_SPACE = 32
_BITS = np.array([(1 << 8 * count) - 1 for count in range(STEM + 1)], dtype=np.uint64)  # of so many letters


def stems(texts: Iterable[str], without: Iterable[str] = ()) -> Keys:
    """The stem of each word of plain texts, in order: the number whose bytes are the word's first letters.

    Eight bytes are read at once wherever a word begins, so that no string is made of any. Words to go `without` are
    taken out.
    """
    text = _AROUND + letters("\n".join(texts)).encode("ascii").replace(b"\n", _BREAK) + _AROUND
    for word in without:
        text = text.replace(f" {word} ".encode(), b" ")
    inside = np.frombuffer(text, dtype=np.uint8) > _SPACE
    edges = (inside[1:] != inside[:-1]).nonzero()[0]
    starts = edges[::2]
    eight: Keys = np.ndarray(len(text) - _WIDE, dtype="<u8", buffer=text, offset=1, strides=(1,))
    words: Keys = eight[starts] & _BITS.take(edges[1::2] - starts, mode="clip")
    return words
