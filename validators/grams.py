"""Grams: words and pairs of words, and how much each speaks for each of many documents."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
import numpy.typing as npt

Tokens = Sequence[str]
STEM = 6  # letters by which two words count as the same
COMMON = 64  # documents from which a gram's weights are kept as a full row
UNKNOWN = -1
MOST_WORDS = 100_000  # words of which the stem is kept
_EMPTY = frozenset(
    "and or the of for with in to a an on at by from as other such including use using used etc may that their they"
    " into is are be all not except miscellaneous".split()
)


def grams(tokens: Tokens) -> list[str]:
    """Stems of the words that mean something, and pairs of them."""
    stems = [stem for stem in map(_stem, tokens) if stem]
    return stems + list(map("{} {}".format, stems, stems[1:]))


def _stem(word: str) -> str:
    """The letters of a word that count, none if it means nothing by itself."""
    return word[:STEM] if len(word) > 2 and word not in _EMPTY else ""


class _Numbers(dict[str, int | None]):
    """Word -> number of its stem, UNKNOWN for one that no document has, None for a word that means nothing.

    What a word comes to is kept: a language has few words.
    """

    def __init__(self, stems: Mapping[str, int]) -> None:
        super().__init__()
        self._stems = stems

    def __missing__(self, word: str) -> int | None:
        stem = _stem(word)
        found = self._stems.get(stem, UNKNOWN) if stem else None
        if len(self) < MOST_WORDS:
            self[word] = found
        return found


@dataclass(frozen=True, slots=True)
class GramIndex:
    """Gram x document -> weight (tf-idf, documents at length one, rarity once more).

    `numbers` tells the number of a word's stem; `stems` the row of a stem, and `after` the rows of the pairs that
    begin with it; the last of both is that of UNKNOWN words. Rows of grams that many documents have come first, in
    full; the others are compressed. `documents` has the same weights by document, and `most` the largest of each row.
    """

    numbers: Mapping[str, int | None]
    stems: Sequence[int | None]
    after: Sequence[Mapping[int, int]]
    full: npt.NDArray[np.float64]
    indptr: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    documents: Sequence[Mapping[int, float]]
    most: Sequence[float]

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
        ordered = sorted(entries, key=lambda gram: len(entries[gram]) < COMMON)  # common ones first
        rows = {gram: row for row, gram in enumerate(ordered)}
        by_document: list[dict[int, float]] = [{} for _ in documents]
        for gram, row in rows.items():
            for position, weight in entries[gram]:
                by_document[position][row] = weight
        common = [entries[gram] for gram in ordered if len(entries[gram]) >= COMMON]
        full = np.zeros((len(common), len(documents)))
        for row, found in enumerate(common):
            for position, weight in found:
                full[row, position] = weight
        others = [entries[gram] for gram in ordered[len(common) :]]
        cells = [cell for found in others for cell in found]
        stems = {gram: number for number, gram in enumerate(gram for gram in having if " " not in gram)}
        after: list[dict[int, int]] = [{} for _ in stems]
        for gram, row in rows.items():
            one, _, two = gram.partition(" ")
            if two:
                after[stems[one]][stems[two]] = row
        return cls(
            numbers=_Numbers(stems),
            stems=(*(rows.get(gram) for gram in stems), None),
            after=(*after, {}),
            full=full,
            indptr=np.cumsum([0, *(len(found) for found in others)]),
            positions=np.array([position for position, _ in cells], dtype=np.int64),
            weights=np.array([weight for _, weight in cells]),
            documents=tuple(by_document),
            most=tuple(max(weight for _, weight in entries[gram]) for gram in ordered),
        )

    def rows(self, texts: Iterable[tuple[Tokens, float]]) -> dict[int, float]:
        """Rows of the grams that the texts have, each with the logarithm of the weight of the texts that have it."""
        told: dict[int, float] = {}
        for tokens, weight in texts:
            for row in self._rows_of(tokens):
                told[row] = told.get(row, 0.0) + weight
        return {row: math.log1p(weight) for row, weight in told.items()}

    def _rows_of(self, tokens: Tokens) -> set[int]:
        numbers = [number for number in map(self.numbers.__getitem__, tokens) if number is not None]
        stems, after = self.stems, self.after
        found = {stems[number] for number in numbers}
        found.update([after[one].get(two) for one, two in pairwise(numbers)])
        found.discard(None)
        return cast("set[int]", found)

    def score(self, rows: Mapping[int, float], document: int) -> float:
        """One document's score: over the rows, their logarithm times the document's weight."""
        weights = self.documents[document]
        return sum(rows[row] * weights[row] for row in rows.keys() & weights.keys())

    def bound(self, rows: Mapping[int, float]) -> float:
        """A score that no document exceeds."""
        most = self.most
        return sum([scale * most[row] for row, scale in rows.items()])

    def scores(self, rows: Mapping[int, float]) -> npt.NDArray[np.float64]:
        """The score of every document."""
        ordered = sorted(rows)
        chosen = np.array(ordered, dtype=np.int64)
        scale = np.array([rows[row] for row in ordered])
        full = bisect_left(ordered, len(self.full))
        scores: npt.NDArray[np.float64] = scale[:full] @ self.full[chosen[:full]]
        return scores + self._compressed(chosen[full:] - len(self.full), scale[full:])

    def _compressed(
        self, rows: npt.NDArray[np.int64], scale: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        starts = self.indptr[rows]
        lengths = self.indptr[rows + 1] - starts
        cells = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        weights = self.weights[cells] * np.repeat(scale, lengths)
        scores = np.bincount(self.positions[cells], weights=weights, minlength=self.full.shape[1])
        return scores.astype(np.float64)
