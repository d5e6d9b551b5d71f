"""Articles: chooses 'a' or 'an' by the sound of the next word."""

from __future__ import annotations

import re
from functools import lru_cache

_OPEN = "(n) "
# Vowels that sound like consonants; consonants, numerals and initials whose reading starts with a vowel.
_CONSONANT_SOUND = re.compile(
    r"[Uu]ni(?!n|m)|[Uu]s[aeiu]|[Uu]ti|[Ee]u|[Oo]nce?\b|[Uu]r[ai]|[Uu]bi|U[A-Z]|[Oo]ne-"
)
_VOWEL_SOUND = re.compile(r"[aeiouAEIOU]|8|11\b|18\b|heir|hono|hour|honest|[FHLMNRSX](?:[A-Z]{1,4})?\b")


@lru_cache(maxsize=4096)
def article(word: str) -> str:
    """Return the indefinite article, 'a' or 'an', that goes before `word`."""
    if _CONSONANT_SOUND.match(word):
        return "a"
    return "an" if _VOWEL_SOUND.match(word) else "a"


def with_articles(text: str) -> str:
    """Return `text` with every "a(n)" resolved by the sound of the next word, unless that is a slot."""
    if _OPEN not in text:
        return text
    resolved, *rest = text.split(_OPEN)
    for part in rest:
        word = part.partition(" ")[0]
        resolved += f"{_OPEN if word.startswith('{') else article(word)[1:] + ' '}{part}"
    return resolved
