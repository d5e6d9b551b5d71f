"""Headers: which attribute of a locale a column of a file is likely to hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from census_personas.census_priors.input_words import InputWords
from census_personas.census_priors.priors import Priors
from census_personas.generator.input.spelling import plain, split_words

EXACT, NAMED, SYNONYM = range(3)
"""How a header was recognized: by the attribute's name; by a variant spelling or its label; by a synonym."""


class Headers:
    """Recognizes the attributes that can be read from a file, by their names, labels and synonyms."""

    def __init__(self, priors: Priors, words: InputWords, columns: Iterable[str]) -> None:
        """`columns` are all attributes of a person that a file may have."""
        self.columns = tuple(columns)
        self._priors = priors
        self._words = words

    def candidates(self, header: str) -> tuple[tuple[int, str], ...]:
        """Return the attributes that a column may hold, likeliest first; among equals, hidden columns last."""
        hidden = self._priors.conventions.hidden
        found = [(EXACT, header)] if header in self.columns else []
        asked = plain(header)
        for how, spelled in ((NAMED, self._named), (SYNONYM, self._synonyms)):
            found += [(how, name) for name in spelled.get(asked, ())]
        once = {name: how for how, name in reversed(found)}
        ranked = sorted(once.items(), key=lambda item: (item[0] in hidden, item[1]))
        return tuple((how, name) for name, how in ranked)

    def hints(self, header: str) -> tuple[str, ...]:
        """Return the attributes that a part of a header names, such as `age` of `What is your age?`."""
        words = split_words(header)
        spans = (words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1))
        parts = {"".join(span) for span in spans} - {plain(header)}
        named = (
            name
            for spelled in (self._named, self._synonyms)
            for part in parts
            for name in spelled.get(part, ())
        )
        return tuple(sorted(set(named).difference(self._priors.conventions.hidden)))

    @cached_property
    def _named(self) -> Mapping[str, list[str]]:
        spelled: dict[str, list[str]] = {}
        for name in self.columns:
            for text in {plain(name), plain(self._priors.name(name))}:
                spelled.setdefault(text, []).append(name)
        return spelled

    @cached_property
    def _synonyms(self) -> Mapping[str, list[str]]:
        spelled: dict[str, list[str]] = {}
        for name, texts in self._words.columns.items():
            for text in texts if name in self.columns else ():
                spelled.setdefault(plain(text), []).append(name)
        return spelled
