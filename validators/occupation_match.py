"""OccupationMatcher: which occupation a text about someone's work speaks of."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from persona_engine.validators.lexicon import lexicon
from persona_engine.validators.prose import plain, words

STEM = 6  # letters by which two words count as the same
LONGEST_TITLE = 4  # words of a title that are looked up together
NAMED = {
    "title": 8.0,
    "alternate": 3.0,
    "skill": 1.0,
    "task": 0.5,
    "tool": 0.3,
}  # weight of a word by where it stands
MINOR, MAJOR, RESIDUAL = (
    0.5,
    0.25,
    0.5,
)  # share of a neighbour's score: SOC minor group, major group, "all other" codes
HINT = 2.0  # times the share that a title elsewhere in the record makes it
_SEVERAL = re.compile(r",| or | and |/|\(|\)")
# Parts of "carpet, floor, or tile installer" that name a person: the last word is one who does something.
_AGENT = re.compile(
    r"(?<!flo)(?:er|or|ist|ian|ant|ent|yst|man|woman|ess|tive|tect|geon|smith|mechanic|nurse|chef|cook|clerk|aide|guard|judge"
    r"|coach|pilot|host|model|maid|scout|scribe|bailiff|dealer|deputy|doctor|midwife|barber)s?$",
    re.IGNORECASE,
)
_EMPTY = frozenset(
    "and or the of for with in to a an on at by from as other such including use using used etc may that their they"
    " into is are be all not except miscellaneous".split()
)
# Title words that name a rank or a class of jobs, not an occupation.
_RANKS = frozenset(
    "manager supervisor operator technician specialist clerk assistant worker director technologist office attendant"
    " leader coordinator analyst mechanic helper service driver aide associate representative agent"
    " administrator".split()
)


class OccupationLike(Protocol):
    """What the matcher reads of an occupation."""

    @property
    def name(self) -> str:
        """As in the dataset's `occupation`."""

    @property
    def title(self) -> str:
        """As prose calls a person."""

    @property
    def soc(self) -> str:
        """SOC 2018 code, X and Y for several digits."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What one does."""

    @property
    def tools(self) -> tuple[str, ...]:
        """Tools and technologies."""

    @property
    def skills(self) -> tuple[str, ...]:
        """Skills and fields of knowledge."""

    @property
    def alternate_titles(self) -> tuple[str, ...]:
        """Other titles that people report."""


@dataclass(frozen=True, slots=True)
class Match:
    """How well a text fits an occupation.

    Attributes:
        share: 1 if the text names the occupation; else its score divided by that of the occupation that
            the text fits best, neighbours in the classification counting in part.
        best: name of the occupation that fits best, '' if nothing in the text is about work.
    """

    share: float
    best: str


class OccupationMatcher:
    """Words of every occupation, weighted by how few occupations share them (tf-idf, cosine).

    Titles (O*NET's and the lexicon's informal ones) are also looked up as phrases. All comes from the
    locale's occupations; no persona text went into it.
    """

    def __init__(self, occupations: Iterable[OccupationLike]) -> None:
        """Index the occupations once; takes about half a second."""
        known = list(occupations)
        self.names = tuple(occupation.name for occupation in known)
        self._position = {name: i for i, name in enumerate(self.names)}
        soc = [re.sub(r"[XY]+$", "", occupation.soc) for occupation in known]
        self._minor = np.array([code[:4] for code in soc])
        self._major = np.array([code[:2] for code in soc])
        self._residual = [
            occupation.soc[-1:] in {"X", "Y", "9"} or not occupation.tasks for occupation in known
        ]
        self._titles = _phrase_index(known)
        self._index = _gram_index(known)

    def __contains__(self, name: object) -> bool:
        """Whether the occupation is known."""
        return name in self._position

    def match(self, name: str, titled: str, hinted: str, told: Mapping[str, float]) -> Match:
        """Compare an occupation with a text.

        Args:
            name: an occupation that the matcher knows.
            titled: a text in which a title says it all.
            hinted: a text in which a title only speaks for the occupation.
            told: texts about the work, each with its weight.
        """
        scores = self._scores(told)
        best = int(scores.argmax())
        position = self._position[name]
        if self._named(position, titled):
            return Match(1.0, self.names[best])
        if scores[best] <= 0:
            return Match(1.0, "")
        major = scores[self._major == self._major[position]].max()
        near = max(
            scores[position],
            MINOR * scores[self._minor == self._minor[position]].max(),
            (RESIDUAL if self._residual[position] else MAJOR) * major,
        )
        share = float(near / scores[best])
        if share < 1 and self._named(position, hinted):
            share = min(1.0, HINT * share)
        return Match(share, self.names[best])

    def _named(self, position: int, text: str) -> bool:
        return any(position in self._titles[phrase] for phrase in self._phrases(text))

    def _phrases(self, text: str) -> Iterator[tuple[str, ...]]:
        """Runs of words of a text that are somebody's title."""
        stems = [word[:STEM] for word in words(text) if len(word) > 1]
        for start in range(len(stems)):
            for length in range(1, LONGEST_TITLE + 1):
                phrase = tuple(stems[start : start + length])
                if phrase in self._titles:
                    yield phrase

    def _scores(self, told: Mapping[str, float]) -> npt.NDArray[np.float64]:
        counts: dict[int, float] = defaultdict(float)
        for text, weight in told.items():
            for gram in set(_grams(text)):
                row = self._index.rows.get(gram)
                if row is not None:
                    counts[row] += weight
        return self._index.scores(counts)


