"""Ages: numbers, bands such as `25-34` and ends such as `65 and over`, as files write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from census_personas.census_priors.input_words import AgeWords
from census_personas.generator.input.spelling import OLDEST


class AgeReading:
    """Reads ages in the words of a locale."""

    def __init__(self, words: AgeWords, youngest: int, oldest: int) -> None:
        """`youngest` and `oldest` are the locale's ages; an open band ends there."""
        self._words = words
        self._ends = youngest, oldest

    def read(self, text: str) -> int | str | None:
        """Return completed years (61 for `61.5`), a range such as `25-34`, or None for any other text."""
        if (found := self._number.fullmatch(text)) is not None:
            return int(found[1])
        if (found := self._band.fullmatch(text)) is not None:
            return self._range(int(found[1]), int(found[2]))
        if (found := self._over.fullmatch(text)) is not None:
            return self._range(int(found[1]), max(self._ends[1], int(found[1])))
        if (found := self._under.fullmatch(text)) is not None:
            return self._range(min(self._ends[0], int(found[1]) - 1), int(found[1]) - 1)
        return None

    def _range(self, first: int, last: int) -> str | int | None:
        """The part of a range that the locale has; the whole range where it has none of it."""
        if first > last or last > max(OLDEST, self._ends[1]):
            return None
        if first <= self._ends[1] and last >= self._ends[0]:
            first, last = max(first, self._ends[0]), min(last, self._ends[1])
        return first if first == last else f"{first}-{last}"

    @cached_property
    def _years(self) -> str:
        return rf"(?:\s*(?:{_any(self._words.years)}))?\s*"

    @cached_property
    def _number(self) -> re.Pattern[str]:
        return _pattern(rf"\s*(\d{{1,3}})(?:[.,]\d{{1,2}})?{self._years}")

    @cached_property
    def _band(self) -> re.Pattern[str]:
        between = _any(self._words.between)
        return _pattern(rf"\s*(\d{{1,3}}){self._years}(?:{between})\s*(\d{{1,3}}){self._years}")

    @cached_property
    def _over(self) -> re.Pattern[str]:
        return _pattern(rf"\s*(\d{{1,3}}){self._years}(?:{_any(self._words.over)}){self._years}")

    @cached_property
    def _under(self) -> re.Pattern[str]:
        return _pattern(rf"\s*(?:{_any(self._words.under)})\s*(\d{{1,3}}){self._years}")


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(words, key=len, reverse=True))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)
