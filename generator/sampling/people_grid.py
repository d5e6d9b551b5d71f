"""People grid: weights over the joint open states of many people.

People have different numbers of open states. Those with equal numbers share arrays with one axis for people and one
per attribute, so that results for a person are bitwise the same in any batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from census_personas.foundation.arrays import Floats, Indices, Integers
from census_personas.generator.sampling.open_states import Known

CELLS = 1 << 19
"""Cells processed at once: few enough for the processor's cache and little memory."""

Spread = Mapping[str, Integers]
"""Codes of attributes as arrays that broadcast: an axis for people first, then one per attribute."""


@dataclass(frozen=True, slots=True)
class Box:
    """Some people with equal numbers of open states, and some of their joint states.

    Attributes:
        people: numbers of the people.
        shape: open states of each attribute, all of them.
        parts: the part of them in the box.
        codes: of every attribute of the scope, and of the child, if any, on the last axis.
    """

    people: Indices
    shape: tuple[int, ...]
    parts: tuple[slice, ...]
    codes: Spread

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of people, then of states of each attribute in the box."""
        return (len(self.people), *(part.stop - part.start for part in self.parts))


def kinds_of(known: Known, names: Sequence[str], people: Indices) -> tuple[Indices, Integers]:
    """Group people by their evidence on some attributes; return one person per group, and each person's group."""
    names = tuple(dict.fromkeys(names))
    if not names:
        return people[:1], np.zeros(len(people), dtype=np.int64)
    ids = np.stack([known.ids(name)[people] for name in names], axis=1)
    _, first, group = np.unique(ids, axis=0, return_index=True, return_inverse=True)
    return people[first], group.ravel().astype(np.int64)


