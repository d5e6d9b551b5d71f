"""Occupation titles: finds the occupation of a title or code in a file, where it is unambiguous."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

from census_personas.census_priors.occupations import Occupation, Occupations
from census_personas.generator.input.spelling import plain

_CODE = 4  # digits of a census code; spreadsheets drop its leading zeros


class OccupationTitles:
    """Looks occupations up by name, title, census or SOC code, and reported title.

    A title is unambiguous if, apart from case and punctuation, only one occupation has it. An occupation's own titles
    take precedence over titles that incumbents report.
    """

    def __init__(self, occupations: Occupations, plural: str = "") -> None:
        """`plural` is the ending of plural titles. Read nothing yet."""
        self._occupations = occupations
        self._plural = plural

    def find(self, text: str) -> str | None:
        """Return the name of the occupation; None if no occupation, or more than one, has the title."""
        if text in self._occupations:
            return text
        asked = plain(text)
        for titles in (self._own, self._reported):
            if asked in titles:
                return titles[asked]
        digits = "".join(filter(str.isalnum, text)).upper()
        return self._codes.get(digits.zfill(_CODE) if digits.isdecimal() and len(digits) < _CODE else digits)

    @cached_property
    def _own(self) -> Mapping[str, str | None]:
        plural = self._plural
        return _once((o, text) for o in self._occupations for text in (o.name, o.title, f"{o.title}{plural}"))

    @cached_property
    def _reported(self) -> Mapping[str, str | None]:
        return _once((o, title) for o in self._occupations for title in o.alternate_titles)

    @cached_property
    def _codes(self) -> Mapping[str, str | None]:
        return _once((o, code) for o in self._occupations for code in (o.code, o.soc) if code)


def _once(titles: Iterable[tuple[Occupation, str]]) -> dict[str, str | None]:
    """Map each title to the occupation that has it, or to None if several do."""
    owners = defaultdict(set)
    for occupation, title in titles:
        owners[title.upper() if title.isalnum() and title[:1].isdigit() else plain(title)].add(
            occupation.name
        )
    return {title: min(names) if len(names) == 1 else None for title, names in owners.items()}
