"""Symbols: the names that a grammar expands, their alternatives, and the pools to draw from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from string import Formatter
from typing import Protocol

from census_personas.generator.offline.article import with_articles
from census_personas.generator.offline.grammar_files import GrammarError

OWN = "own_"
"""Prefix of symbols that are drawn once for a person."""
AWAY = "away_"
"""Prefix of symbols whose texts name travel destinations: the person's home is never drawn."""
ELSEWHERE = 1
"""The bit of `Alternative.mentions` for such a text."""
_RANKED = re.compile(r"(lead|second)_(adj|clause|foible)")
_SLOT = re.compile(r"[A-Za-z]\w*")
# Most pools kept per symbol, the latest ones: a few symbols need a new pool for every third person.
_KEPT = 4096
# Above this number of alternatives, a pool stays a sequence of parts shared with other pools.
_LARGE = 96


class Symbol:
    """A name, and the groups of alternatives that it expands to.

    Tags are bits (`Grammar.bits`), so that a known pool takes one `&` and one look-up.
    """

    __slots__ = ("_facets", "_groups", "always", "conditions", "mask", "name", "place", "pools")

    def __init__(self, name: str, place: str) -> None:
        """Create a symbol without groups, because symbols refer to each other; `expand_to` sets them."""
        self.name, self.place = name, place
        self.conditions: frozenset[str] = frozenset()
        self.mask = 0
        self.always: Pool = ()
        self._groups: tuple[Group, ...] = ()
        self._facets: tuple[Facet, ...] = ()
        self.pools: dict[int, Pool] = {}

    def expand_to(self, groups: tuple[Group, ...], bits: Bits) -> None:
        """Set the groups. `conditions` are their tags; without any, `always` is the only pool."""
        self._groups, self._facets = groups, facets(groups)
        self.conditions = frozenset(tag for group in groups for tag in group.tags)
        self.mask = bits.of(self.conditions)
        if not self.conditions:
            self.always = self.pool(0)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups, in their order."""
        return self._groups

    def pool(self, tags: int) -> Pool:
        """Return the alternatives for a person with these tags, each repeated by its weight.

        Raises:
            GrammarError: there are none.
        """
        key = self.mask & tags
        pool = self.pools.get(key)
        if pool is None:
            parts = [part for facet in self._facets if (part := facet.open_to(key))]
            if not parts:
                raise GrammarError(
                    f"{self.place}: {self.name!r}: no alternative matches this person; add an `any` group."
                )
            pool = Spread(parts) if sum(map(len, parts)) > _LARGE else tuple(chain.from_iterable(parts))
            if len(self.pools) == _KEPT:
                del self.pools[next(iter(self.pools))]
            self.pools[key] = pool
        return pool


class Bits:
    """Tags as bits of a number, assigned in order of first use."""

    def __init__(self) -> None:
        """Start without tags."""
        self._bits: dict[str, int] = {}

    def of(self, tags: Iterable[str]) -> int:
        """Return the tags as one number, assigning bits to new tags."""
        known, mask = self._bits, 0
        for tag in tags:
            bit = known.get(tag)
            if bit is None:
                bit = known[tag] = 1 << len(known)
            mask |= bit
        return mask


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """`{Dish_2}`: the word `dish_2` or the symbol `dish` that fills it, and whether it is capitalized.

    `ranked` is set for words such as `lead_adj`, whose pool differs from text to text. `target` is None for those and
    for the words of a person, including the `own_` symbols, which are drawn once.
    """

    name: str
    word: str
    symbol: str
    target: Symbol | None
    capital: bool
    ranked: bool

    @classmethod
    def of(cls, name: str, symbols: Mapping[str, Symbol]) -> Slot:
        """Read a slot's name."""
        word = name[0].lower() + name[1:]
        numbered = word[-2:-1] == "_" and word[-1].isdigit()
        symbol = word[:-2] if numbered else word
        target = None if symbol.startswith(OWN) else symbols.get(symbol)
        return cls(name, word, symbol, target, name[0].isupper(), _RANKED.fullmatch(word) is not None)


Step = tuple[str, Symbol | None, bool, str]


