"""Stages of life, as English texts tell them: retired, grandchildren, student life. The words are in a lexicon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from census_personas.validators.text.lexicon import ENGLISH, lexicon

LEAD = 50  # letters before a stage in which another person, or a plan, may be named
BEFORE, AFTER = 100, 70  # letters around a word of a stage in which the passage that tells it stands


class Stage(NamedTuple):
    """One stage: the words that must be there, the patterns, and the ages between which people are told so."""

    what: str
    words: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]
    low: int
    high: int

    def told(self, text: str) -> Iterator[str]:
        """The words of each passage of lower-case text that tells this stage of the person, not of others or plans."""
        for at in sorted({at for word in self.words for at in _places(word, text)}):
            for pattern in self.patterns:  # which take long, and need not read the whole text
                for match in pattern.finditer(text, max(0, at - BEFORE), at + AFTER):
                    if not _others().search(text[max(0, match.start() - LEAD) : match.start()]):
                        yield match.group()


def _places(word: str, text: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


@cache
def stages() -> tuple[Stage, ...]:
    """The stages of the lexicon."""
    return tuple(
        Stage(
            entry["what"],
            frozenset(entry["words"]),
            tuple(re.compile(pattern) for pattern in entry["patterns"]),
            entry.get("from", 0),
            entry.get("to", 200),
        )
        for entry in lexicon("life_stage", ENGLISH)["stages"]
    )


def quote_of(what: str, text: str) -> str | None:
    """The words with which a lower-case text tells one stage, or None."""
    stage = next(stage for stage in stages() if stage.what == what)
    return next(stage.told(text), None)


@cache
def _others() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(lexicon('life_stage', ENGLISH)['others'])})\b")
