"""Tf-idf index: words and pairs of words, and how much each speaks for each of many documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from string import ascii_lowercase

import numpy as np

from census_personas.foundation.arrays import Floats, Integers
from census_personas.validators.occupations.stems import BREAK, STEM, Keys, stems

BLOCKS = 16  # of documents that stand together, for each of which the largest weight of a gram is kept
_EMPTY = frozenset(
    "and or the of for with in to a an on at by from as other such including use using used etc may that their they"
    " into is are be all not except miscellaneous".split()
)
_LONG = sorted(
    word for word in _EMPTY if len(word) >= STEM
)  # words with a stem that means something have it too
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: Knuth's multiplicative hash
_TO_16, _TO_19 = np.uint64(64 - 16), np.uint64(64 - 19)  # what a product is shifted by to so many bits
_LAST = np.uint64(np.iinfo(np.uint64).max)
_BEFORE = np.array([-1])


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """The grams that texts have, in order, and the logarithm of the weight of the texts that have each."""

    grams: Integers
    scales: Floats


class GramIndex:
    """Gram x document -> weight (tf-idf, documents at length one, rarity once more).

    Grams are stems of words that mean something, and pairs of stems that follow one another in a text.
    """

    def __init__(self, documents: Sequence[Sequence[tuple[str, float]]]) -> None:
        """Index documents, each given as plain texts with weights; a gram has the weight of all texts with it."""
        self._size = len(documents)
        words, at = _words(text for document in documents for text, _ in document)
        inside = words != BREAK
        inside = np.append(inside, inside[1:] & inside[:-1])
        keys, texts = _with_pairs(words, at)
        self._keys, grams = np.unique(keys[inside], return_inverse=True)
        texts = texts[inside]
        self._likely = np.zeros(1 << 19, dtype=np.bool)
        self._likely[self._keys * _SPREAD >> _TO_19] = True
        self._keys = np.append(self._keys, _LAST)
        number = len(self._keys)
        owner = np.repeat(np.arange(self._size), [len(document) for document in documents])
        weights = np.array([weight for document in documents for _, weight in document])
        texts, grams = np.divmod(np.unique(texts * number + grams), number)
        cells, at = np.unique(owner[texts] * number + grams, return_inverse=True)
        own, grams = np.divmod(cells, number)
        rarity = np.log(self._size / np.bincount(grams, minlength=number).clip(1))[grams]
        found = np.log1p(np.bincount(at, weights=weights[texts])) * rarity
        length = np.sqrt(np.bincount(own, weights=found * found, minlength=self._size))
        found *= rarity / np.where(length > 0, length, 1.0)[own]
        self._by_document = _Rows.of(own, grams, found, self._size)
        self._by_gram = _Rows.of(grams, own, found, number)
        most = np.zeros((number, BLOCKS), dtype=np.float32)
        np.maximum.at(most, (grams, own * BLOCKS // self._size), found)
        self._most = np.nextafter(most, np.float32(np.inf))  # rounded upwards

    def told(self, records: Sequence[Sequence[tuple[str, float]]]) -> list[QueryTerms]:
        """What plain texts with weights tell, for each of many records; of many at once it is found much faster."""
        texts = [text for record in records for text in record]
        number = max(len(texts), 1)
        weights = np.array([weight for _, weight in texts])
        record = np.repeat(np.arange(len(records)), [len(record) for record in records])
        keys, owners = _with_pairs(*_words([text for text, _ in texts]))
        likely = self._likely[keys * _SPREAD >> _TO_19].nonzero()[0]
        keys, owners = keys[likely], owners[likely]
        at = self._keys.searchsorted(keys)
        # Record, gram and text in one number: in order, grams of a record stand together, and the texts of each.
        size = len(self._keys)
        cells = (record[owners] * size + at) * number + owners
        cells = np.concatenate((_BEFORE, cells[self._keys[at] == keys]))
        cells.sort()
        grams, owners = np.divmod(cells, number)
        first = (grams[1:] != grams[:-1]).nonzero()[0]
        told = weights[owners[1:]] * (cells[1:] != cells[:-1])  # each gram once for each text
        scales = np.log1p(np.add.reduceat(told, first)) if len(first) else told
        record, grams = np.divmod(grams[1:][first], size)
        ends = record.searchsorted(np.arange(len(records) + 1))
        return [QueryTerms(grams[start:end], scales[start:end]) for start, end in pairwise(ends.tolist())]

    def score(self, told: QueryTerms, document: int) -> float:
        """One document's score: over the grams, their scale times the document's weight."""
        grams, weights = self._by_document.row(document)
        at = grams.searchsorted(told.grams)
        at[at == len(grams)] = 0
        return float(told.scales @ np.where(grams[at] == told.grams, weights[at], 0.0))

    def bound(self, told: QueryTerms) -> float:
        """A score that no document exceeds."""
        return float((told.scales @ self._most[told.grams]).max())

    def scores(self, told: QueryTerms) -> Floats:
        """The score of every document."""
        return self._by_gram.sum(told.grams, told.scales, self._size)


def _words(texts: Iterable[str]) -> tuple[Keys, Integers]:
    """The stems that mean something, in order, with what stands between texts, and the number of each one's text."""
    words = stems(texts, _LONG)
    spread, skipped = _skipped()
    meant = skipped[words * spread >> _TO_16] != words
    words = words[meant]
    return words, (words == BREAK).cumsum()


def _with_pairs(words: Keys, texts: Integers) -> tuple[Keys, Integers]:
    """The words, then each with the next as one number, and the number of the text that each stands in."""
    return np.concatenate((words, words[:-1] * _SPREAD + words[1:])), np.concatenate((texts, texts[1:]))


@cache
def _skipped() -> tuple[np.uint64, Keys]:
    """The stems of words that mean nothing, each in the place that a multiplier alone leads to."""
    single = frozenset(ascii_lowercase)
    short = stems(
        [" ".join(_EMPTY.difference(_LONG) | single | set(map("".join, product(single, repeat=2))))]
    )
    table = np.zeros(1 << 16, dtype=np.uint64)
    spreads = np.arange(1, 10_000, 2, dtype=np.uint64) * _SPREAD
    spread = next(spread for spread in spreads if len(np.unique(short * spread >> _TO_16)) == len(short))
    table[short * spread >> _TO_16] = short
    return spread, table


@dataclass(frozen=True, slots=True)
class _Rows:
    """A sparse matrix, row by row."""

    starts: Integers
    columns: Integers
    weights: Floats

    @classmethod
    def of(cls, rows: Integers, columns: Integers, weights: Floats, number: int) -> _Rows:
        order = np.lexsort((columns, rows))
        starts = np.append(0, np.cumsum(np.bincount(rows, minlength=number)))
        return cls(starts, columns[order], weights[order])

    def row(self, number: int) -> tuple[Integers, Floats]:
        """Columns and weights of one row."""
        part = slice(self.starts[number], self.starts[number + 1])
        return self.columns[part], self.weights[part]

    def sum(self, rows: Integers, scales: Floats, width: int) -> Floats:
        """The sum of rows, each times its scale."""
        starts = self.starts[rows]
        lengths = self.starts[rows + 1] - starts
        cells = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        weights = self.weights[cells] * np.repeat(scales, lengths)
        sums = np.bincount(self.columns[cells], weights=weights, minlength=width)
        return sums.astype(np.float64, copy=False)
