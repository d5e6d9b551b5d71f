"""Derivation: one person's texts being written from a grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from persona_engine.generator.llm.offline.article import with_articles

if TYPE_CHECKING:
    from persona_engine.generator.llm.offline.draws import Draw
    from persona_engine.generator.llm.offline.grammar import Grammar
    from persona_engine.generator.llm.offline.symbol import Alternative, Symbol

_TRIES = 24


class Derivation:
    """Fills slots: with the person's words, else with symbols expanded.

    An alternative is not taken twice while there is another, and none that names a place in `avoid` (the
    person's own home, which is no travel destination).
    """

    __slots__ = ("_avoid", "_draw", "_grammar", "_pieces", "_ranks", "_tags", "_used", "_words")

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
        self._ranks: Mapping[str, Symbol] = {}
        self._used = set(used)
        self._pieces: list[str] = []

    def write(self, symbol: str, ranks: Mapping[str, Symbol] | None = None) -> str:
        """Return one finished text; `ranks` say which symbols stand for `lead_adj` and the like in it."""
        self._ranks = ranks or {}
        return self.fill(self.draw(self._grammar.symbol(symbol).pool(self._tags)))

    def fill(self, alternative: Alternative) -> str:
        """Return an alternative with its slots filled."""
        if alternative.plain:
            return alternative.text
        self._pieces = []
        self._tell(alternative)
        return with_articles("".join(self._pieces))

    def draw(self, pool: Sequence[Alternative]) -> Alternative:
        """Return an alternative that this derivation has not used yet, while there is one to be found."""
        found = pool[self._draw() * len(pool) >> 16]
        if found in self._used or (found.away and self._is_home(found.text)):
            found = self._another(pool)
        self._used.add(found)
        return found

    def _another(self, pool: Sequence[Alternative]) -> Alternative:
        size, used, draw = len(pool), self._used, self._draw
        for _ in range(_TRIES):
            found = pool[draw() * size >> 16]
            if found not in used and not (found.away and self._is_home(found.text)):
                break
        return found

    def _tell(self, alternative: Alternative) -> None:
        # The innermost loop: what `draw` and `fill` do stands here once more, to save two calls a slot.
        tell, tags, words = self._pieces.append, self._tags, self._words
        used, draw = self._used, self._draw
        for before, symbol, capital, slot in alternative.steps:
            tell(before)
            target = symbol
            if target is None:
                word = words.get(slot.word)
                if word is not None:
                    tell(word[0].upper() + word[1:] if capital else word)
                    continue
                target = self._ranks[slot.word] if slot.ranked else self._grammar.symbol(slot.symbol)
            pool = target.always or target.pools.get(target.mask & tags) or target.pool(tags)
            found = pool[draw() * len(pool) >> 16]
            if found in used or (found.away and self._is_home(found.text)):
                found = self._another(pool)
            used.add(found)
            if capital:
                self._tell_capitalized(found)
            elif found.plain:
                tell(found.text)
            else:
                self._tell(found)
        tell(alternative.tail)

    def _tell_capitalized(self, alternative: Alternative) -> None:
        pieces, start = self._pieces, len(self._pieces)
        self._tell(alternative)
        told = "".join(pieces[start:])
        pieces[start:] = [told[0].upper() + told[1:]]

    def _is_home(self, text: str) -> bool:
        return any(place in text for place in self._avoid)
