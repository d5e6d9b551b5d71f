"""Grams: words and pairs of words, and how much each speaks for each of many documents."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Tokens = Sequence[str]
STEM = 6  # letters by which two words count as the same
COMMON = 64  # documents from which a gram's weights are kept as a full row
_EMPTY = frozenset(
    "and or the of for with in to a an on at by from as other such including use using used etc may that their they"
    " into is are be all not except miscellaneous".split()
)


def grams(tokens: Tokens) -> list[str]:
    """Stems of the words that mean something, and pairs of them."""
    stems = [word[:STEM] for word in tokens if len(word) > 2 and word not in _EMPTY]
    return stems + list(map("{} {}".format, stems, stems[1:]))


@dataclass(frozen=True, slots=True)
class GramIndex:
    """Gram x document -> weight (tf-idf, documents at length one, rarity once more).

    Grams of many documents come first, as full rows; the others are compressed rows.
    """

    rows: Mapping[str, int]
    full: npt.NDArray[np.float64]
    indptr: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]

    @classmethod
    def of(cls, documents: Sequence[Mapping[str, float]]) -> GramIndex:
        """Index documents given as gram -> weight."""
        having = Counter(gram for document in documents for gram in document)
        rarity = {gram: math.log(len(documents) / number) for gram, number in having.items()}
        entries: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for position, document in enumerate(documents):
            weights = {gram: math.log1p(weight) * rarity[gram] for gram, weight in document.items()}
            length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
            for gram, weight in weights.items():
                if weight > 0:
                    entries[gram].append((position, weight / length * rarity[gram]))
        common = [gram for gram, found in entries.items() if len(found) >= COMMON]
        full = np.zeros((len(common), len(documents)))
        for row, gram in enumerate(common):
            for position, weight in entries.pop(gram):
                full[row, position] = weight
        cells = [cell for found in entries.values() for cell in found]
        return cls(
            rows={gram: row for row, gram in enumerate((*common, *entries))},
            full=full,
            indptr=np.cumsum([0, *(len(found) for found in entries.values())]),
            positions=np.array([position for position, _ in cells], dtype=np.int64),
            weights=np.array([weight for _, weight in cells]),
        )

    def scores(self, texts: Iterable[tuple[Tokens, float]]) -> npt.NDArray[np.float64]:
        """Each document's score: over the grams of the texts, the logarithm of their weight times the index's."""
        told: dict[int, float] = {}
        for tokens, weight in texts:
            for row in map(self.rows.get, set(grams(tokens))):
                if row is not None:
                    told[row] = told.get(row, 0.0) + weight
        rows = np.array(sorted(told), dtype=np.int64)
        scale = np.log1p([told[row] for row in rows.tolist()])
        full = int(np.searchsorted(rows, len(self.full)))
        scores: npt.NDArray[np.float64] = scale[:full] @ self.full[rows[:full]]
        return scores + self._compressed(rows[full:] - len(self.full), scale[full:])

    def _compressed(
        self, rows: npt.NDArray[np.int64], scale: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        starts = self.indptr[rows]
        lengths = self.indptr[rows + 1] - starts
        cells = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        weights = self.weights[cells] * np.repeat(scale, lengths)
        scores = np.bincount(self.positions[cells], weights=weights, minlength=self.full.shape[1])
        return scores.astype(np.float64)
