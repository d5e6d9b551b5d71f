"""Counterfactual: what changes in the texts when one fact is another and everything else stays."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from persona_engine.validators.dataset.bias import GRAMMAR, log_odds
from persona_engine.validators.reading import PROSE, Reading

Record = Mapping[str, Any]
SHOWN = 12  # words named for each value


@dataclass(frozen=True, slots=True)
class SwapEffect:
    """How texts differ between two values of one fact.

    Attributes:
        attribute: the fact that was swapped.
        records: people whose texts were written twice.
        fields: field -> share of the different words of both texts that only one of them has, on average. Names,
            pronouns and words of kinship and sex do not count.
        again: the same between two texts about the same facts, by another seed: what chance makes.
        words: value -> words that only its texts of a pair have, with the z score of their log-odds.
    """

    attribute: str
    records: int
    fields: Mapping[str, float]
    again: Mapping[str, float]
    words: Mapping[str, Mapping[str, float]]

    @property
    def distance(self) -> float:
        """Mean over the fields."""
        return sum(self.fields.values()) / len(self.fields) if self.fields else 0.0

    @property
    def chance(self) -> float:
        """Mean of `again` over the fields."""
        return sum(self.again.values()) / len(self.again) if self.again else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "distance": self.distance, "chance": self.chance}


def swap_effect(
    records: Iterable[Record],
    attribute: str,
    swap: Callable[[Record], Record],
    write: Callable[[Record, int], Record],
) -> SwapEffect:
    """Write each record's texts with the fact as it is and swapped, by the same seed, and compare them.

    Args:
        records: facts of people.
        attribute: the fact that `swap` changes.
        swap: the same facts with another value of the attribute, and whatever words follow from it by grammar.
        write: (facts, seed) -> text fields, the same for the same arguments.
    """
    fields: dict[str, list[float]] = defaultdict(list)
    again: dict[str, list[float]] = defaultdict(list)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    people = 0
    for record in records:
        people += 1
        other = swap(record)
        first, second, third = (_words(*pair) for pair in _written(record, other, write))
        for field in first.keys() & second.keys() & third.keys():
            fields[field].append(_distance(first[field], second[field]))
            again[field].append(_distance(first[field], third[field]))
            counts[str(record[attribute])].update(first[field] - second[field])
            counts[str(other[attribute])].update(second[field] - first[field])
    total: Counter[str] = Counter()
    for count in counts.values():
        total.update(count)
    return SwapEffect(
        attribute=attribute,
        records=people,
        fields={field: _mean(fields[field]) for field in PROSE if field in fields},
        again={field: _mean(again[field]) for field in PROSE if field in again},
        words={value: _gained(counts[value], total) for value in sorted(counts)},
    )


def _written(
    record: Record, other: Record, write: Callable[[Record, int], Record]
) -> tuple[tuple[Record, Record], ...]:
    return (record, write(record, 0)), (other, write(other, 0)), (record, write(record, 1))


def _words(facts: Record, texts: Record) -> dict[str, frozenset[str]]:
    reading = Reading({**facts, **texts})
    names = frozenset(reading.name.full.casefold().replace("-", " ").split()) if reading.name else frozenset()
    return {field: found - names - GRAMMAR for field, found in reading.vocabulary.items()}


def _distance(one: frozenset[str], other: frozenset[str]) -> float:
    union = one | other
    return len(one ^ other) / len(union) if union else 0.0


def _gained(count: Counter[str], total: Counter[str]) -> dict[str, float]:
    scores = log_odds(count, total, shown=SHOWN)
    return {word: score for word, score in scores.items() if score > 2}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
