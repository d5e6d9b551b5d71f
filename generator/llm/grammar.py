"""Grammar: symbols that expand to sentences, chosen by the tags of a person and a stream of randomness."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

import yaml

from persona_engine.generator.llm.article import with_articles

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from random import Random

_WEIGHT = re.compile(r"^(.*?)(?: \*(\d+))?$")
_TRIES = 24


class GrammarError(ValueError):
    """A grammar that cannot be used; the message names the file, the symbol and the remedy."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Alternatives that are open to people who satisfy any of the conditions (all tags of it)."""

    conditions: tuple[tuple[frozenset[str], frozenset[str]], ...]
    alternatives: tuple[str, ...]

    def admits(self, tags: frozenset[str]) -> bool:
        return any(needed <= tags and not (barred & tags) for needed, barred in self.conditions)


class Grammar:
    """Symbols and the groups of alternatives that each expands to.

    A symbol maps conditions to alternatives. A condition is `any`, or tags joined by `+` (all of them),
    `|` (either side) and `!` (not); ` *3` behind it triples the weight of its alternatives. An alternative
    is text with `{slots}`: other symbols (`{dish}`, and `{dish_2}` for another one), or words of the person.
    """

    def __init__(self, symbols: Mapping[str, Mapping[str, Iterable[str]]], *, place: str = "grammar") -> None:
        """`place` is named in errors: the folder that the symbols were read from."""
        self._groups = {
            symbol: tuple(
                _group(condition, texts, f"{place}: {symbol}") for condition, texts in groups.items()
            )
            for symbol, groups in symbols.items()
        }
        self._tags = {
            symbol: frozenset(
                tag for group in groups for pair in group.conditions for side in pair for tag in side
            )
            for symbol, groups in self._groups.items()
        }
        # Parsed once: an alternative is filled many thousand times.
        self._parts = {
            text: _parts(text)
            for groups in self._groups.values()
            for group in groups
            for text in group.alternatives
        }
        self._untagged = {
            symbol: tuple(text for group in groups for text in group.alternatives)
            for symbol, groups in self._groups.items()
            if groups and not self._tags[symbol]
        }
        self._pools: dict[tuple[str, frozenset[str]], tuple[str, ...]] = {}
        self.place = place

    @classmethod
    def load(cls, locale_or_folder: str | Path) -> Grammar:
        """Read every `*.yaml` of a folder, or of `prompts/<locale>/offline`, as one grammar."""
        folder = _folder(locale_or_folder)
        symbols: dict[str, Mapping[str, Iterable[str]]] = {}
        for file in _files(folder):
            symbols.update(_symbols(file, symbols))
        return cls(symbols, place=str(folder))

    @property
    def symbols(self) -> frozenset[str]:
        """The names that can be expanded."""
        return frozenset(self._groups)

    @property
    def slots(self) -> frozenset[str]:
        """Every slot named in an alternative, numbers and capitals removed."""
        return frozenset(
            slot.symbol for parts in self._parts.values() if parts for _, slot in parts if slot is not None
        )

    def parts(self, text: str) -> Parts | None:
        """Return an alternative as literals and slots; None when it is all literal."""
        return self._parts[text]

    def tags_of(self, symbol: str, text: str) -> frozenset[str]:
        """Return the tags under which `symbol` lists `text`, such as those of a state in `region`."""
        groups = (group for group in self._groups.get(symbol, ()) if text in group.alternatives)
        return frozenset(tag for group in groups for needed, _ in group.conditions for tag in needed)

    def pool(self, symbol: str, tags: frozenset[str]) -> tuple[str, ...]:
        """Return the alternatives of `symbol` that are open to a person with these tags."""
        pool = self._untagged.get(symbol)
        if pool is not None:
            return pool
        own = self._tags.get(symbol)
        if own is None:
            raise GrammarError(
                f"{self.place}: no symbol {symbol!r}, and no such word of a person; define it or mend the slot."
            )
        relevant = tags & own
        key = (symbol, relevant)
        pool = self._pools.get(key)
        if pool is None:
            groups = self._groups[symbol]
            pool = tuple(text for group in groups if group.admits(relevant) for text in group.alternatives)
            if not pool:
                raise GrammarError(
                    f"{self.place}: {symbol!r} has no alternative for tags {sorted(relevant)}; add an `any` group."
                )
            self._pools[key] = pool
        return pool


