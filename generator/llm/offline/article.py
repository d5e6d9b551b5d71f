"""Articles: 'a' or 'an', by the sound of the word that follows."""

from __future__ import annotations

import re

_ARTICLE = re.compile(r"\b([Aa])\(n\) (?=([\w-]+))")
# Vowel letters with a consonant sound; consonants, numerals and initials that are read with a vowel first.
_CONSONANT_SOUND = re.compile(
    r"[Uu]ni(?!n|m)|[Uu]s[aeiu]|[Uu]ti|[Ee]u|[Oo]nce?\b|[Uu]r[ai]|[Uu]bi|U[A-Z]|[Oo]ne-"
)
_VOWEL_SOUND = re.compile(r"[aeiouAEIOU]|8|11\b|18\b|heir|hono|hour|honest|[FHLMNRSX](?:[A-Z]{1,4})?\b")


def article(word: str) -> str:
    """Return the indefinite article, 'a' or 'an', that goes before `word`."""
    if _CONSONANT_SOUND.match(word):
        return "a"
    return "an" if _VOWEL_SOUND.match(word) else "a"


def with_articles(text: str) -> str:
    """Return `text` with every "a(n)" resolved by the sound of the word after it."""
    if "(n)" not in text:
        return text
    return _ARTICLE.sub(lambda found: _cased(article(found[2]), found[1]) + " ", text)


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like == "A" else word
