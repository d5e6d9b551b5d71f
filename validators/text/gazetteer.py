"""Gazetteer: which state the places named in a text lie in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from census_personas.validators.text.prose import plain

KNOWN_FROM = 30_000  # adults of all places of a name together; smaller towns share names with too many things
STATE_VOTE = (
    2.0  # votes of a state's name; a city or county has one, divided among the states that have such a place
)
LONGEST = 4  # words of a place's name
_CAPITALISED = re.compile(r"[A-Z][A-Za-z.'-]+(?: (?:of |the )?[A-Z][A-Za-z.'-]+)*")


class Mention(NamedTuple):
    """A place named in a text.

    Attributes:
        name: of the place.
        start: where the run of capitalised words begins that it stands in.
        alone: whether no other capitalised word follows: "Ohio River" and "Chicago Cubs" are not Ohio and Chicago.
    """

    name: str
    start: int
    alone: bool


class Gazetteer:
    """Names of states, counties and cities, each with the states that it may mean."""

    def __init__(
        self,
        places: Iterable[tuple[str, str, str, float]],
        region_names: Mapping[str, str],
        known: Mapping[str, Any] | None = None,
    ) -> None:
        """Index (city, county, state, adults) rows, state code -> name, and what a lexicon of places says of names."""
        known = known or {}
        endings, words = tuple(known.get("counties", ())), frozenset(known.get("words", ()))
        adults: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for city, county, state, count in places:
            adults[plain(city)][state] += count
            adults[plain(county)][state] += count
        self._votes: dict[str, Mapping[str, float]] = {}
        for name, by_state in adults.items():
            total = sum(by_state.values())
            is_subregion = name.endswith(endings) if endings else False
            if (total >= KNOWN_FROM and name not in words) or (is_subregion and total > 0):
                self._votes[name] = {state: count / total for state, count in by_state.items()}
        self._votes |= {name: {state: 1.0} for name, state in known.get("sure", {}).items()}
        self._votes |= {name: {code: STATE_VOTE} for code, name in region_names.items()}
        self._votes |= known.get("several", {})

    def names(self, text: str, without: frozenset[str] = frozenset()) -> Iterator[str]:
        """Places named in plain text, longest names first; `without` are words that name the person."""
        return (mention.name for mention in self.mentions(text, without))

    def mentions(self, text: str, without: frozenset[str] = frozenset()) -> Iterator[Mention]:
        """The same with where they stand."""
        for match in _CAPITALISED.finditer(text):
            parts = match.group().replace("'s", "").split(" ")
            at = 0
            while at < len(parts):
                for length in range(min(LONGEST, len(parts) - at), 0, -1):
                    name = " ".join(parts[at : at + length]).strip(".,'")
                    if name in self._votes and not (length == 1 and name in without):
                        at += length
                        after = parts[at : at + 1]
                        yield Mention(name, match.start(), alone=not after or after[0].islower())
                        break
                else:
                    at += 1

    def votes_of(self, name: str) -> Mapping[str, float]:
        """State -> votes of one place."""
        return self._votes[name]

    def votes(self, texts: Iterable[str], without: frozenset[str] = frozenset()) -> dict[str, float]:
        """State -> votes of the places that the texts name."""
        votes: dict[str, float] = defaultdict(float)
        for text in texts:
            for name in self.names(text, without):
                for state, vote in self._votes[name].items():
                    votes[state] += vote
        return dict(votes)
