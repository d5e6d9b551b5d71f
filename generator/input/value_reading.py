"""Value reading: determines the meaning of a column's values in a locale."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from census_personas.census_priors.input_words import InputWords
from census_personas.census_priors.priors import Priors
from census_personas.generator.config.run_config import ConfigError
from census_personas.generator.input.ages import AgeReading
from census_personas.generator.input.occupation_titles import OccupationTitles
from census_personas.generator.input.spelling import (
    OLDEST,
    is_missing_code,
    may_be_missing_code,
    plain,
    without_code,
)

OTHERS = "*"
"""The value that stands for all other values."""
_SHORT = 3
_SHORT_NAME = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """The meaning of a value.

    Attributes:
        value: a state, a list of states, a range, or None for unknown.
        left: whether the meaning is unclear.
        foreign: whether it is an occupation or a postcode that the locale does not know, which need not be wrong.
    """

    value: Any = None
    left: bool = False
    foreign: bool = False


UNKNOWN = Reading()
LEFT = Reading(left=True)
FOREIGN = Reading(foreign=True)


def one_of(readings: Sequence[Reading]) -> Reading:
    """What a cell means that holds several values, of which one is true."""
    if any(reading.left for reading in readings):
        return LEFT
    if any(reading.foreign for reading in readings):
        return FOREIGN
    if not readings or any(reading.value is None for reading in readings):
        return UNKNOWN
    parts = (r.value if isinstance(r.value, list) else [r.value] for r in readings)
    values = list(dict.fromkeys(value for part in parts for value in part))
    return Reading(values[0] if len(values) == 1 else values)


class Vocabulary:
    """A locale's words for its states, and one reader per attribute that uses them."""

    def __init__(self, priors: Priors, words: InputWords) -> None:
        """Read nothing yet."""
        self.priors = priors
        self.words = words
        self.unknown = frozenset(word.casefold() for word in words.unknown)
        self._unknown_plain = frozenset(filter(None, map(plain, words.unknown)))

    def is_unknown(self, text: str) -> bool:
        """Return whether a text or code means unknown."""
        is_word = text.casefold() in self.unknown or plain(text) in self._unknown_plain
        return is_word or is_missing_code(text)

    def is_unknown_name(self, text: str) -> bool:
        """Do as `is_unknown` for names, some of which are such words too: Na, Nan, Null, Blank."""
        may_be_name = text.istitle() and text.isalpha() and len(text) <= _SHORT_NAME
        return (self.is_unknown(text) and not may_be_name) or may_be_missing_code(text)

    def reader(self, attribute: str, header: str) -> Callable[[str], Reading] | None:
        """Return a function that reads the values of a column; None if any text is valid, as for a name."""
        roles, domain = self.priors.roles, self.priors.domain
        if attribute == roles.get("age"):
            return self._ages(attribute)
        if attribute == roles.get("postcode") and "places" in self.priors.declaration.lookups:
            return self._postcodes()
        if attribute not in domain:
            return None
        if attribute == roles.get("occupation") and "occupations" in self.priors.declaration.lookups:
            return self._occupations(attribute)
        if all(isinstance(state, int) for state in domain[attribute]):
            return self._ages(attribute)
        return self._states(attribute, header)

    def suggestion(self, attribute: str, text: str) -> str | None:
        """Return a state that a value may mean, for the user to confirm."""
        years = self.words.years
        if years is not None and attribute == years.column and text.isdecimal():
            return years.by_number.get(int(text))
        # Short texts, such as abbreviations and numbers, are near to others that mean something else.
        known = {said: state for said, state in self._known(attribute).items() if len(said) > _SHORT}
        near = difflib.get_close_matches(plain(text), known, n=1, cutoff=0.75)
        return str(known[near[0]]) if near and len(plain(text)) > _SHORT else None

    def _known(self, attribute: str) -> dict[str, Any]:
        """Return the spellings that belong to exactly one state."""
        states = self.priors.domain[attribute]
        labels = self.priors.words(attribute)
        said = self.words.values.get(attribute, {})
        spelled: dict[str, set[Any]] = {}
        for state in states:
            for text in (str(state), labels.get(str(state), ""), *said.get(str(state), ())):
                spelled.setdefault(plain(text), set()).add(state)
        own = {plain(str(state)): state for state in states}
        once = {text: next(iter(owners)) for text, owners in spelled.items() if text and len(owners) == 1}
        return once | own

    def _several(self, attribute: str) -> dict[str, list[Any]]:
        """Return the words that `input.yaml` has for more than one state, of which one is true."""
        spelled: dict[str, list[Any]] = {}
        for state, texts in self.words.values.get(attribute, {}).items():
            for text in dict.fromkeys(map(plain, texts)):
                spelled.setdefault(text, []).append(state)
        return {text: states for text, states in spelled.items() if len(states) > 1}

    def _states(self, attribute: str, header: str) -> Callable[[str], Reading]:
        exact, known = {str(state) for state in self.priors.domain[attribute]}, self._known(attribute)
        years = self.words.years
        holds_years = years is not None and plain(header) in set(map(plain, years.headers))
        several = self._several(attribute)
        by_number = years.by_number if years is not None and holds_years and attribute == years.column else {}

        def read(text: str) -> Reading:
            if text in exact:
                return Reading(text)
            if text.isdecimal() and int(text) in by_number:
                return Reading(by_number[int(text)])
            said = plain(text)
            state = known.get(said) or known.get(plain(without_code(text))) or several.get(said)
            if state is not None:
                return Reading(state)
            if self.is_unknown(text):
                return UNKNOWN
            means = {
                known.get(plain(part)) for part in re.split(r"[/(),;]", without_code(text)) if plain(part)
            }
            if len(means) == 1 and None not in means:
                return Reading(means.pop())
            named = [known.get(plain(part)) for part in self._alternatives(without_code(text))]
            return one_of([Reading(state) for state in named]) if named and None not in named else LEFT

        return read

    def _alternatives(self, text: str) -> Sequence[str]:
        """Return the parts of a text such as `Divorced or separated`; none of any other text."""
        words = "|".join(map(re.escape, self.words.either))
        parts = re.split(rf"\b(?:{words})\b", text, flags=re.IGNORECASE) if words else []
        return parts if len(parts) > 1 else ()

    def _ages(self, attribute: str) -> Callable[[str], Reading]:
        ages = [int(state) for state in self.priors.domain[attribute]]
        reading = AgeReading(self.words.ages, min(ages), max(ages))

        def read(text: str) -> Reading:
            if self.is_unknown(text):
                return UNKNOWN
            value = int(text) if text.isdecimal() and text.isascii() else reading.read(text)
            unclear = value is None or (isinstance(value, int) and value > max(OLDEST, *ages))
            return LEFT if unclear else Reading(value)

        return read

    def _postcodes(self) -> Callable[[str], Reading]:
        places = self.priors.places

        def read(text: str) -> Reading:
            if self.is_unknown(text):
                return UNKNOWN
            if (text.zfill(places.digits) if text.isdecimal() else text) in places:
                return Reading(text)
            first = text[: places.digits]  # of a longer code, such as 45402-1234
            return Reading(first) if first in places else FOREIGN

        return read

    def _occupations(self, attribute: str) -> Callable[[str], Reading]:
        titles = OccupationTitles(self.priors.occupations, self.words.plural)
        known = self._several(attribute) | self._known(attribute)

        def read(text: str) -> Reading:
            name = titles.find(text) or titles.find(without_code(text)) or known.get(plain(text))
            if name is not None:
                return Reading(name)
            # Such a number must not count as a job that the locale does not know.
            return UNKNOWN if self.is_unknown(text) or may_be_missing_code(text) else FOREIGN

        return read


