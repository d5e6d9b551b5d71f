"""Derivation: one person's texts being written from a grammar."""

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
    """Fills slots: with the person's words, else with symbols expanded.

    While there is another, no alternative is taken twice, none tells a word of the person (a dish, a friend) that the
    text has told already, and none names a place in `avoid` (the person's own home, which is no travel destination).
    """

    __slots__ = (
        "_avoid",
        "_draw",
        "_grammar",
        "_pieces",
        "_ranks",
        "_tags",
        "_told",
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
        """Take a person's words and tags (as `Grammar.bits`); all that is drawn comes from `draw`, nothing `used`."""
        self._grammar, self._draw, self._words = grammar, draw, words
        self._tags, self._avoid = tags, avoid
        self._ranks = _NO_RANKS
        # In which text, by its number, an alternative was used last.
        self._used = dict.fromkeys(used, 0)
        self._turn = 0
        self._told = ELSEWHERE
        self._pieces: list[str] = []

    def write(self, symbol: str, ranks: Mapping[str, Symbol] = _NO_RANKS) -> str:
        """Return one finished text; `ranks` say which symbols stand for `lead_adj` and the like in it."""
        self._ranks = ranks
        self._turn += 1
        self._told = ELSEWHERE
        return self.fill(self.draw(self._grammar.symbol(symbol)))

    def draw(self, symbol: Symbol) -> Alternative:
        """Return an alternative of a symbol, a new one while there is one."""
        tags = self._tags
        pool = symbol.always or symbol.pools.get(symbol.mask & tags) or symbol.pool(tags)
        found = pool[self._draw() * len(pool) >> 16]
        if found in self._used or found.tells & self._told:
            found = self._another(found, pool)
        self._used[found] = self._turn
        return found

    def fill(self, alternative: Alternative) -> str:
        """Return an alternative with its slots filled."""
        if not alternative.steps:
            return alternative.text
        self._pieces = []
        self._told = ELSEWHERE
        self._tell(alternative)
        return with_articles("".join(self._pieces))

    def _tell(self, alternative: Alternative) -> None:
        # The innermost loop: what `draw` and `fill` do stands here once more, to save two calls a slot.
        tell, words, tags = self._pieces.append, self._words, self._tags
        used, draw = self._used, self._draw
        self._told |= alternative.tells
        for before, target, capital, name in alternative.steps:
            tell(before)
            symbol = target
            if symbol is None:
                word = words.get(name)
                if word is not None:
                    tell(word[0].upper() + word[1:] if capital else word)
                    continue
                symbol = self._ranks.get(name) or self._grammar.symbol(name)
            pool = symbol.always or symbol.pools.get(symbol.mask & tags) or symbol.pool(tags)
            found = pool[draw() * len(pool) >> 16]
            if found in used or found.tells & self._told:
                found = self._another(found, pool)
            used[found] = self._turn
            if capital:
                self._tell_capitalized(found)
            elif found.steps:
                self._tell(found)
            else:
                tell(found.text)
        tell(alternative.tail)

    def _tell_capitalized(self, alternative: Alternative) -> None:
        pieces, start = self._pieces, len(self._pieces)
        self._tell(alternative)
        told = "".join(pieces[start:])
        pieces[start:] = [told[0].upper() + told[1:]]

    def _another(self, found: Alternative, pool: Pool) -> Alternative:
        """Return what fits better than `found`, which has been used, tells what is told or may lie at home."""
        if len(pool) == 1:
            return found
        used, told, turn = self._used, self._told, self._turn
        for _ in range(_TRIES):
            if (found.bare or found not in used) and not (found.tells & told and self._is_told(found)):
                return found
            found = pool[self._draw() * len(pool) >> 16]
        fitting = [other for other in pool if not (other.tells & told and self._is_told(other))]
        for wanted in (
            [other for other in fitting if other.bare or other not in used],
            [other for other in fitting if used.get(other) != turn],
            [other for other in pool if used.get(other) != turn],
        ):
            if wanted:
                return wanted[self._draw() * len(wanted) >> 16]
        return found

    def _is_told(self, alternative: Alternative) -> bool:
        if alternative.tells & self._told != ELSEWHERE:
            return True
        for place in self._avoid:  # noqa: SIM110 - `any` costs three times as much, and this is asked twice a person
            if place in alternative.text:
                return True
        return False
