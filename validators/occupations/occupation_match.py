"""OccupationMatcher: which occupation an English text about someone's work speaks of."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from census_personas.foundation.arrays import Indices
from census_personas.validators.occupations.tfidf_index import GramIndex, QueryTerms
from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.prose import plain, plain_each, words

Tokens = Sequence[str]
LONGEST_TITLE = 4  # words of a title that are looked up together
NAMED = {
    "title": 8.0,
    "alternate": 3.0,
    "skill": 1.0,
    "task": 0.5,
    "tool": 0.3,
}  # weight of a word by where it stands
# Share of a neighbour's score that counts: SOC minor group, major group, major group of an "all other" code.
MINOR, MAJOR, RESIDUAL = 0.3, 0.2, 0.45
TITLED = 5.0  # times the share where the text itself has the title: "manager" alone does not make one
BEST = 5  # occupations that fit a text best, one of which it may name
MANAGEMENT = "11"
HINTED = 2.0  # times the share where another text of the record has it
_SEVERAL = re.compile(r",| or | and |/|\(|\)")
# Parts of "carpet, floor, or tile installer" that name a person: the last word is one who does something.
_AGENT = re.compile(
    r"(?<!flo)(?:er|or|ist|ian|ant|ent|yst|man|woman|ess|tive|tect|geon|smith|mechanic|nurse|chef|cook|clerk|aide|guard|judge"
    r"|coach|pilot|host|model|maid|scout|scribe|bailiff|dealer|deputy|doctor|midwife|barber)s?$",
    re.IGNORECASE,
)
# Title words that name a rank or a class of jobs, not an occupation.
_ANY_TRADE = frozenset({"operation"})  # words of titles that every trade gives: "operations manager"
# SOC minor groups of top executives, and of the first-line supervisors of each major group from 33 on.
_BROAD = re.compile(r"11-1|(?:3[3579]|4[13579]|5[13])-1")
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
        share: the occupation's score divided by that of the occupation that the text fits best, neighbours in
            the classification counting in part and titles severalfold; at most 1.
        best: name of the occupation that fits best, '' if nothing in the text is about work.
        named: whether the text has a title of the occupation.
        other: whether the text has a title of one of the occupations that fit it best, looked for where this one
            does not fit wholly.
    """

    share: float
    best: str
    named: bool
    other: bool = False


