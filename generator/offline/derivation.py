"""Derivation: writes one person's texts from a grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from census_personas.generator.offline.article import with_articles
from census_personas.generator.offline.symbol import ELSEWHERE

if TYPE_CHECKING:
    from census_personas.foundation.randomness import Draw
    from census_personas.generator.offline.grammar import Grammar
    from census_personas.generator.offline.symbol import Alternative, Pool, Symbol

_TRIES = 3
_NO_RANKS: Mapping[str, Symbol] = {}


class Derivation:
    """Fills slots with the person's words, else with expanded symbols.

    As long as there are others, it takes no alternative twice, none with a word of the person (a dish, a friend) that
    the text already mentions, and none that names a place in `avoid` (the person's home is not a travel destination).
    """

    __slots__ = (
        "_avoid",
        "_draw",
        "_grammar",
        "_mentioned",
        "_pieces",
        "_ranks",
        "_tags",
        "_turn",
        "_used",
        "_words",
    )

    def __init__(
        self,
        grammar: Grammar,
        draw: Draw,
        *,
        words: Mapping[str, str],
        tags: int,
        avoid: tuple[str, ...] = (),
        used: Iterable[Alternative] = (),
    ) -> None:
        """Take a person's words and tags (as `Grammar.bits`), the source of draws, and alternatives not to repeat."""
        self._grammar, self._draw, self._words = grammar, draw, words
        self._tags, self._avoid = tags, avoid
        self._ranks = _NO_RANKS
        # The number of the text in which an alternative was used last.
        self._used = dict.fromkeys(used, 0)
        self._turn = 0
        self._mentioned = ELSEWHERE
        self._pieces: list[str] = []

    def write(self, symbol: str, ranks: Mapping[str, Symbol] = _NO_RANKS) -> str:
        """Return one finished text; `ranks` maps `lead_adj` and the like to symbols."""
        self._ranks = ranks
        self._turn += 1
        self._mentioned = ELSEWHERE
        return self.fill(self.draw(self._grammar.symbol(symbol)))

    def draw(self, symbol: Symbol) -> Alternative:
        """Draw an alternative of a symbol, an unused one if possible."""
        tags = self._tags
        pool = symbol.always or symbol.pools.get(symbol.mask & tags) or symbol.pool(tags)
        found = pool[self._draw() * len(pool) >> 16]
        if found in self._used or found.mentions & self._mentioned:
            found = self._another(found, pool)
        self._used[found] = self._turn
        return found

    def fill(self, alternative: Alternative) -> str:
        """Return an alternative with its slots filled."""
        if not alternative.steps:
            return alternative.text
        self._pieces = []
        self._mentioned = ELSEWHERE
        self._append(alternative)
        return with_articles("".join(self._pieces))

    def _append(self, alternative: Alternative) -> None:
        # The innermost loop: `draw` and `fill` are inlined here, which saves two calls per slot.
        append, words, tags = self._pieces.append, self._words, self._tags
        used, draw = self._used, self._draw
        self._mentioned |= alternative.mentions
        for before, target, capital, name in alternative.steps:
            append(before)
            symbol = target
            if symbol is None:
                word = words.get(name)
                if word is not None:
                    append(word[0].upper() + word[1:] if capital else word)
                    continue
                symbol = self._ranks.get(name) or self._grammar.symbol(name)
            pool = symbol.always or symbol.pools.get(symbol.mask & tags) or symbol.pool(tags)
            found = pool[draw() * len(pool) >> 16]
            if found in used or found.mentions & self._mentioned:
                found = self._another(found, pool)
            used[found] = self._turn
            if capital:
                self._append_capitalized(found)
            elif found.steps:
                self._append(found)
            else:
                append(found.text)
        append(alternative.tail)

    def _append_capitalized(self, alternative: Alternative) -> None:
        pieces, start = self._pieces, len(self._pieces)
        self._append(alternative)
        text = "".join(pieces[start:])
        pieces[start:] = [text[0].upper() + text[1:]]

    def _another(self, found: Alternative, pool: Pool) -> Alternative:
        """Return a better alternative than `found`, which is used, repeats a word or may name the home."""
        if len(pool) == 1:
            return found
        used, mentioned, turn = self._used, self._mentioned, self._turn
        for _ in range(_TRIES):
            if (found.bare or found not in used) and not (
                found.mentions & mentioned and self._is_repeated(found)
            ):
                return found
            found = pool[self._draw() * len(pool) >> 16]
        fitting = [other for other in pool if not (other.mentions & mentioned and self._is_repeated(other))]
        for wanted in (
            [other for other in fitting if other.bare or other not in used],
            [other for other in fitting if used.get(other) != turn],
            [other for other in pool if used.get(other) != turn],
        ):
            if wanted:
                return wanted[self._draw() * len(wanted) >> 16]
        return found

    def _is_repeated(self, alternative: Alternative) -> bool:
        if alternative.mentions & self._mentioned != ELSEWHERE:
            return True
        for place in self._avoid:  # noqa: SIM110 - `any` takes three times as long
            if place in alternative.text:
                return True
        return False
