"""Earlier texts: those of people who came before, with which a later person may not share a sentence or a text."""

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
# Words of a sentence that two people do not share by chance; names do not count. Of 1,971 released rows 15 share a
# sentence of eight words with an earlier one, mostly a phrase ("is a first-generation Mexican American whose parents
# immigrated from Jalisco"); of twelve words, as many as `repetition` compares, six do.
SENTENCE = 12
RUN = 4  # words in a row that near-duplicates are compared by
NEAR = 0.6  # Jaccard similarity of runs from which two texts are near-duplicates
FEWEST = 12  # runs of a text that is compared
SAMPLED = 8  # one run in so many is looked up; the texts that have it are compared whole
KEPT = 8  # texts that are remembered by one run
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+")


class EarlierTexts:
    """Sentences and texts met so far, in the order in which people are added.

    Names, letter case, typography and punctuation make no difference. Of near-duplicates, which share most of their
    four-word runs, about one in a hundred is missed, always the same. A person takes some 15 kilobytes.
    """

    def __init__(self) -> None:
        """Nobody has been met."""
        self._sentences: dict[bytes, str] = {}
        self._texts: list[tuple[str, Integers]] = []
        self._having: dict[int, list[int]] = {}

    def compare(self, record: Mapping[str, Any]) -> tuple[Finding, ...]:
        """One error for each text that shares a sentence with an earlier person, or nearly all of itself."""
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
        """Remember a person's texts."""
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
        """The row of a text that shares most runs, or nothing."""
        if len(runs) < FEWEST:
            return ""
        likely = {text for run in runs[runs % SAMPLED == 0].tolist() for text in self._having.get(run, ())}
        for row, other in (self._texts[text] for text in sorted(likely)):
            common = len(np.intersect1d(runs, other, assume_unique=True))
            if common >= NEAR * (len(runs) + len(other) - common):
                return row
        return ""


def _texts(record: Mapping[str, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Field, plain text, and the words that name the person."""
    reading = RecordView.of(record)
    name = frozenset(words(reading.name.full)) if reading.name else frozenset()
    for field, text in reading.prose.items():
        yield field, text, name


def _sentences(text: str, name: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """The sentences of a text that are long enough, and a digest of each."""
    for sentence in _END.split(text):
        tokens = [word for word in words(sentence) if word not in name]
        if len(tokens) >= SENTENCE:
            yield sentence, blake2b(" ".join(tokens).encode(), digest_size=8).digest()


def _runs(text: str, name: frozenset[str]) -> Integers:
    """Checksums of the different four-word runs of a text, in ascending order."""
    tokens = [word for word in words(text) if word not in name]
    runs = {crc32(" ".join(tokens[at : at + RUN]).encode()) for at in range(len(tokens) - RUN + 1)}
    return np.array(sorted(runs), dtype=np.int64)
