"""Stages of life, as English texts tell them: retired, grandchildren, student life. The words are in a lexicon."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.record_view import RecordView

LEAD = 50  # letters before a stage in which another person, or a plan, may be named
BEFORE, AFTER = 100, 70  # letters around a word of a stage in which the passage that tells it stands


class Stage(NamedTuple):
    """One stage: the words that must be there, the patterns, the ages, and whether it alone proves nothing."""

    what: str
    words: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]
    low: int
    high: int
    weak: bool

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
            entry.get("weak", False),
        )
        for entry in lexicon("life_stage", ENGLISH)["stages"]
    )


def quote_of(what: str, text: str) -> str | None:
    """The words with which a lower-case text tells one stage, or None."""
    stage = next(stage for stage in stages() if stage.what == what)
    return next(stage.told(text), None)


def called_retired(
    reading: RecordView, fields: Iterable[str] | None = None, *, working: bool = True
) -> tuple[str, str] | None:
    """The first text that calls its person retired, and the words.

    None for somebody `working` where one of the texts says that they work on.
    """
    if "retir" not in reading.lower or (working and _working_on().search(reading.lower)):
        return None
    for field in reading.lowered if fields is None else fields:
        quote = quote_of("retired", reading.lowered.get(field, ""))
        if quote:
            return field, quote
    return None


@cache
def weak_stages() -> frozenset[str]:
    """The stages that are no error by themselves."""
    return frozenset(stage.what for stage in stages() if stage.weak)


@cache
def _working_on() -> re.Pattern[str]:
    return re.compile("|".join(lexicon("life_stage", ENGLISH)["working_on"]))


@cache
def _others() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(lexicon('life_stage', ENGLISH)['others'])})\b")
