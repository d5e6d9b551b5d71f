"""Symbols: the names that a grammar expands, the texts that each may become, and the pools that they are drawn from."""

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
"""Symbols that are drawn once for a person start so."""
AWAY = "away_"
"""Symbols start so whose texts name places that one travels to: none that lies at home is drawn."""
ELSEWHERE = 1
"""The bit of `Alternative.tells` of such a text."""
_RANKED = re.compile(r"(lead|second)_(adj|clause|foible)")
_SLOT = re.compile(r"[A-Za-z]\w*")
# Pools of a symbol that are kept, the latest: a few symbols have another for every third person, without end.
_KEPT = 4096
# Alternatives of a pool beyond which it is left in the parts that it shares with other pools.
_LARGE = 96


class Symbol:
    """A name that expands, and the groups of alternatives that it expands to.

    Tags are bits (`Grammar.bits`): the pools already asked for are found by one `&` and one look-up.
    """

    __slots__ = ("_facets", "_groups", "always", "conditions", "mask", "name", "place", "pools")

    def __init__(self, name: str, place: str) -> None:
        """The groups come later: symbols name each other."""
        self.name, self.place = name, place
        self.conditions: frozenset[str] = frozenset()
        self.mask = 0
        self.always: Pool = ()
        self._groups: tuple[Group, ...] = ()
        self._facets: tuple[Facet, ...] = ()
        self.pools: dict[int, Pool] = {}

    def expand_to(self, groups: tuple[Group, ...], bits: Bits) -> None:
        """Take the groups. `conditions` are their tags; without any, `always` is the one pool there is."""
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
        """Return the alternatives that are open to a person with these tags, each as often as it weighs.

        Raises:
            GrammarError: there are none.
        """
        key = self.mask & tags
        pool = self.pools.get(key)
        if pool is None:
            parts = [part for facet in self._facets if (part := facet.open_to(key))]
            if not parts:
                raise GrammarError(
                    f"{self.place}: {self.name!r} has nothing for everybody whom it is asked for; add an `any` group."
                )
            pool = Spread(parts) if sum(map(len, parts)) > _LARGE else tuple(chain.from_iterable(parts))
            if len(self.pools) == _KEPT:
                del self.pools[next(iter(self.pools))]
            self.pools[key] = pool
        return pool


class Bits:
    """Tags as bits of a number, given out as they are met."""

    def __init__(self) -> None:
        """No tag has been met."""
        self._bits: dict[str, int] = {}

    def of(self, tags: Iterable[str]) -> int:
        """Return the tags as one number, giving those that are new their bits."""
        known, mask = self._bits, 0
        for tag in tags:
            bit = known.get(tag)
            if bit is None:
                bit = known[tag] = 1 << len(known)
            mask |= bit
        return mask


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """`{Dish_2}`: the word `dish_2` or the symbol `dish` that fills it, and whether it asks for a capital.

    `ranked` is set for words such as `lead_adj`, which stand for another pool in each text; `target` is None for
    those and for the words of a person, the `own_` symbols among them, which are drawn once.
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
    """One text of a symbol: `steps`, one for each slot, and the `tail` after the last of them.

    A step is what stands before a slot, the slot's symbol if it has one, whether it asks for a capital, and its word:
    what is needed for a slot lies side by side, for a text is spread over memory as it is. `tells` has a bit for
    each word of a person in the slots, and `ELSEWHERE` for a text that names a place that one travels to. A `bare`
    text is one slot and nothing else. `opening` is the first word.
    """

    text: str
    steps: tuple[Step, ...]
    tells: int
    tail: str
    opening: str
    bare: bool
    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, text: str, symbols: Mapping[str, Symbol], words: Bits, *, away: bool = False) -> Alternative:
        """Read a text.

        Raises:
            ValueError: braces that do not match, or hold more than a name.
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
                raise ValueError(f"{{{name}}} is no slot")
            slot = Slot.of(name, symbols)
            slots.append(slot)
            steps.append((before, slot.target, slot.capital, slot.word))
            before = ""
        told = words.of([slot.word for slot in slots if slot.target is None and not slot.ranked])
        tells = told << 1 | (ELSEWHERE if away else 0)
        bare = len(slots) == 1 and text == f"{{{slots[0].name}}}"
        return cls(text, tuple(steps), tells, before, text.partition(" ")[0], bare, tuple(slots))


@dataclass(frozen=True, slots=True)
class Group:
    """Alternatives that are open to people who satisfy any of the conditions (all tags of it)."""

    conditions: tuple[tuple[frozenset[str], frozenset[str]], ...]
    masks: tuple[tuple[int, int], ...]
    alternatives: tuple[Alternative, ...]
    weight: int

    def admits(self, tags: int) -> bool:
        """Whether a person with these tags satisfies a condition."""
        return any(needed & tags == needed and not barred & tags for needed, barred in self.masks)

    @property
    def mask(self) -> int:
        """The tags that the conditions name, as bits."""
        mask = 0
        for needed, barred in self.masks:
            mask |= needed | barred
        return mask

    @property
    def tags(self) -> frozenset[str]:
        """The tags that the conditions name."""
        return frozenset(tag for pair in self.conditions for side in pair for tag in side)


class Pool(Protocol):
    """Alternatives to draw from, each as often as it weighs."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, place: int, /) -> Alternative:
        """Return one by its place."""

    def __iter__(self) -> Iterator[Alternative]:
        """Return them in their order."""


class Spread:
    """A pool of several parts, each shared with the pools of other people."""

    __slots__ = ("_parts", "_size")

    def __init__(self, parts: Sequence[Sequence[Alternative]]) -> None:
        """Take the parts as they are: no alternative is copied."""
        self._parts = parts
        self._size = sum(map(len, parts))

    def __len__(self) -> int:
        """How many alternatives there are."""
        return self._size

    def __getitem__(self, place: int) -> Alternative:
        """Return an alternative by its place.

        Raises:
            IndexError: `place` is not below the length.
        """
        for part in self._parts:
            if place < len(part):
                return part[place]
            place -= len(part)
        raise IndexError(place)

    def __iter__(self) -> Iterator[Alternative]:
        """Return the alternatives in their order."""
        for part in self._parts:
            yield from part


class Facet:
    """Groups of a symbol that hang on the same tags, and on none that other groups of it hang on.

    A symbol that asks for five traits, the age and the surroundings meets thousands of combinations of them, but few
    of any one facet: their pools are made once and kept.
    """

    __slots__ = ("_groups", "_open", "mask")

    def __init__(self, groups: Sequence[Group], mask: int) -> None:
        """`mask` has the bits of the tags."""
        self._groups, self.mask = groups, mask
        self._open: dict[int, tuple[Alternative, ...]] = {}

    def open_to(self, tags: int) -> tuple[Alternative, ...]:
        """Return what the groups offer a person with these tags."""
        key = self.mask & tags
        found = self._open.get(key)
        if found is None:
            groups = [group for group in self._groups if group.admits(key)]
            found = tuple([text for group in groups for text in group.alternatives * group.weight])
            self._open[key] = found
        return found


def facets(groups: Sequence[Group]) -> tuple[Facet, ...]:
    """Part the groups of a symbol into facets."""
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
