"""Duplication: repeated UUIDs and texts, shared sentences, and near-duplicate texts."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from census_personas.foundation.schema import NARRATIVES, PROSE
from census_personas.validators.dataset.frame_or_records import People, records_of
from census_personas.validators.text.prose import plain, words
from census_personas.validators.text.record_view import RecordView

SHINGLE = 4  # n of the word n-grams that are compared
PERMUTATIONS = 64
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+")
NEAR = 0.6  # Jaccard similarity of shingles from which two texts are near-duplicates


@dataclass(frozen=True, slots=True)
class Duplication:
    """Exact duplicates over a whole dataset.

    Attributes:
        rows: number of rows.
        uuids: number of rows whose UUID an earlier row has.
        texts: field -> number of texts that an earlier row has in the same field, ignoring letter case and typography.
    """

    rows: int
    uuids: int
    texts: Mapping[str, int]

    @property
    def none(self) -> bool:
        """Whether nothing is repeated."""
        return not self.uuids and not any(self.texts.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"rows": self.rows, "uuids": self.uuids, "texts": dict(self.texts), "none": self.none}


@dataclass(frozen=True, slots=True)
class NearDuplication:
    """Near-duplicates within a sample.

    Attributes:
        fields: text fields, joined for each row.
        texts: number of texts compared.
        alike: number of texts that have at least one near-duplicate.
        example: a pair of near-duplicates.
    """

    fields: tuple[str, ...]
    texts: int
    alike: int
    example: tuple[str, str] | None

    @property
    def share(self) -> float:
        """Share of the texts that have a near-duplicate."""
        return self.alike / self.texts if self.texts else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        example = list(self.example) if self.example else None
        return {**asdict(self), "fields": list(self.fields), "example": example, "share": self.share}


@dataclass(frozen=True, slots=True)
class SentenceSharing:
    """Whole sentences that occur in the texts of more than one row.

    Attributes:
        rows: number of rows with texts.
        sharing: number of rows that share a sentence with another row.
        commonest: the sentence that most rows share, and the number of these rows.
    """

    rows: int
    sharing: int
    commonest: tuple[str, int] | None

    @property
    def share(self) -> float:
        """Share of the rows that share a sentence."""
        return self.sharing / self.rows if self.rows else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        commonest = list(self.commonest) if self.commonest else None
        return {**asdict(self), "commonest": commonest, "share": self.share}


class Digests:
    """Digests of UUIDs and texts, collected row by row; 8 bytes each.

    The probability that any two of a million texts collide is 3e-8.
    """

    def __init__(self, fields: Sequence[str] = ("uuid", *NARRATIVES)) -> None:
        """Set the fields to digest."""
        self.rows = 0
        self._seen: dict[str, array[int]] = {field: array("Q") for field in fields}

    def add(self, record: Mapping[str, Any]) -> None:
        """Add a record's values."""
        self.rows += 1
        for field, digests in self._seen.items():
            value = record.get(field)
            if isinstance(value, str) and value.strip():
                digests.append(_digest(value if field == "uuid" else plain(value).casefold()))

    def extend(self, later: Digests) -> None:
        """Take the values of later rows, of the same fields."""
        self.rows += later.rows
        for field, digests in self._seen.items():
            digests.extend(later._seen[field])

    def repeated(self, fields: Sequence[str]) -> dict[str, int]:
        """Return field -> number of values that an earlier row has, ignoring letter case and typography."""
        return {field: _repeated(self._seen[field]) for field in fields if self._seen.get(field)}

    def duplication(self, fields: Sequence[str] = NARRATIVES) -> Duplication:
        """Count duplicates among the rows so far."""
        return Duplication(self.rows, self.repeated(("uuid",)).get("uuid", 0), self.repeated(fields))


def duplication(people: People, fields: Sequence[str] = NARRATIVES) -> Duplication:
    """Count duplicates in one pass; see `Digests`."""
    digests = Digests(("uuid", *fields))
    for record in records_of(people):
        digests.add(record)
    return digests.duplication(fields)


def sentence_sharing(people: People, fields: Sequence[str] = PROSE) -> SentenceSharing:
    """Find rows that share a whole sentence in any fields, ignoring names, letter case and typography.

    Sentences of fewer than `SHINGLE` words do not count. All sentences are held in memory: pass a sample of some
    thousand records.
    """
    rows_of: dict[str, set[int]] = defaultdict(set)
    rows = 0
    for record in records_of(people):
        reading = RecordView.of(record)
        if reading.prose.keys().isdisjoint(fields):
            continue
        for sentence in sentences_of(reading, fields):
            rows_of[sentence].add(rows)
        rows += 1
    shared = {sentence: at for sentence, at in rows_of.items() if len(at) > 1}
    commonest = max(shared, key=lambda sentence: (len(shared[sentence]), sentence), default=None)
    return SentenceSharing(
        rows=rows,
        sharing=len(set().union(*shared.values())),
        commonest=None if commonest is None else (commonest, len(shared[commonest])),
    )


def sentences_of(reading: RecordView, fields: Sequence[str] = PROSE) -> Iterator[str]:
    """Yield each sentence of at least `SHINGLE` words, in lower case and without the full name."""
    name = reading.name.full if reading.name else ""
    for text in (reading.prose[field] for field in fields if field in reading.prose):
        for sentence in _SENTENCE_END.split(plain(text.replace(name, "") if name else text)):
            if len(tokens := words(sentence)) >= SHINGLE:
                yield " ".join(tokens)


def near_duplication(people: People, fields: Sequence[str] = ("persona",)) -> NearDuplication:
    """Find texts that share most of their word 4-grams, by MinHash with locality-sensitive hashing.

    Names are removed. A text takes about a millisecond: pass a sample of at most some ten thousand records.
    """
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-untyped]  # noqa: PLC0415 - loads scipy

    index = MinHashLSH(threshold=NEAR, num_perm=PERMUTATIONS)
    texts: list[str] = []
    alike: set[int] = set()
    example: tuple[str, str] | None = None
    for record in records_of(people):
        reading = RecordView.of(record)
        name = reading.name.full if reading.name else ""
        text = " ".join(reading.prose[field] for field in fields if field in reading.prose)
        text = text.replace(name, "") if name else text
        shingles = _shingles(text)
        if not shingles:
            continue
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch(shingles)
        similar = [int(key) for key in index.query(sketch)]
        position = len(texts)
        texts.append(text)
        index.insert(str(position), sketch)
        if similar:
            alike.update((position, *similar))
            example = example or (texts[similar[0]], text)
    return NearDuplication(tuple(fields), len(texts), len(alike), example)


def _shingles(text: str) -> list[bytes]:
    tokens = words(text)
    runs = {" ".join(tokens[start : start + SHINGLE]) for start in range(len(tokens) - SHINGLE + 1)}
    return [run.encode() for run in sorted(runs)]


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _repeated(digests: array[int]) -> int:
    return len(digests) - len(np.unique(np.frombuffer(digests, dtype=np.uint64))) if len(digests) else 0
