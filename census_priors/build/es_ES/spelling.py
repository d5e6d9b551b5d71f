"""Spelling: names as people write them, from sources in capitals without accents.

Words are written with one capital; the particles of surnames (de, del, la, …) in small letters. Accents come from:

- `accents.csv`, which lists given names and surnames whose spelling is beyond doubt, and Catalan compounds;
- the rule of Spanish orthography for surnames in -ez: they end in z and are stressed on the last syllable but one, so
  that syllable has the accent (Gómez, Domínguez, Peláez). Exceptions are in `accents.csv` (Álvarez, Jerez).

The rule is applied to the commonest surnames only (`COMMON`), alone or within a compound, since rarer ones are often of
another language.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Container
from functools import cache
from importlib.resources import files

PARTICLES = frozenset("DE DEL LA LAS LOS EL DA DO DOS DI E I Y VAN VON EL AL".split()) - {"AL"}
COMMON = 3_000
"""The rule for -ez holds for so many of the commonest surnames."""
_EZ = re.compile(r"(?P<start>.*?)(?P<vowel>[AEIOU])(?P<consonants>[^AEIOU]*(?:(?<=[GQ])U)?)EZ")
_ACCENTED = dict(zip("AEIOU", "ÁÉÍÓÚ", strict=True))


@cache
def _written(kind: str) -> dict[str, str]:
    text = files(__package__).joinpath("accents.csv").read_text(encoding="utf-8")
    return {row["plain"]: row["written"] for row in csv.DictReader(text.splitlines()) if row["kind"] == kind}


def given_name(plain: str) -> str:
    """Spell a given name, whole compounds first: MARIA JOSE -> María José, JOSEP MARIA -> Josep Maria."""
    known = _written("given")
    if plain in known:
        return known[plain]
    return " ".join(known.get(word, word.capitalize()) for word in plain.split())


def surname(plain: str, common: Container[str] = ()) -> str:
    """Spell a surname: GARCIA -> García, DE LA FUENTE -> de la Fuente.

    Args:
        plain: in capitals.
        common: the commonest surnames, to which the rule for -ez is applied.
    """
    known = _written("given") | _written("family")
    words = plain.split()
    spelt = []
    for word in words:
        if word in PARTICLES and len(words) > 1:
            spelt.append(word.lower())
        elif word in known:
            spelt.append(known[word])
        elif word in common and (found := _EZ.fullmatch(word)):
            spelt.append(f"{found['start']}{_ACCENTED[found['vowel']]}{found['consonants']}EZ".capitalize())
        else:
            spelt.append(word.capitalize())
    return " ".join(spelt)
