"""Pools: what a symbol offers to one kind of person, kept small however many kinds there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from census_personas.generator.offline.symbol import Alternative, Group


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