class Derivation:
    """One person's texts being written: slots are the person's words, else symbols to expand.

    An alternative is not taken twice, and none that names a place in `avoid` (the person's own home, which
    is no travel destination).
    """

    __slots__ = ("_aliases", "_avoid", "_grammar", "_random", "_tags", "_used", "_words")

    def __init__(
        self,
        grammar: Grammar,
        random: Random,
        *,
        words: Mapping[str, str],
        tags: frozenset[str],
        avoid: tuple[str, ...] = (),
    ) -> None:
        """`words` and `tags` are those of a `Portrait`; everything drawn comes from `random`."""
        self._grammar, self._random, self._words = grammar, random.random, words
        self._tags, self._avoid = tags, avoid
        self._aliases: Mapping[str, str] = {}
        self._used: set[str] = set()

    def write(self, symbol: str, aliases: Mapping[str, str]) -> str:
        """Return one finished text; `aliases` give symbols other names for it (`lead_adj` is `adj_o5`)."""
        self._aliases = aliases
        return with_articles(self.expand(symbol))

    def expand(self, symbol: str) -> str:
        """Return one derivation of `symbol`; articles are left as `a(n)`."""
        return self.fill(self.draw(self._grammar.pool(symbol, self._tags)))

    def fill(self, text: str) -> str:
        """Return an alternative with its slots filled."""
        parts = self._grammar.parts(text)
        if parts is None:
            return text
        pieces = []
        for literal, slot in parts:
            pieces.append(literal)
            if slot is not None:
                pieces.append(self._words.get(slot.name) or self._derived(slot))
        return "".join(pieces)

    def _derived(self, slot: _Slot) -> str:
        if not slot.capital:
            return self.expand(self._aliases.get(slot.symbol, slot.symbol))
        word = self._words.get(slot.lower)
        text = self.expand(self._aliases.get(slot.symbol, slot.symbol)) if word is None else word
        return text[0].upper() + text[1:]

    def draw(self, pool: tuple[str, ...]) -> str:
        """Return an alternative that this derivation has not used yet, while there is one to be found."""
        size, used = len(pool), self._used
        for _ in range(_TRIES):
            text = pool[int(self._random() * size)]
            if text not in used and not self._is_home(text):
                break
        used.add(text)
        return text

    def _is_home(self, text: str) -> bool:
        for place in self._avoid:  # noqa: SIM110 - a generator costs more than all its comparisons
            if place in text:
                return True
        return False


@dataclass(frozen=True, slots=True)
class _Slot:
    """`{Dish_2}`: its name, the symbol `dish`, the word `dish_2`, and whether it asks for a capital."""

    name: str
    symbol: str
    lower: str
    capital: bool


def _slot(name: str) -> _Slot:
    lower = name[0].lower() + name[1:]
    numbered = lower[-2:-1] == "_" and lower[-1].isdigit()
    return _Slot(name, lower[:-2] if numbered else lower, lower, name[0].isupper())


Parts = tuple[tuple[str, "_Slot | None"], ...]


def _parts(text: str) -> Parts | None:
    if "{" not in text:
        return None
    return tuple((literal, _slot(name) if name else None) for literal, name, _, _ in Formatter().parse(text))


def digest(locale_or_folder: str | Path) -> str:
    """SHA-256 of the grammar that `Grammar.load` reads; another digest is another set of texts."""
    found = hashlib.sha256()
    for file in _files(_folder(locale_or_folder)):
        content = file.read_bytes()
        found.update(f"{file.name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def _folder(locale_or_folder: str | Path) -> Traversable | Path:
    folder: Traversable | Path = Path(locale_or_folder)
    if not folder.is_dir():
        folder = files("persona_engine.prompts").joinpath(str(locale_or_folder), "offline")
    if not folder.is_dir():
        raise GrammarError(
            f"{locale_or_folder!r}: no folder of that name and no prompts/{locale_or_folder}/offline; "
            "name a prompt set that has an offline grammar, such as 'en_US'."
        )
    return folder


def _files(folder: Traversable | Path) -> list[Traversable | Path]:
    return sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda entry: entry.name)


def _symbols(file: Traversable | Path, known: Mapping[str, object]) -> dict[str, Mapping[str, Iterable[str]]]:
    try:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise GrammarError(f"{file}: not YAML ({error}); correct the line it names.") from error
    if not isinstance(content, dict):
        raise GrammarError(f"{file}: holds {type(content).__name__}; it must map symbols to alternatives.")
    twice = sorted(content.keys() & known.keys())
    if twice:
        raise GrammarError(f"{file}: {twice[0]!r} is defined in another file too; keep one of them.")
    return {
        str(symbol): groups if isinstance(groups, dict) else {"any": groups}
        for symbol, groups in content.items()
    }


def _group(condition: str, texts: Iterable[str], place: str) -> _Group:
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise GrammarError(
            f"{place}: {condition!r} must hold a list of texts (quote those YAML reads otherwise)."
        )
    found = _WEIGHT.match(str(condition))
    name, weight = (found[1], int(found[2] or 1)) if found else (str(condition), 1)
    conditions = []
    for alternative in name.split("|"):
        tags = [] if alternative == "any" else alternative.split("+")
        needed = frozenset(tag for tag in tags if not tag.startswith("!"))
        conditions.append((needed, frozenset(tag[1:] for tag in tags if tag.startswith("!"))))
    return _Group(tuple(conditions), tuple(texts) * weight)
