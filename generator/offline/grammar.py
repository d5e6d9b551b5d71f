"""Grammar: symbols that expand to sentences, selected by the tags of a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from census_personas.generator.offline.grammar_files import GrammarError, digest, folder_of, read_symbols
from census_personas.generator.offline.symbol import AWAY, OWN, Alternative, Bits, Group, Pool, Symbol

__all__ = ["Grammar", "GrammarError", "digest"]
_LEANING = "leaning_"
KINDS = ("adj", "clause", "foible")
"""Ways to express a marked trait: adjective, clause, foible; each has a symbol for every level."""
_WEIGHT = re.compile(r"(.*?)(?: \*([1-9]\d*))?")


class Grammar:
    """Symbols and their groups of alternatives, compiled once.

    A symbol maps conditions to alternatives. A condition is `any`, or tags joined by `+` (all of them),
    `|` (either side) and `!` (not); a suffix ` *3` triples the weight of its alternatives. An alternative
    is text with `{slots}`: other symbols (`{dish}`, and `{dish_2}` for another one), or words of the person.
    """

    def __init__(
        self,
        symbols: Mapping[str, Mapping[str, Iterable[str]]],
        *,
        place: str = "grammar",
        spoken: Mapping[str, str] | None = None,
        plain: Mapping[tuple[str, bool], Alternative] | None = None,
    ) -> None:
        """Compile the symbols. Errors name `place`; `spoken` words, such as pronouns, are filled in now.

        `plain` are texts without slots that another grammar has read, so that each is in memory once.

        Raises:
            GrammarError: a group without texts, a blank text, or braces that do not match.
        """
        self.place = place
        self._source = symbols
        self.symbols: Mapping[str, Symbol] = {name: Symbol(name, place) for name in symbols}
        self.bits = Bits()
        self._ranks: dict[tuple[str, str], Mapping[str, Symbol]] = {}
        read = _Reader(self.symbols, self.bits, spoken or {}, dict(plain or {}))
        for name, groups in symbols.items():
            where = f"{place}: {name}"
            self.symbols[name].expand_to(
                tuple(
                    read.group(condition, texts, where, away=name.startswith(AWAY))
                    for condition, texts in groups.items()
                ),
                self.bits,
            )
        self._plain = read.plain

    @classmethod
    def load(cls, locale_or_folder: str | Path) -> Grammar:
        """Read every `*.yaml` of a folder, or of `prompts/<locale>/offline`, as one grammar.

        Raises:
            GrammarError: no such grammar, or one of its files cannot be read.
        """
        folder = folder_of(locale_or_folder)
        return cls(read_symbols(folder), place=str(folder))

    def spoken(self, words: Mapping[str, str]) -> Grammar:
        """Return the grammar with these words of a person filled in, so that fewer slots are left."""
        return Grammar(self._source, place=self.place, spoken=words, plain=self._plain)

    def starting(self, prefix: str) -> tuple[str, ...]:
        """Return the symbols with this prefix, in the order of their files."""
        return tuple(name for name in self.symbols if name.startswith(prefix))

    @cached_property
    def leanings(self) -> tuple[Symbol, ...]:
        """Symbols that assign tags to a person."""
        return tuple(self.symbols[name] for name in self.starting(_LEANING))

    @cached_property
    def owned(self) -> tuple[Symbol, ...]:
        """Symbols that are drawn once for a person."""
        return tuple(self.symbols[name] for name in self.starting(OWN))

    def alternatives(self, symbol: str) -> Iterable[Alternative]:
        """Return every alternative of a symbol, for any person."""
        return (text for group in self.symbols[symbol].groups for text in group.alternatives)

    def tags_of(self, symbol: str, text: str) -> frozenset[str]:
        """Return the tags under which `symbol` lists `text`, such as those of a state in `region`."""
        return self._listed.get((symbol, text), frozenset())

    def bits_of(self, symbol: str, text: str) -> int:
        """Return the tags under which `symbol` lists `text`, as bits."""
        return self._listed_bits.get((symbol, text), 0)

    @cached_property
    def _listed_bits(self) -> dict[tuple[str, str], int]:
        return {key: self.bits.of(tags) for key, tags in self._listed.items()}

    @cached_property
    def _listed(self) -> dict[tuple[str, str], frozenset[str]]:
        listed: dict[tuple[str, str], frozenset[str]] = {}
        for name, symbol in self.symbols.items():
            for group in symbol.groups:
                tags = frozenset(tag for needed, _ in group.conditions for tag in needed)
                for alternative in group.alternatives if tags else ():
                    key = (name, alternative.text)
                    listed[key] = listed.get(key, frozenset()) | tags
        return listed

    def pool(self, symbol: str, tags: frozenset[str]) -> Pool:
        """Return the alternatives of `symbol` for a person with these tags.

        Raises:
            GrammarError: there is no such symbol, or no alternative matches this person.
        """
        return self.symbol(symbol).pool(self.bits.of(tags))

    def symbol(self, symbol: str) -> Symbol:
        """Return the symbol with this name.

        Raises:
            GrammarError: there is none.
        """
        found = self.symbols.get(symbol)
        if found is None:
            raise GrammarError(
                f"{self.place}: {symbol!r} is neither a symbol nor a word of a person; define it or correct the slot."
            )
        return found

    def ranks(self, lead: str, second: str) -> Mapping[str, Symbol]:
        """Map `lead_...` and `second_...` to symbols, given the two leading trait levels."""
        found = self._ranks.get((lead, second))
        if found is None:
            found = self._ranks[lead, second] = {
                f"{rank}_{kind}": self.symbol(f"{kind}_{level}")
                for rank, level in (("lead", lead), ("second", second))
                for kind in KINDS
                if f"{kind}_{level}" in self.symbols
            }
        return found


class _Reader:
    """Reads groups; equal texts share one `Alternative`."""

    def __init__(
        self,
        symbols: Mapping[str, Symbol],
        bits: Bits,
        spoken: Mapping[str, str],
        read: dict[tuple[str, bool], Alternative],
    ) -> None:
        self._symbols, self._bits, self._read, self._words = symbols, bits, read, Bits()
        self._spoken = {
            f"{{{name[0].upper() + name[1:] if capital else name}}}": word[:1].upper() + word[1:]
            if capital
            else word
            for name, word in spoken.items()
            for capital in (False, True)
        }

    @property
    def plain(self) -> Mapping[tuple[str, bool], Alternative]:
        return {key: found for key, found in self._read.items() if not found.slots}

    def group(self, condition: str, texts: Iterable[str], place: str, *, away: bool) -> Group:
        if isinstance(texts, str) or not isinstance(texts, Iterable):
            raise GrammarError(f"{place}: {condition!r} must hold a list of texts, not {texts!r}.")
        alternatives = tuple(self._alternative(text, f"{place}: {condition!r}", away=away) for text in texts)
        if not alternatives:
            raise GrammarError(f"{place}: {condition!r} has no texts; add some, or remove it.")
        found = _WEIGHT.fullmatch(str(condition))
        name, weight = (found[1], int(found[2] or 1)) if found else (str(condition), 1)
        conditions = []
        for option in name.split("|"):
            tags = [] if option == "any" else [tag.strip() for tag in option.split("+")]
            if not all(tag.removeprefix("!") for tag in tags):
                raise GrammarError(f"{place}: the condition {condition!r} lacks a tag; write `any` for none.")
            needed = frozenset(tag for tag in tags if not tag.startswith("!"))
            conditions.append((needed, frozenset(tag[1:] for tag in tags if tag.startswith("!"))))
        masks = tuple((self._bits.of(needed), self._bits.of(barred)) for needed, barred in conditions)
        return Group(tuple(conditions), masks, alternatives, weight)

    def _alternative(self, text: object, place: str, *, away: bool) -> Alternative:
        if not isinstance(text, str):
            raise GrammarError(
                f"{place} holds {text!r} in its list of texts; quote it, so that YAML reads a string."
            )
        if not text.strip():
            raise GrammarError(f"{place} holds a blank text; write one, or remove it.")
        found = self._read.get((text, away))
        if found is None:
            try:
                found = Alternative.of(self._fill_spoken(text), self._symbols, self._words, away=away)
            except ValueError as error:
                raise GrammarError(f"{place} holds {text[:60]!r}: {error}; write {{name}}.") from error
            self._read[text, away] = found
        return found

    def _fill_spoken(self, text: str) -> str:
        for slot, word in self._spoken.items():
            if slot in text:
                text = text.replace(slot, word)
        return text
