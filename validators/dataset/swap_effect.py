"""Counterfactual: what changes in the texts when one fact is another and everything else stays."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from statistics import stdev
from typing import Any

from scipy.special import stdtr  # type: ignore[import-untyped]

from census_personas.foundation.schema import PROSE
from census_personas.validators.dataset.bias import group_grammar, log_odds
from census_personas.validators.dataset.multiple_testing import FAMILY
from census_personas.validators.text.lexicon import ENGLISH
from census_personas.validators.text.record_view import RecordView

Record = Mapping[str, Any]
SHOWN = 12  # words named for each value
LEAST = 2.0  # z score from which a word is named, if chance gives no word a larger one


@dataclass(frozen=True, slots=True)
class Pair:
    """One person whose texts were written three times.

    Attributes:
        before: value of the fact that is swapped, in a word.
        after: its value when swapped.
        facts: of the person.
        swapped: the same facts with the one swapped.
        texts: written from the facts.
        other: written from the swapped facts.
        again: written from the facts once more, by another seed.
    """

    before: str
    after: str
    facts: Record
    swapped: Record
    texts: Record
    other: Record
    again: Record


@dataclass(frozen=True, slots=True)
class SwapEffect:
    """How texts differ between two values of one fact.

    Attributes:
        attribute: the fact that was swapped.
        records: people whose texts were written again.
        fields: field -> share of the different words of both texts that only one of them has, on average. Names,
            pronouns and words of kinship and sex do not count.
        again: the same between two texts about the same facts, by another seed: what chance makes.
        effect: mean over the people of what the swap changes beyond chance, all fields together.
        error: its standard error; None for a single person.
        words: value -> words that only its texts of a pair have, with the z score of their log-odds.
        word_floor: the largest such z score between texts about the same facts; words below it are not named.
    """

    attribute: str
    records: int
    fields: Mapping[str, float]
    again: Mapping[str, float]
    effect: float
    error: float | None
    words: Mapping[str, Mapping[str, float]]
    word_floor: float

    @property
    def distance(self) -> float:
        """Mean over the fields."""
        return sum(self.fields.values()) / len(self.fields) if self.fields else 0.0

    @property
    def chance(self) -> float:
        """Mean of `again` over the fields."""
        return sum(self.again.values()) / len(self.again) if self.again else 0.0

    @property
    def exceeds(self) -> bool | None:
        """Whether the swap changes clearly more than chance does; None where too few people were asked about."""
        return more_than_chance(self.effect, self.error, self.records, 1)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "distance": self.distance, "chance": self.chance, "exceeds": self.exceeds}


def more_than_chance(effect: float, error: float | None, records: int, tests: int) -> bool | None:
    """Whether an effect is more than chance makes, as one of so many tests (Student's t, one-sided).

    None where fewer than two people were asked about.
    """
    if error is None:
        return None
    p = float(stdtr(records - 1, -effect / error)) if error else float(effect <= 0)
    return p * max(tests, 1) < FAMILY


def swap_effect(
    attribute: str,
    pairs: Iterable[Pair],
    language: str = ENGLISH,
    read: Callable[[Record], RecordView] = RecordView,
) -> SwapEffect:
    """Compare what was written of each person with what was written of the swapped one, and again of the same.

    `language` is that of the texts; `read` reads records under the roles of their locale.
    """
    words_of = partial(_words, group_grammar(language), read)
    fields: dict[str, list[float]] = defaultdict(list)
    again: dict[str, list[float]] = defaultdict(list)
    gained: dict[str, Counter[str]] = defaultdict(Counter)
    noise: dict[str, Counter[str]] = {"first": Counter(), "again": Counter()}
    beyond: list[float] = []
    for pair in pairs:
        first, other = words_of(pair.facts, pair.texts), words_of(pair.swapped, pair.other)
        third = words_of(pair.facts, pair.again)
        shared = [field for field in first if field in other and field in third]
        for field in shared:
            fields[field].append(_distance(first[field], other[field]))
            again[field].append(_distance(first[field], third[field]))
            gained[pair.before].update(first[field] - other[field])
            gained[pair.after].update(other[field] - first[field])
            noise["first"].update(first[field] - third[field])
            noise["again"].update(third[field] - first[field])
        if shared:
            beyond.append(_mean([fields[field][-1] - again[field][-1] for field in shared]))
    floor = max((max(scores.values(), default=0.0) for scores in _scored(noise).values()), default=0.0)
    return SwapEffect(
        attribute=attribute,
        records=len(beyond),
        fields={field: _mean(fields[field]) for field in PROSE if field in fields},
        again={field: _mean(again[field]) for field in PROSE if field in again},
        effect=_mean(beyond) if beyond else 0.0,
        error=stdev(beyond) / len(beyond) ** 0.5 if len(beyond) > 1 else None,
        words={
            value: {word: score for word, score in scores.items() if score > max(LEAST, floor)}
            for value, scores in _scored(gained).items()
        },
        word_floor=floor,
    )


def _words(
    grammar: frozenset[str], read: Callable[[Record], RecordView], facts: Record, texts: Record
) -> dict[str, frozenset[str]]:
    reading = read({**facts, **texts})
    names = frozenset(reading.name.full.casefold().replace("-", " ").split()) if reading.name else frozenset()
    return {field: found - names - grammar for field, found in reading.vocabulary.items()}


def _distance(one: frozenset[str], other: frozenset[str]) -> float:
    union = one | other
    return len(one ^ other) / len(union) if union else 0.0


def _scored(counts: Mapping[str, Counter[str]]) -> dict[str, dict[str, float]]:
    """Value -> its words with the z scores of their log-odds, the largest first."""
    total: Counter[str] = Counter()
    for count in counts.values():
        total.update(count)
    return {value: log_odds(counts[value], total, shown=SHOWN) for value in sorted(counts)}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