def boxes(
    known: Known,
    people: Indices,
    scope: Sequence[str],
    child: str | None = None,
    *,
    same_child: bool = False,
    whole: bool = False,
) -> Iterator[Box]:
    """Yield boxes of about `CELLS` cells that together hold every joint state of the scope for every person.

    Args:
        known: the open states.
        people: the people.
        scope: attributes, one axis per attribute.
        child: an attribute on a last axis, which is never cut.
        same_child: whether the people of a box share the set of the child's states, not only its size.
        whole: whether to keep each person's joint states in one box, however many there are.
    """
    names = (*scope, *(() if child is None else (child,)))
    states = [known.of(name) for name in names]
    widths = [s.widths[s.ids[people]] for s in states]
    keys = [*widths, *([states[-1].ids[people]] if same_child else [])]
    if not keys:
        yield Box(people, (), (), {})
        return
    _, first, group = np.unique(np.stack(keys, axis=1), axis=0, return_index=True, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    members = np.split(order, np.searchsorted(group.ravel()[order], np.arange(1, len(first))))
    for at, mine in zip(first.tolist(), members, strict=True):
        shape = tuple(int(width[at]) for width in widths)
        own = shape[: len(scope)]
        for parts in _parts(own, 0 if whole else int(np.prod(shape))):
            cells = int(np.prod([part.stop - part.start for part in parts])) * int(
                np.prod(shape[len(scope) :])
            )
            step = max(CELLS // max(cells, 1), 1)
            for top in range(0, len(mine), step):
                some = people[mine[top : top + step]]
                codes = {}
                for axis, (name, s) in enumerate(zip(names, states, strict=True)):
                    mine_of = s.states[s.ids[some]][:, : shape[axis]]
                    if axis < len(scope):
                        mine_of = mine_of[:, parts[axis]]
                    spread = [1] * (len(names) + 1)
                    spread[0], spread[axis + 1] = mine_of.shape
                    codes[name] = mine_of.reshape(spread)
                yield Box(some, own, parts, codes)


def _parts(shape: tuple[int, ...], cells: int) -> Iterator[tuple[slice, ...]]:
    """Yield the joint states of a person, cut along the longest axis if there are too many."""
    whole = tuple(slice(0, width) for width in shape)
    if cells <= CELLS or not shape or max(shape) == 1:
        yield whole
        return
    axis = int(np.argmax(shape))
    step = max(shape[axis] * CELLS // cells, 1)
    for top in range(0, shape[axis], step):
        yield (*whole[:axis], slice(top, min(top + step, shape[axis])), *whole[axis + 1 :])


@dataclass(frozen=True, slots=True)
class Grid:
    """Weights over the joint states of a scope, by group of people.

    Attributes:
        known: the open states.
        scope: the attributes.
        sources: attributes and leaves whose sets decide the weights.
        kinds: the group of each person; -1 for people without weights, whose weight is 1.
        first: one person of each group.
        starts: start of each group's weights.
        strides: shape (groups, attributes): distance between neighbouring states of each attribute.
        values: the weights.
    """

    known: Known
    scope: tuple[str, ...]
    sources: tuple[str, ...]
    kinds: Integers
    first: Indices
    starts: Integers
    strides: Integers
    values: Floats

    @classmethod
    def empty(cls, known: Known, scope: Sequence[str], sources: Sequence[str], people: Indices) -> Grid:
        """Allocate weights for some of the people; `write` sets them."""
        names = tuple(dict.fromkeys((*sources, *scope)))
        kinds = np.full(len(known), -1, dtype=np.int64)
        some, kinds[people] = kinds_of(known, names, people)
        states = [known.of(name) for name in scope]
        widths = np.stack([s.widths[s.ids[some]] for s in states] or [np.ones(len(some), np.int64)], axis=1)
        sizes = np.cumprod(widths[:, ::-1], axis=1)[:, ::-1]
        strides = np.concatenate([sizes[:, 1:], np.ones((len(some), 1), dtype=np.int64)], axis=1)
        starts = np.concatenate([[0], np.cumsum(sizes[:, 0])])
        values = np.zeros(int(starts[-1]))
        return cls(known, tuple(scope), names, kinds, some, starts[:-1], strides[:, : len(states)], values)

    def write(self, box: Box, values: Floats) -> None:
        """Set the weights of a box of the groups' first people."""
        kinds = self.kinds[box.people]
        place = self.starts[kinds].reshape(-1, *[1] * len(self.scope))
        for axis in range(len(self.scope)):
            part = box.parts[axis] if axis < len(box.parts) else slice(0, values.shape[axis + 1])
            spread = [1] * (len(self.scope) + 1)
            spread[axis + 1] = -1
            places = np.arange(part.start, part.stop).reshape(spread)
            place = place + places * self.strides[kinds, axis].reshape(-1, *[1] * len(self.scope))
        self.values[place] = values

    def at(self, people: Indices, codes: Spread) -> Floats | None:
        """Return the weights of people at codes; None if none of them has any.

        Args:
            people: one for each position of the first axis.
            codes: of the attributes of the scope, or finer ones.
        """
        kinds = self.kinds[people]
        there = kinds >= 0
        if not there.any():
            return None
        axes = max((code.ndim for code in codes.values()), default=1)
        tail = [1] * (axes - 1)
        place = self.starts[np.maximum(kinds, 0)].reshape(-1, *tail)
        hierarchy = self.known.hierarchy
        for axis, name in enumerate(self.scope):
            fine = next(source for source in hierarchy.chain(name) if source in codes)
            code = codes[fine] if fine == name else hierarchy.codes(fine, name)[codes[fine]]
            states = self.known.of(name)
            row = states.ids[people].reshape(-1, *[1] * (code.ndim - 1))
            stride = self.strides[np.maximum(kinds, 0), axis].reshape(-1, *[1] * (code.ndim - 1))
            place = place + states.places[row, code] * stride
        if there.all():
            return self.values[place]
        # The place of a person without weights is arbitrary and is not read.
        shown = there.reshape(-1, *[1] * (place.ndim - 1))
        return np.where(shown, self.values[np.where(shown, place, 0)], 1.0)
