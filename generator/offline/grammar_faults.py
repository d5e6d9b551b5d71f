"""Grammar faults: finds errors that would otherwise appear only when a text is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from census_personas.foundation.traits import TRAITS
from census_personas.generator.offline.grammar import Grammar, GrammarError


def refuse_faults(
    grammar: Grammar, *, words: AbstractSet[str], tags: AbstractSet[str], asked: Iterable[str]
) -> None:
    """Check that every slot can be filled, every condition can be met and every expansion ends.

    Args:
        grammar: the grammar.
        words: words of a person that a slot may name, besides symbols.
        tags: tags that a person may have.
        asked: symbols that must exist.

    Raises:
        GrammarError: the first fault, with the symbol and the remedy.
    """
    for symbol in asked:
        if symbol not in grammar.symbols:
            raise GrammarError(f"{grammar.place}: no symbol {symbol!r}, which every person needs; define it.")
    for symbol in grammar.symbols:
        _refuse_unknown_slots(grammar, symbol, words)
        unknown = sorted(grammar.symbols[symbol].conditions - tags)
        if unknown:
            raise GrammarError(
                f"{grammar.place}: {symbol}: nobody has the tag {unknown[0]!r}; correct it, or remove its texts."
            )
    _refuse_cycles(grammar)
    for symbol in grammar.symbols:
        _refuse_missing_levels(grammar, symbol)


def _refuse_unknown_slots(grammar: Grammar, symbol: str, words: AbstractSet[str]) -> None:
    for alternative in grammar.alternatives(symbol):
        for slot in alternative.slots:
            if not (slot.ranked or slot.word in words or slot.symbol in grammar.symbols):
                raise GrammarError(
                    f"{grammar.place}: {symbol}: {{{slot.name}}} in {alternative.text[:60]!r} is neither a symbol nor "
                    "a word of a person; define it or correct the slot."
                )


def _refuse_missing_levels(grammar: Grammar, symbol: str) -> None:
    slots = (slot for text in grammar.alternatives(symbol) for slot in text.slots if slot.ranked)
    kinds = dict.fromkeys(slot.word.partition("_")[2] for slot in slots)
    levels = ((kind, f"{kind}_{trait[0]}{n}") for kind in kinds for trait in TRAITS for n in range(1, 6))
    for kind, level in levels:
        if level not in grammar.symbols:
            raise GrammarError(
                f"{grammar.place}: {symbol}: a slot needs {kind!r} of a marked trait, but there is no symbol "
                f"{level!r}; define it."
            )


def _refuse_cycles(grammar: Grammar) -> None:
    leads = {symbol: _leads_to(grammar, symbol) for symbol in grammar.symbols}
    done: set[str] = set()
    for start in leads:
        _walk(start, leads, done, (), grammar.place)


def _leads_to(grammar: Grammar, symbol: str) -> list[str]:
    symbols: dict[str, None] = {}
    for alternative in grammar.alternatives(symbol):
        for slot in alternative.slots:
            if slot.ranked:
                kind = slot.word.partition("_")[2]
                symbols |= dict.fromkeys(name for name in grammar.symbols if name.startswith(f"{kind}_"))
            elif slot.symbol in grammar.symbols:
                symbols[slot.symbol] = None
    return list(symbols)


def _walk(
    symbol: str, leads: Mapping[str, list[str]], done: set[str], way: tuple[str, ...], place: str
) -> None:
    if symbol in way:
        cycle = " -> ".join((*way[way.index(symbol) :], symbol))
        raise GrammarError(f"{place}: {cycle}: a symbol that contains itself never ends; break the cycle.")
    if symbol in done:
        return
    for following in leads[symbol]:
        _walk(following, leads, done, (*way, symbol), place)
    done.add(symbol)
