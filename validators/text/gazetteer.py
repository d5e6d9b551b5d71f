"""Gazetteer: finds place names in texts and the states that they lie in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from census_personas.validators.text.prose import plain

KNOWN_FROM = (
    30_000  # fewest adults of all places of a name together; names of smaller towns are too ambiguous
)
STATE_VOTE = (
    2.0  # votes of a state's name; the name of a city or county has one vote, divided among its states
)
LONGEST = 4  # words of a place's name
_CAPITALISED = re.compile(r"[A-Z][A-Za-z.'-]+(?: (?:of |the )?[A-Z][A-Za-z.'-]+)*")


class Mention(NamedTuple):
    """A place named in a text.

    Attributes:
        name: name of the place.
        start: position of the run of capitalised words that contains the name.
        alone: whether no capitalised word follows: "Ohio River" and "Chicago Cubs" are not Ohio and Chicago.
    """

    name: str
    start: int
    alone: bool


class Gazetteer:
    """Names of states, counties and cities, each with the states in which such a place lies."""

    def __init__(
        self,
        places: Iterable[tuple[str, str, str, float]],
        region_names: Mapping[str, str],
        known: Mapping[str, Any] | None = None,
    ) -> None:
        """Index (city, county, state, adults) rows, state code -> name, and a lexicon of places."""
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
        """Yield the places that plain text names; longer names win. `without` are words of the person's name."""
        return (mention.name for mention in self.mentions(text, without))

    def mentions(self, text: str, without: frozenset[str] = frozenset()) -> Iterator[Mention]:
        """Yield the places that plain text names, with their positions."""
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
        """Return state -> votes for one place name."""
        return self._votes[name]

    def votes(self, texts: Iterable[str], without: frozenset[str] = frozenset()) -> dict[str, float]:
        """Return state -> votes of all places that the texts name."""
        votes: dict[str, float] = defaultdict(float)
        for text in texts:
            for name in self.names(text, without):
                for state, vote in self._votes[name].items():
                    votes[state] += vote
        return dict(votes)