@dataclass(frozen=True, slots=True, eq=False)
class Alternative:
    """One text of a symbol: `steps`, one per slot, and the `tail` after the last slot.

    A step is the text before a slot, the slot's symbol if it has one, whether it is capitalized, and its word: one
    tuple, so that the values of a slot are adjacent in memory. `mentions` has a bit for each word of a person in the
    slots, and `ELSEWHERE` for a text that names a travel destination. A `bare` text is one slot and nothing else.
    `opening` is the first word.
    """

    text: str
    steps: tuple[Step, ...]
    mentions: int
    tail: str
    opening: str
    bare: bool
    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, text: str, symbols: Mapping[str, Symbol], words: Bits, *, away: bool = False) -> Alternative:
        """Read a text.

        Raises:
            ValueError: braces do not match, or hold more than a name.
        """
        text = with_articles(text)
        steps: list[Step] = []
        slots: list[Slot] = []
        before = ""
        for literal, name, spec, conversion in Formatter().parse(text):
            before += literal
            if name is None:
                continue
            if not _SLOT.fullmatch(name) or spec or conversion:
                raise ValueError(f"{{{name}}} is not a slot")
            slot = Slot.of(name, symbols)
            slots.append(slot)
            steps.append((before, slot.target, slot.capital, slot.word))
            before = ""
        person_words = words.of([slot.word for slot in slots if slot.target is None and not slot.ranked])
        mentions = person_words << 1 | (ELSEWHERE if away else 0)
        bare = len(slots) == 1 and text == f"{{{slots[0].name}}}"
        return cls(text, tuple(steps), mentions, before, text.partition(" ")[0], bare, tuple(slots))


@dataclass(frozen=True, slots=True)
class Group:
    """Alternatives for people who satisfy one of the conditions (all tags of it)."""

    conditions: tuple[tuple[frozenset[str], frozenset[str]], ...]
    masks: tuple[tuple[int, int], ...]
    alternatives: tuple[Alternative, ...]
    weight: int

    def admits(self, tags: int) -> bool:
        """Return whether a person with these tags satisfies a condition."""
        return any(needed & tags == needed and not barred & tags for needed, barred in self.masks)

    @property
    def mask(self) -> int:
        """Tags in the conditions, as bits."""
        mask = 0
        for needed, barred in self.masks:
            mask |= needed | barred
        return mask

    @property
    def tags(self) -> frozenset[str]:
        """Tags in the conditions."""
        return frozenset(tag for pair in self.conditions for side in pair for tag in side)


class Pool(Protocol):
    """Alternatives to draw from, each repeated by its weight."""

    def __len__(self) -> int:
        """Return the number of alternatives."""

    def __getitem__(self, place: int, /) -> Alternative:
        """Return an alternative by its position."""

    def __iter__(self) -> Iterator[Alternative]:
        """Iterate over the alternatives in order."""


class Spread:
    """A pool of several parts, each shared with the pools of other people."""

    __slots__ = ("_parts", "_size")

    def __init__(self, parts: Sequence[Sequence[Alternative]]) -> None:
        """Keep the parts without copying."""
        self._parts = parts
        self._size = sum(map(len, parts))

    def __len__(self) -> int:
        """Return the number of alternatives."""
        return self._size

    def __getitem__(self, place: int) -> Alternative:
        """Return an alternative by its position.

        Raises:
            IndexError: `place` is not below the length.
        """
        for part in self._parts:
            if place < len(part):
                return part[place]
            place -= len(part)
        raise IndexError(place)

    def __iter__(self) -> Iterator[Alternative]:
        """Iterate over the alternatives in order."""
        for part in self._parts:
            yield from part


class Facet:
    """Groups of a symbol whose conditions share tags; disjoint from the tags of its other facets.

    A symbol with conditions on five traits, the age and the surroundings meets thousands of combinations of tags, but
    only a few per facet, so that pools are built once per facet and kept.
    """

    __slots__ = ("_groups", "_open", "mask")

    def __init__(self, groups: Sequence[Group], mask: int) -> None:
        """`mask` has the bits of the tags."""
        self._groups, self.mask = groups, mask
        self._open: dict[int, tuple[Alternative, ...]] = {}

    def open_to(self, tags: int) -> tuple[Alternative, ...]:
        """Return the alternatives of the groups for a person with these tags."""
        key = self.mask & tags
        alternatives = self._open.get(key)
        if alternatives is None:
            groups = [group for group in self._groups if group.admits(key)]
            alternatives = tuple([text for group in groups for text in group.alternatives * group.weight])
            self._open[key] = alternatives
        return alternatives


def facets(groups: Sequence[Group]) -> tuple[Facet, ...]:
    """Divide the groups of a symbol into facets."""
    parted: list[tuple[int, list[Group]]] = []
    for group in groups:
        mask = group.mask
        apart = [part for part in parted if not part[0] & mask and (part[0] or mask)]
        joined = [part for part in parted if part not in apart]
        merged = [other for _, members in joined for other in members]
        for other_mask, _ in joined:
            mask |= other_mask
        parted = [*apart, (mask, [*merged, group])]
    return tuple([Facet(members, mask) for mask, members in parted])
