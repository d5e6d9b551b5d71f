"""Number words: the English names of small numbers, as texts state ages and spans of years."""

from __future__ import annotations

from census_personas.validators.text.lexicon import ENGLISH, lexicon

_NUMBERS = lexicon("numbers", ENGLISH)
ONE_TO_TEN: dict[str, int] = {name: n for n, name in enumerate(_NUMBERS["one_to_ten"].split(), start=1)}
TENS: dict[str, int] = {name: 10 * n for n, name in enumerate(_NUMBERS["tens"].split(), start=2)}
