"""Earlier texts: finds texts that repeat a sentence, or nearly the whole text, of an earlier record of the run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any
from zlib import crc32

import numpy as np

from census_personas.foundation.arrays import Integers
from census_personas.validators.finding import Finding, Rule
from census_personas.validators.text.prose import words
from census_personas.validators.text.record_view import RecordView

RULE = Rule("shared_text")
# Shortest sentence, in words without names, that two records do not share by chance. Of 1,971 released rows, 15 share a
# sentence of at least eight words with an earlier one, mostly a phrase ("is a first-generation Mexican American whose
# parents immigrated from Jalisco"); six share one of at least twelve words, the length that `repetition` uses too.
SENTENCE = 12
RUN = 4  # consecutive words (a run); near-duplicates are texts that share most of their runs
NEAR = 0.6  # Jaccard similarity of runs from which two texts are near-duplicates
FEWEST = 12  # fewest runs of a text that is compared
SAMPLED = 8  # one run in so many is indexed; texts that share an indexed run are compared by all their runs
KEPT = 8  # most texts that the index keeps for one run
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+")


class EarlierTexts:
    """The sentences and texts of the records added so far.

    Names, letter case, typography and punctuation are ignored. About one near-duplicate in a hundred is missed; which
    ones depends on the texts alone. A record takes about 15 KB.
    """

    def __init__(self) -> None:
        """Start without records."""
        self._sentences: dict[bytes, str] = {}
        self._texts: list[tuple[str, Integers]] = []
        self._having: dict[int, list[int]] = {}

    def compare(self, record: Mapping[str, Any]) -> tuple[Finding, ...]:
        """Return an error for each text that shares a sentence, or most of its runs, with an earlier record."""
        found = []
        for field, text, tokens in _texts(record):
            for sentence, key in _sentences(text, tokens):
                if (first := self._sentences.get(key)) is not None:
                    message = "a sentence is word for word another person's; say it of this person alone"
                    found.append(RULE.error(field, message, f"row {first}: {sentence[:120]}"))
                    break
            else:
                if first := self._like(_runs(text, tokens)):
                    message = "the text is nearly another person's; write of this person alone"
                    found.append(RULE.error(field, message, f"row {first}"))
        return tuple(found)

    def add(self, record: Mapping[str, Any]) -> None:
        """Remember the texts of a record."""
        row = str(record.get("row", ""))
        for _, text, tokens in _texts(record):
            for _, key in _sentences(text, tokens):
                self._sentences.setdefault(key, row)
            runs = _runs(text, tokens)
            if len(runs) >= FEWEST:
                self._texts.append((row, runs))
                for run in runs[runs % SAMPLED == 0].tolist():
                    having = self._having.setdefault(run, [])
                    if len(having) < KEPT:
                        having.append(len(self._texts) - 1)

    def _like(self, runs: Integers) -> str:
        """Return the row of the first earlier text that is a near-duplicate; empty if there is none."""
        if len(runs) < FEWEST:
            return ""
        likely = {text for run in runs[runs % SAMPLED == 0].tolist() for text in self._having.get(run, ())}
        for row, other in (self._texts[text] for text in sorted(likely)):
            common = len(np.intersect1d(runs, other, assume_unique=True))
            if common >= NEAR * (len(runs) + len(other) - common):
                return row
        return ""


def _texts(record: Mapping[str, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield field, plain text and the words of the person's name, for each text."""
    reading = RecordView.of(record)
    name = frozenset(words(reading.name.full)) if reading.name else frozenset()
    for field, text in reading.prose.items():
        yield field, text, name


def _sentences(text: str, name: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """Yield each sentence that is long enough, with its digest."""
    for sentence in _END.split(text):
        tokens = [word for word in words(sentence) if word not in name]
        if len(tokens) >= SENTENCE:
            yield sentence, blake2b(" ".join(tokens).encode(), digest_size=8).digest()


def _runs(text: str, name: frozenset[str]) -> Integers:
    """Return the checksums of the distinct four-word runs of a text, in ascending order."""
    tokens = [word for word in words(text) if word not in name]
    runs = {crc32(" ".join(tokens[at : at + RUN]).encode()) for at in range(len(tokens) - RUN + 1)}
    return np.array(sorted(runs), dtype=np.int64)
