"""OccupationMatcher: which occupation a text about someone's work speaks of."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from persona_engine.validators.grams import STEM, GramIndex, Tokens, grams
from persona_engine.validators.lexicon import lexicon
from persona_engine.validators.prose import plain, words

LONGEST_TITLE = 4  # words of a title that are looked up together
NAMED = {
    "title": 8.0,
    "alternate": 3.0,
    "skill": 1.0,
    "task": 0.5,
    "tool": 0.3,
}  # weight of a word by where it stands
# Share of a neighbour's score that counts: SOC minor group, major group, major group of an "all other" code.
MINOR, MAJOR, RESIDUAL = 0.5, 0.25, 0.4
TITLED = 5.0  # times the share where the text itself has the title: "manager" alone does not make one
HINTED = 2.0  # times the share where another text of the record has it
_SEVERAL = re.compile(r",| or | and |/|\(|\)")
# Parts of "carpet, floor, or tile installer" that name a person: the last word is one who does something.
_AGENT = re.compile(
    r"(?<!flo)(?:er|or|ist|ian|ant|ent|yst|man|woman|ess|tive|tect|geon|smith|mechanic|nurse|chef|cook|clerk|aide|guard|judge"
    r"|coach|pilot|host|model|maid|scout|scribe|bailiff|dealer|deputy|doctor|midwife|barber)s?$",
    re.IGNORECASE,
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
        share: the occupation's score divided by that of the occupation that the text fits best, neighbours in
            the classification counting in part and titles severalfold; at most 1.
        best: name of the occupation that fits best, '' if nothing in the text is about work.
        named: whether the text has a title of the occupation.
    """

    share: float
    best: str
    named: bool


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
        self._minor = _neighbours([code[:4] for code in soc])
        self._major = _neighbours([code[:2] for code in soc])
        self._residual = [
            occupation.soc[-1:] in {"X", "Y", "9"} or not occupation.tasks for occupation in known
        ]
        self._titles = _titles(known)
        self._firsts = tuple(frozenset(title[0] for title in titles) for titles in self._titles)
        self._index = GramIndex.of([_weighted(occupation) for occupation in known])

    def __contains__(self, name: object) -> bool:
        """Whether the occupation is known."""
        return name in self._position

    def match(
        self,
        name: str,
        titled: Tokens,
        hinted: Tokens,
        told: Iterable[tuple[Tokens, float]],
        *,
        enough: float = math.inf,
    ) -> Match:
        """Compare an occupation with a text, given as its lower-case words.

        Args:
            name: an occupation that the matcher knows.
            titled: a text whose title says much.
            hinted: a text in which a title only speaks for the occupation.
            told: texts about the work, each with its weight.
            enough: a share that need not be known more exactly: where the text has the title and the share is
                surely as large, the answer is a lower bound, which is found much faster.
        """
        rows = self._index.rows(told)
        position = self._position[name]
        named = self._named(position, titled)
        if named and (bound := self._index.bound(rows)) > 0:
            least = TITLED * self._index.score(rows, position) / bound
            if least >= enough:
                return Match(min(1.0, least), name, named)
        scores = self._index.scores(rows)
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
        return Match(min(1.0, TITLED * share if named else share), self.names[best], named)

    def _named(self, position: int, tokens: Tokens) -> bool:
        """Whether a run of the words is a title of the occupation."""
        titles = self._titles[position]
        stems = [word[:STEM] for word in tokens if len(word) > 1]
        firsts = self._firsts[position]
        if firsts.isdisjoint(stems):
            return False
        for start, stem in enumerate(stems):
            if stem in firsts:
                for length in range(1, LONGEST_TITLE + 1):
                    if tuple(stems[start : start + length]) in titles:
                        return True
        return False


def _neighbours(groups: list[str]) -> tuple[npt.NDArray[np.intp], ...]:
    """For each occupation, the positions of those in its group."""
    codes = np.array(groups)
    return tuple(np.flatnonzero(codes == group) for group in groups)


def _texts(occupation: OccupationLike) -> Iterator[tuple[str, float]]:
    yield occupation.title, NAMED["title"]
    yield occupation.name.replace("_", " "), NAMED["title"]
    yield from ((text, NAMED["alternate"]) for text in occupation.alternate_titles)
    yield from ((text, NAMED["task"]) for text in occupation.tasks)
    yield from ((text, NAMED["skill"]) for text in occupation.skills)
    yield from ((text, NAMED["tool"]) for text in occupation.tools)


def _weighted(occupation: OccupationLike) -> Mapping[str, float]:
    """The grams of an occupation's texts, each with the weight of where it stands."""
    weights: dict[str, float] = defaultdict(float)
    for text, weight in _texts(occupation):
        for gram in dict.fromkeys(grams(words(plain(text)))):
            weights[gram] += weight
    return weights


def _titles(occupations: list[OccupationLike]) -> tuple[frozenset[tuple[str, ...]], ...]:
    """The titles of each occupation, as stems."""
    informal: Mapping[str, list[str]] = lexicon("occupation_titles")
    ranks = {(rank[:STEM],) for rank in _RANKS}
    found = []
    for occupation in occupations:
        formal = [occupation.title, *occupation.alternate_titles]
        formal += [part for title in formal for part in _SEVERAL.split(title) if _AGENT.search(part.strip())]
        own = {_stems(title) for title in informal.get(occupation.name, [])}
        found.append(frozenset(({_stems(title) for title in formal} - ranks | own) - {()}))
    return tuple(found)


def _stems(title: str) -> tuple[str, ...]:
    return tuple(word[:STEM] for word in words(plain(title)) if len(word) > 1)
