"""Swap effect: how texts change when one fact is swapped and all others stay (a counterfactual test)."""

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
SHOWN = 12  # words listed for each value
LEAST = 2.0  # lowest z score of a listed word; higher if chance alone reaches more (`word_floor`)


@dataclass(frozen=True, slots=True)
class Pair:
    """One person whose texts were written three times.

    Attributes:
        before: label of the fact's value.
        after: label of the value that it is swapped for.
        facts: the person's facts.
        swapped: the facts with that one swapped.
        texts: texts written from the facts.
        other: texts written from the swapped facts.
        again: texts written from the facts with another seed.
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
        records: number of people.
        fields: field -> mean share of the distinct words of both texts that only one of them has. Names, pronouns and
            words of kinship and sex do not count.
        again: field -> the same share between two texts from the same facts with different seeds: the effect of chance.
        effect: mean difference between the two shares over people and fields.
        error: standard error of `effect`; None for a single person.
        words: value -> words that only its texts of a pair have, with the z score of their log-odds.
        word_floor: largest such z score between texts from the same facts; words below it are not listed.
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
        """Mean of `fields`."""
        return sum(self.fields.values()) / len(self.fields) if self.fields else 0.0

    @property
    def chance(self) -> float:
        """Mean of `again`."""
        return sum(self.again.values()) / len(self.again) if self.again else 0.0

    @property
    def exceeds(self) -> bool | None:
        """Whether the swap changes significantly more than chance; None for fewer than two people."""
        return more_than_chance(self.effect, self.error, self.records, 1)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "distance": self.distance, "chance": self.chance, "exceeds": self.exceeds}


def more_than_chance(effect: float, error: float | None, records: int, tests: int) -> bool | None:
    """Return whether an effect is significant as one of `tests` tests (Student's t, one-sided).

    None for fewer than two people.
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
    """Compare the texts from each person's facts with those from the swapped facts, and with those of another seed.

    `language` is that of the texts; `read` builds the view of a record under the roles of its locale.
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
    return {field: words - names - grammar for field, words in reading.vocabulary.items()}


def _distance(one: frozenset[str], other: frozenset[str]) -> float:
    union = one | other
    return len(one ^ other) / len(union) if union else 0.0


def _scored(counts: Mapping[str, Counter[str]]) -> dict[str, dict[str, float]]:
    """Return value -> word -> z score of its log-odds, largest first."""
    total: Counter[str] = Counter()
    for count in counts.values():
        total.update(count)
    return {value: log_odds(counts[value], total, shown=SHOWN) for value in sorted(counts)}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
