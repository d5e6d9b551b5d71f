"""Similar texts: the exact Jaccard similarity of texts, by their runs of four words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

from census_personas.foundation.arrays import Floats
from census_personas.validators.dataset.duplication import NEAR, SHINGLE
from census_personas.validators.text.prose import words

__all__ = ["NEAR", "nearest", "pairwise", "shingled"]
_BLOCK = 256  # texts compared with all others at once


def shingled(*groups: Sequence[str]) -> list[csr_matrix]:
    """Return a matrix of texts by runs of words for each group of texts, over the runs of all groups.

    A text of fewer than `SHINGLE` words has no run.
    """
    numbers: dict[str, int] = {}
    rows = []
    for texts in groups:
        places: list[int] = []
        ends = [0]
        for text in texts:
            tokens = words(text)
            runs = {" ".join(tokens[i : i + SHINGLE]) for i in range(len(tokens) - SHINGLE + 1)}
            places += [numbers.setdefault(run, len(numbers)) for run in runs]
            ends.append(len(places))
        rows.append((places, ends))
    return [
        csr_matrix(
            (np.ones(len(places), dtype=np.float32), np.array(places, dtype=np.int64), np.array(ends)),
            shape=(len(ends) - 1, max(len(numbers), 1)),
        )
        for places, ends in rows
    ]


def nearest(texts: csr_matrix, others: csr_matrix, *, within: bool = False) -> Floats:
    """Return each text's largest similarity to one of the others; not to itself if they are the same (`within`)."""
    sizes, other_sizes = (np.asarray(one.sum(axis=1)).ravel() for one in (texts, others))
    found = np.zeros(texts.shape[0])
    across = others.T.tocsr()
    for start in range(0, texts.shape[0], _BLOCK):
        block = slice(start, start + _BLOCK)
        shared = (texts[block] @ across).toarray()
        union = sizes[block, None] + other_sizes[None, :] - shared
        similarity = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
        if within:
            own = np.arange(similarity.shape[0])
            similarity[own, own + start] = 0.0
        found[block] = similarity.max(axis=1, initial=0.0)
    return found


def pairwise(texts: csr_matrix, others: csr_matrix) -> Floats:
    """Return the similarity of the texts at the same place."""
    shared = np.asarray(texts.multiply(others).sum(axis=1)).ravel()
    union = np.asarray(texts.sum(axis=1)).ravel() + np.asarray(others.sum(axis=1)).ravel() - shared
    return np.asarray(np.divide(shared, union, out=np.zeros(len(shared)), where=union > 0), dtype=np.float64)
