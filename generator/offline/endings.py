"""Endings: how often texts of one person end a sentence in the same words, as the rule `repetition` counts them."""

from __future__ import annotations

from collections.abc import Iterable

from census_personas.validators.records.repetition import AROUND, ENDING, OFTEN


class Endings:
    """The endings of a person's texts, each counted once a text."""

    __slots__ = ("_counts",)

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Count the endings of texts that are written already."""
        self._counts: dict[str, int] = {}
        for text in texts:
            self.add(endings_of(text))

    def add(self, endings: Iterable[str]) -> None:
        """Count the endings of a text that is kept."""
        counts = self._counts
        for ending in endings:
            counts[ending] = counts.get(ending, 0) + 1

    def are_worn(self, endings: Iterable[str]) -> bool:
        """Return whether so many texts have one of these endings that one more breaks the rule."""
        counts = self._counts
        for ending in endings:  # noqa: SIM110 - `any` takes twice as long
            if counts.get(ending, 0) >= OFTEN - 1:
                return True
        return False


def endings_of(text: str) -> set[str]:
    """Return the last words of each longer sentence of a text."""
    if "!" in text or "?" in text:
        text = text.replace("!", ".").replace("?", ".")
    parts = [sentence.rstrip(AROUND).rsplit(" ", ENDING) for sentence in text.split(". ")]
    return {" ".join(words[1:]) for words in parts if len(words) > ENDING}
