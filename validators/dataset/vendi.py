"""Vendi score: the effective number of different texts in a set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np
import numpy.typing as npt

from census_personas.foundation.arrays import Floats
from census_personas.validators.dataset.frame_or_records import People, records_of
from census_personas.validators.text.prose import plain, words

Vectors = Floats
HASHED = 1 << 12  # columns into which words and pairs of words are hashed
MOST = 1_000  # texts; the eigenvalues take a second, growing with the cube of the number


def vendi_score(
    people: People,
    fields: Sequence[str] = ("persona",),
    embed: Callable[[Sequence[str]], npt.ArrayLike] | None = None,
) -> float:
    """Compute exp(entropy of the eigenvalues of the texts' similarity matrix) (Friedman and Dieng 2023).

    The score is 1 if all texts are the same, and their number if no two have anything in common. A row's text is its
    joined fields; rows without any are left out. `embed` returns one vector for each text, such as a sentence
    embedding; by default texts are similar if they share words and pairs of words. Compare only scores of equal numbers
    of texts.

    Raises:
        ValueError: there are no texts or more than `MOST`, or the embedding does not have one row for each text.
    """
    joined = (
        " ".join(text for field in fields if isinstance(text := record.get(field), str))
        for record in records_of(people)
    )
    texts = [text for text in joined if text]
    if not 0 < len(texts) <= MOST:
        raise ValueError(f"vendi_score: {len(texts)} texts; give a sample of 1 to {MOST}")
    vectors = _grams(texts) if embed is None else np.asarray(embed(texts), dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) != len(texts):
        raise ValueError(f"vendi_score: the embedding has shape {vectors.shape}, not one row for each text")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.where(lengths > 0, lengths, 1.0)
    eigenvalues = np.linalg.eigvalsh(vectors @ vectors.T / len(texts))
    shares = eigenvalues[eigenvalues > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _grams(texts: Sequence[str]) -> Vectors:
    """Return hashed words and pairs of words, weighted by inverse document frequency; shape (texts, HASHED)."""
    counts = np.zeros((len(texts), HASHED))
    for row, text in enumerate(texts):
        tokens = words(plain(text))
        grams = {*tokens, *(f"{first} {second}" for first, second in pairwise(tokens))}
        counts[row, [crc32(gram.encode()) % HASHED for gram in sorted(grams)]] = 1.0
    rarity = np.log((1 + len(texts)) / (1 + counts.sum(axis=0))) + 1.0
    weighted: Vectors = counts * rarity
    return weighted
