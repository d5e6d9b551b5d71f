"""People grid: weights over the joint states that each of many people may have of some attributes.

People differ in how many states are open to them. Those with as many of each attribute are worked on together, in
arrays with an axis for the people and one for each attribute, so that what is computed of a person is the same to the
bit in any company.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from census_personas.foundation.arrays import Floats, Indices, Integers
from census_personas.generator.sampling.open_states import Known

CELLS = 1 << 19
"""Cells that are worked on at once: few enough for the processor's cache and little memory."""

Spread = Mapping[str, Integers]
"""Codes of attributes as arrays that broadcast: an axis for people first, then one an attribute."""


@dataclass(frozen=True, slots=True)
class Box:
    """Some people with as many open states of each attribute, and some of the joint states.

    Attributes:
        people: numbers of the people.
        shape: open states of each attribute, all of them.
        parts: which of them the box has.
        codes: of every attribute of the scope, and of those asked for beside it on the last axis.
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
    """Who of some people differ in what is known of some attributes: the first of each kind, and everyone's kind."""
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
    """Boxes that hold every joint state of the scope for every person, each of about `CELLS` cells.

    Args:
        known: the open states.
        people: whose boxes are asked for.
        scope: attributes, one axis each.
        child: an attribute with an axis after those, which is never cut.
        same_child: whether the people of a box have the same set of the child's states, not only as many.
        whole: whether nobody's joint states are cut, however many they are.
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
    """The joint states of a person, cut along the longest axis if they are too many."""
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
    """Weights over the joint states of a scope, for every kind of person that differs in them.

    Attributes:
        known: the open states.
        scope: the attributes.
        sources: attributes and leaves of which the sets decide the weights.
        kinds: the kind of each person; -1 for those without weights, whose are 1.
        first: one person of each kind.
        starts: where the weights of each kind begin.
        strides: shape (kinds, attributes): how far apart neighbouring states of each attribute stand.
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
        """Weights that are still to be written, for some of the people."""
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
        """Set the weights of a box of kinds' first people; of the attributes that it does not cut, all of them."""
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
        """Weights of people at codes; None if none of them has any.

        Args:
            people: one for each place of the first axis.
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
        # A place of somebody without weights may lie anywhere; it is not read.
        shown = there.reshape(-1, *[1] * (place.ndim - 1))
        return np.where(shown, self.values[np.where(shown, place, 0)], 1.0)