class OccupationMatcher:
    """Words of every occupation, weighted by how few occupations share them (tf-idf, cosine).

    Titles (the look-up's and the lexicon's informal ones) are also looked up as phrases. All comes from the
    locale's occupations; no persona text went into it.
    """

    def __init__(self, occupations: Iterable[OccupationLike]) -> None:
        """Index the occupations once; takes about a tenth of a second."""
        known = list(occupations)
        self.names = tuple(occupation.name for occupation in known)
        self._position = {name: i for i, name in enumerate(self.names)}
        soc = [re.sub(r"[XY]+$", "", occupation.soc) for occupation in known]
        self._groups = tuple(code[:2] for code in soc)
        self._minor = _neighbours([code[:4] for code in soc])
        self._major = _neighbours([code[:2] for code in soc])
        self._residual = [
            occupation.soc[-1:] in {"X", "Y", "9"} or not occupation.tasks for occupation in known
        ]
        self._known = known
        self._titles: dict[int, _Titles] = {}
        self._index = GramIndex([list(_texts(occupation)) for occupation in known])

    def __contains__(self, name: object) -> bool:
        """Whether the occupation is known."""
        return name in self._position

    def is_broad(self, name: str) -> bool:
        """Whether an occupation takes in many trades: top executives, supervisors, and "all other" codes."""
        position = self._position[name]
        return self._residual[position] or _BROAD.match(self._known[position].soc) is not None

    def is_management(self, name: str) -> bool:
        """Whether an occupation is one of managers (SOC major group 11)."""
        return self._groups[self._position[name]] == MANAGEMENT

    def names_another(self, name: str, claimed: Iterable[tuple[Tokens, bool]]) -> bool:
        """Whether titles are those of an occupation of another major group (SOC), and none of its own group.

        Args:
            name: an occupation that the matcher knows.
            claimed: the words of each title, and whether the person has it now: one of today must be another's, one of
                the own group excuses at any time.

        The longest title that a claim ends with counts as its own: "seasoned kitchen manager" is a "kitchen manager".
        """
        group = self._groups[self._position[name]]
        another = False
        for tokens, now in claimed:
            told = _singular(tokens)
            runs = (tuple(told[at:end]) for at in range(len(told)) for end in range(at + 1, len(told) + 1))
            if any(group in self._by_title.get(run, ()) for run in runs):
                return False
            ends = (tuple(told[at:]) for at in range(len(told)))
            title = next((run for run in ends if run in self._by_title), ())
            another = another or (now and bool(title) and _ANY_TRADE.isdisjoint(title))
        return another

    @cached_property
    def _by_title(self) -> Mapping[tuple[str, ...], frozenset[str]]:
        """Title -> the major groups of the occupations that have it."""
        groups: dict[tuple[str, ...], set[str]] = {}
        for occupation, group in zip(self._known, self._groups, strict=True):
            for title in _Titles.of(occupation).whole:
                groups.setdefault(title, set()).add(group)
        return {title: frozenset(found) for title, found in groups.items()}

    def told(self, records: Sequence[Sequence[tuple[str, float]]]) -> list[QueryTerms]:
        """What plain texts about work, each with its weight, tell; for each of many records."""
        return self._index.told(records)

    def match(
        self, name: str, told: QueryTerms, titled: Tokens, hinted: Tokens = (), *, enough: float = math.inf
    ) -> Match:
        """Compare an occupation with texts.

        Args:
            name: an occupation that the matcher knows.
            told: what the texts about the work tell.
            titled: the words of a text whose title says much.
            hinted: the words of a text in which a title only speaks for the occupation.
            enough: a share that need not be known more exactly: where the text has the title and the share is
                surely as large, the answer is a lower bound, which is found much faster.
        """
        position = self._position[name]
        named = self._named(position, titled)
        if named and (bound := self._index.bound(told)) > 0:
            least = TITLED * self._index.score(told, position) / bound
            if least >= enough:
                return Match(min(1.0, least), name, named)
        scores = self._index.scores(told)
        best = int(scores.argmax())
        if scores[best] <= 0:
            return Match(1.0, "", named)
        near = max(
            scores[position],
            MINOR * scores[self._minor[position]].max(),
            (RESIDUAL if self._residual[position] else MAJOR) * scores[self._major[position]].max(),
        )
        share = float(near / scores[best])
        if share < 1 and self._named(position, hinted):
            share *= HINTED
        share = min(1.0, TITLED * share if named else share)
        fitting = np.argsort(-scores)[:BEST].tolist() if share < 1 else ()
        other = any(self._named(position, titled) for position in fitting)
        return Match(share, self.names[best], named, other)

    def _named(self, position: int, tokens: Tokens) -> bool:
        """Whether the words have a title of the occupation among them."""
        if position not in self._titles:
            self._titles[position] = _Titles.of(self._known[position])
        return self._titles[position].stand_in(tokens)


@dataclass(frozen=True, slots=True)
class _Titles:
    """Titles of an occupation, in the singular, and the words that they begin with, also in the plural."""

    whole: frozenset[tuple[str, ...]]
    firsts: frozenset[str]

    @classmethod
    def of(cls, occupation: OccupationLike) -> _Titles:
        formal = [occupation.title, *occupation.alternate_titles]
        formal += [part for title in formal for part in _SEVERAL.split(title) if _AGENT.search(part.strip())]
        informal: Mapping[str, list[str]] = lexicon("occupation_titles", ENGLISH)
        own = map(_title, informal.get(occupation.name, ()))
        titles = frozenset(({*map(_title, formal)} - {(rank,) for rank in _RANKS} | {*own}) - {()})
        firsts = {title[0] for title in titles}
        return cls(titles, frozenset(firsts | {f"{first}s" for first in firsts}))

    def stand_in(self, tokens: Tokens) -> bool:
        """Whether a run of the words is one of the titles."""
        if self.firsts.isdisjoint(tokens):
            return False
        told = _singular(tokens)
        return any(
            tuple(told[start : start + length]) in self.whole
            for start, word in enumerate(told)
            if word in self.firsts
            for length in range(1, LONGEST_TITLE + 1)
        )


def _title(title: str) -> tuple[str, ...]:
    return tuple(_singular(words(plain(title))))


def _singular(tokens: Tokens) -> list[str]:
    """The words without the s of a plural, and without single letters."""
    return [word[:-1] if word[-1] == "s" and word[-2] != "s" else word for word in tokens if len(word) > 1]


def _neighbours(groups: list[str]) -> tuple[Indices, ...]:
    """For each occupation, the positions of those in its group."""
    codes = np.array(groups)
    return tuple(np.flatnonzero(codes == group) for group in groups)


def _texts(occupation: OccupationLike) -> Iterator[tuple[str, float]]:
    """The occupation's texts, plain, each with the weight of its words."""
    kinds = {
        "title": [occupation.title, occupation.name.replace("_", " ")],
        "alternate": occupation.alternate_titles,
        "task": occupation.tasks,
        "skill": occupation.skills,
        "tool": occupation.tools,
    }
    for kind, texts in kinds.items():
        yield from zip(plain_each(texts), itertools.repeat(NAMED[kind]))