def explicit(
    attribute: str, said: Mapping[str, Any], vocabulary: Vocabulary, place: str
) -> Mapping[str, Reading]:
    """Readings that a config names, each checked against the locale.

    Raises:
        ConfigError: a meaning is not a state of the attribute; names the value and valid states.
    """
    domain = vocabulary.priors.domain
    states = set(map(str, domain[attribute])) if attribute in domain else None
    reader = vocabulary.reader(attribute, "")
    readings = {}
    for text, meaning in said.items():
        for state in _parts(meaning):
            is_range = attribute == vocabulary.priors.roles.get("age") and reader and not reader(state).left
            if states is not None and state not in states and not is_range:
                near = difflib.get_close_matches(state, states, n=1) or sorted(states)[:8]
                raise ConfigError(
                    f"{place}: {text!r}: {state!r} is no state of {attribute}; write one such as {', '.join(near)}"
                )
        readings[text] = Reading(_typed(meaning, reader))
    return readings


def _parts(meaning: Any) -> Iterable[str]:
    parts = meaning if isinstance(meaning, tuple | list) else () if meaning is None else (meaning,)
    return map(str, parts)


def _typed(meaning: Any, reader: Callable[[str], Reading] | None) -> Any:
    """Return the meaning as the attribute's reader returns it: ages as numbers, several states as a list."""
    if meaning is None:
        return None
    if isinstance(meaning, tuple | list):
        return [_typed(part, reader) for part in meaning]
    return str(meaning) if reader is None else reader(str(meaning)).value
