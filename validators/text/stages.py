"""Stages of life in English texts: retired, grandchildren, student life. The words are in a lexicon."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.record_view import RecordView

LEAD = 50  # characters before a match that are searched for another person or a plan
BEFORE, AFTER = 100, 70  # characters before and after a word of a stage that its patterns are matched on


class Stage(NamedTuple):
    """One stage: required words, patterns, ages, and whether it is weak evidence by itself."""

    what: str
    words: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]
    low: int
    high: int
    weak: bool

    def told(self, text: str) -> Iterator[str]:
        """Yield each passage of lower-case text that states this stage of the person, not of others or as a plan."""
        for at in sorted({at for word in self.words for at in _places(word, text)}):
            for pattern in self.patterns:  # slow, so they are not run on the whole text
                for match in pattern.finditer(text, max(0, at - BEFORE), at + AFTER):
                    lead = text[max(0, match.start() - LEAD) : match.start()]
                    if not _others().search(lead) and not _denied(lead + match.group()):
                        yield match.group()


def _places(word: str, text: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


@cache
def stages() -> tuple[Stage, ...]:
    """Return the stages of the lexicon."""
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
    """Return the first passage in which a lower-case text states a stage; None if there is none."""
    stage = next(stage for stage in stages() if stage.what == what)
    return next(stage.told(text), None)


def called_retired(
    reading: RecordView, fields: Iterable[str] | None = None, *, working: bool = True
) -> tuple[str, str] | None:
    """Return the first field whose text calls the person retired, with the passage; None if there is none.

    Also None for a person who is `working` if a text says that they continue to work.
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
    """Return the stages that are not an error by themselves."""
    return frozenset(stage.what for stage in stages() if stage.weak)


@cache
def _working_on() -> re.Pattern[str]:
    return re.compile("|".join(lexicon("life_stage", ENGLISH)["working_on"]))


def _denied(passage: str) -> bool:
    """Return whether a passage denies or postpones the retirement that it names: "not retired yet"."""
    before, retired, _ = passage.rpartition("retir")
    return bool(retired) and _denials().search(before) is not None


@cache
def _denials() -> re.Pattern[str]:
    return re.compile(lexicon("life_stage", ENGLISH)["denials"])


@cache
def _others() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(lexicon('life_stage', ENGLISH)['others'])})s?\b")