@dataclass(frozen=True, slots=True)
class _GramIndex:
    """A sparse matrix in compressed rows: gram x occupation -> weight."""

    rows: Mapping[str, int]
    indptr: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    occupations: int

    def scores(self, counts: Mapping[int, float]) -> npt.NDArray[np.float64]:
        """Sum of the rows, each times the logarithm of its count."""
        chosen = np.fromiter(counts, dtype=np.int64, count=len(counts))
        scale = np.log1p(np.fromiter(counts.values(), dtype=np.float64, count=len(counts)))
        lengths = self.indptr[chosen + 1] - self.indptr[chosen]
        ends = np.cumsum(lengths)
        offsets = np.repeat(self.indptr[chosen] - ends + lengths, lengths)
        cells = offsets + np.arange(len(offsets))
        weights = self.weights[cells] * np.repeat(scale, lengths)
        scores = np.bincount(self.positions[cells], weights=weights, minlength=self.occupations)
        return scores.astype(np.float64)


def _grams(text: str) -> list[str]:
    """Stems of the words that mean something, and pairs of them."""
    stems = [word[:STEM] for word in words(text) if word not in _EMPTY and len(word) > 2]
    return stems + [f"{first} {second}" for first, second in pairwise(stems)]


def _texts(occupation: OccupationLike) -> Iterator[tuple[str, float]]:
    yield occupation.title, NAMED["title"]
    yield occupation.name.replace("_", " "), NAMED["title"]
    yield from ((text, NAMED["alternate"]) for text in occupation.alternate_titles)
    yield from ((text, NAMED["task"]) for text in occupation.tasks)
    yield from ((text, NAMED["skill"]) for text in occupation.skills)
    yield from ((text, NAMED["tool"]) for text in occupation.tools)


def _gram_index(occupations: list[OccupationLike]) -> _GramIndex:
    """Each gram's weight in each occupation that has it, times its rarity."""
    counts: list[dict[str, float]] = []
    for occupation in occupations:
        count: dict[str, float] = defaultdict(float)
        for text, weight in _texts(occupation):
            for gram in set(_grams(plain(text))):
                count[gram] += weight
        counts.append(count)
    having = Counter(gram for count in counts for gram in count)
    rarity = {gram: math.log(len(occupations) / number) for gram, number in having.items()}
    entries: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for position, count in enumerate(counts):
        weights = {gram: math.log1p(weight) * rarity[gram] for gram, weight in count.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        for gram, weight in weights.items():
            if weight > 0:
                entries[gram].append((position, weight / length * rarity[gram]))
    cells = [cell for found in entries.values() for cell in found]
    return _GramIndex(
        rows={gram: row for row, gram in enumerate(entries)},
        indptr=np.cumsum([0, *(len(found) for found in entries.values())]),
        positions=np.array([position for position, _ in cells], dtype=np.int64),
        weights=np.array([weight for _, weight in cells]),
        occupations=len(occupations),
    )


def _phrase_index(occupations: list[OccupationLike]) -> dict[tuple[str, ...], frozenset[int]]:
    """Title, as stems -> positions of the occupations that it names."""
    informal: Mapping[str, list[str]] = lexicon("occupation_titles")
    index: dict[tuple[str, ...], set[int]] = defaultdict(set)
    ranks = {(rank[:STEM],) for rank in _RANKS}
    for position, occupation in enumerate(occupations):
        formal = [occupation.title, *occupation.alternate_titles]
        formal += [part for title in formal for part in _SEVERAL.split(title) if _AGENT.search(part.strip())]
        for titles, own_ranks in ((formal, False), (informal.get(occupation.name, []), True)):
            for title in titles:
                phrase = tuple(word[:STEM] for word in words(plain(title)) if len(word) > 1)
                if phrase and (own_ranks or phrase not in ranks):
                    index[phrase].add(position)
    return {phrase: frozenset(positions) for phrase, positions in index.items()}
