"""Diversity: entropies of the facts, and how different the texts are."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from census_personas.foundation.schema import NARRATIVES
from census_personas.validators.dataset.frame_or_records import People, frame_of, records_of
from census_personas.validators.text.prose import words
from census_personas.validators.text.record_view import RecordView

ENTROPIES = ("sex", "schooling", "region", "occupation")
"""Roles whose entropy is computed."""
LENGTHS = (1, 2, 3)  # n of the n-grams that are counted
OPENING = 3  # words of an opening, without the name
COMPRESSED = 4 * 2**20  # most characters that are compressed, so that datasets of any size are comparable


@dataclass(frozen=True, slots=True)
class PeopleDiversity:
    """The five measures of the guide to Nemotron-Personas, on the facts.

    Attributes:
        entropy: attribute -> entropy of its distribution in bits.
        most: attribute -> entropy in bits if the values in the data were equally frequent.
        age_variation: sample standard deviation of age divided by its mean.
    """

    entropy: Mapping[str, float]
    most: Mapping[str, float]
    age_variation: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"entropy": dict(self.entropy), "most": dict(self.most), "age_variation": self.age_variation}


@dataclass(frozen=True, slots=True)
class TextDiversity:
    """Measures of one text field over many records.

    Attributes:
        field: the text field.
        texts: number of texts.
        distinct: n -> distinct n-grams divided by all n-grams (Li et al. 2016, "A diversity-promoting objective
            function"). It falls with the number of texts, so compare equal numbers.
        openings: distinct openings (first three words without the name) divided by texts.
        commonest_opening: the most frequent opening and its share of texts.
        compression: bytes before zlib divided by bytes after; repetition increases it.
    """

    field: str
    texts: int
    distinct: Mapping[int, float]
    openings: float
    commonest_opening: tuple[str, float]
    compression: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **asdict(self),
            "distinct": {str(n): share for n, share in self.distinct.items()},
            "commonest_opening": list(self.commonest_opening),
        }


def people_diversity(people: People, fields: Sequence[str], age: str = "age") -> PeopleDiversity:
    """Compute the entropies of the attributes that the people have, and the variation of age."""
    frame = frame_of(people, tuple(dict.fromkeys((*fields, age))))
    present = [field for field in fields if field in frame.columns]
    counts = {name: frame[name].value_counts().to_numpy(dtype=np.float64) for name in present}
    counts = {name: count[count > 0] for name, count in counts.items()}  # categories may be empty
    ages = frame[age].dropna().to_numpy(dtype=np.float64) if age in frame.columns else np.array([])
    return PeopleDiversity(
        entropy={attribute: _entropy(count) for attribute, count in counts.items()},
        most={attribute: float(np.log2(max(len(count), 1))) for attribute, count in counts.items()},
        age_variation=float(ages.std(ddof=1) / ages.mean()) if len(ages) > 1 and ages.mean() else None,
    )


def text_diversity(people: People, fields: Sequence[str] = NARRATIVES) -> tuple[TextDiversity, ...]:
    """Measure each text field in one pass; a sample of some thousand records is enough.

    Names are removed, because they differ between people.
    """
    texts: dict[str, list[str]] = {field: [] for field in fields}
    for record in records_of(people):
        for field, text in nameless(RecordView.of(record), fields).items():
            texts[field].append(text)
    return tuple(_text(field, of_field) for field, of_field in texts.items() if of_field)


def nameless(reading: RecordView, fields: Sequence[str] = NARRATIVES) -> dict[str, str]:
    """Return field -> text without the full name, for the fields that are not empty."""
    name = reading.name.full if reading.name else ""
    texts = {field: reading.prose[field] for field in fields if field in reading.prose}
    return {field: text.replace(name, "") for field, text in texts.items()} if name else texts


def opening_of(tokens: Sequence[str]) -> str:
    """Return the opening of a text, from its words without the name."""
    return " ".join(tokens[:OPENING])


def _text(field: str, texts: list[str]) -> TextDiversity:
    tokens = [words(text) for text in texts]
    openings = Counter(map(opening_of, tokens))
    opening, times = openings.most_common(1)[0]
    joined = "\n".join(texts)[:COMPRESSED].encode()
    return TextDiversity(
        field=field,
        texts=len(texts),
        distinct={n: _distinct(tokens, n) for n in LENGTHS},
        openings=len(openings) / len(texts),
        commonest_opening=(opening, times / len(texts)),
        compression=len(joined) / len(zlib.compress(joined, 6)),
    )


def _distinct(tokens: list[list[str]], length: int) -> float:
    seen: set[tuple[str, ...]] = set()
    total = 0
    for text in tokens:
        runs = list(zip(*(text[start:] for start in range(length)), strict=False))
        seen.update(runs)
        total += len(runs)
    return len(seen) / total if total else 0.0


def _entropy(counts: np.ndarray) -> float:
    if not counts.sum():
        return 0.0
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0
