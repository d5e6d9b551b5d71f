"""Lexicon: words and phrases that rules search for, stored as data files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from census_personas.foundation.schema import PROSE
from census_personas.foundation.yaml_file import parse_yaml
from census_personas.validators.text.prose import words
from census_personas.validators.text.record_view import RecordView

ENGLISH = "en"
_LEXICONS = resources.files("census_personas.validators").joinpath("lexicons")


@cache
def lexicon(name: str, language: str) -> Any:
    """Return the content of `validators/lexicons/<language>/<name>.yaml`."""
    file = _LEXICONS.joinpath(language, f"{name}.yaml")
    return parse_yaml(file.read_text(encoding="utf-8"))


@cache
def languages_with(name: str) -> tuple[str, ...]:
    """Return the codes of the languages that have a lexicon of this name, in alphabetical order."""
    folders = (folder for folder in _LEXICONS.iterdir() if folder.joinpath(f"{name}.yaml").is_file())
    return tuple(sorted(folder.name for folder in folders))


def lexicon_if_any(name: str, language: str) -> Mapping[str, Any]:
    """Return the lexicon; empty if the language has none, for rules that can run without it."""
    content: Mapping[str, Any] = lexicon(name, language) if language in languages_with(name) else {}
    return content


class Phrases:
    """Lower-case phrases indexed by their longest word, so that a text is searched only for likely phrases."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """Take plain lower-case phrases with at least one letter each."""
        self._by_anchor: dict[str, list[tuple[frozenset[str], str]]] = {}
        for phrase in phrases:
            tokens = words(phrase)
            self._by_anchor.setdefault(max(tokens, key=len), []).append((frozenset(tokens), phrase))
        self._anchors = frozenset(self._by_anchor)

    def candidates(self, reading: RecordView) -> list[str]:
        """Return the phrases that occur in the record's prose, also within words."""
        anchors = self._anchors & reading.words
        if not anchors:
            return []
        return [
            phrase
            for anchor in sorted(anchors)
            for tokens, phrase in self._by_anchor[anchor]
            if tokens <= reading.words and phrase in reading.lower
        ]

    def found(self, reading: RecordView, fields: Iterable[str] = PROSE) -> Iterator[tuple[str, str]]:
        """Yield field and phrase for each phrase that occurs in a field as whole words."""
        for phrase in self.candidates(reading):
            for field in fields:
                if stands(phrase, reading.lowered.get(field, "")):
                    yield field, phrase


def stands(phrase: str, text: str) -> bool:
    """Return whether a phrase occurs in a text as whole words: no letter or digit right before or after it."""
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if not (at and text[at - 1].isalnum()) and not (end < len(text) and text[end].isalnum()):
            return True
        at = text.find(phrase, at + 1)
    return False


@cache
def phrases(name: str, section: str, language: str) -> Phrases:
    """Return one section of a lexicon as searchable phrases."""
    content: Mapping[str, list[str]] = lexicon(name, language)
    return Phrases(content[section])
