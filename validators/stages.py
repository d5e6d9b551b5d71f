"""Stages of life, as texts tell them: retired, grandchildren, student life. The words are in a lexicon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from persona_engine.validators.lexicon import lexicon

LEAD = 50  # letters before a stage in which another person, or a plan, may be named


class Stage(NamedTuple):
    """One stage: the words that must be there, the patterns, and the ages between which people are told so."""

    what: str
    words: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]
    low: int
    high: int

    def told(self, text: str) -> Iterator[str]:
        """The words of each passage of lower-case text that tells this stage of the person, not of others or plans."""
        if not any(word in text for word in self.words):
            return
        for pattern in self.patterns:
            for match in pattern.finditer(text):
                if not _others().search(text[max(0, match.start() - LEAD) : match.start()]):
                    yield match.group()


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
        for entry in lexicon("life_stage")["stages"]
    )


def tells(what: str, text: str) -> str | None:
    """The words with which a lower-case text tells one stage, or None."""
    stage = next(stage for stage in stages() if stage.what == what)
    return next(stage.told(text), None)


@cache
def _others() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(lexicon('life_stage')['others'])})\b")
