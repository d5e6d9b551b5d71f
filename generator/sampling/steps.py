"""Steps: the tables of a network's conditionals made ready to be drawn from, by inversion.

A row is a run of ascending thresholds, fractions of 2^32; the state drawn is the first whose threshold reaches the
number. A guide (Chen and Asau 1974) says where to begin. Beside alias tables, inversion keeps two things: a table
under evidence is made ready by sums alone, and draws are monotone in their numbers, which stratified sampling needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from persona_engine.census_priors.hierarchy import Hierarchy
from persona_engine.generator.model.network import Node
from persona_engine.generator.sampling.on_demand import OnDemand
from persona_engine.generator.sampling.randomness import Fractions
from persona_engine.generator.sampling.threads import each

Codes = npt.NDArray[np.integer]
"""Codes of many rows, in the smallest type that holds them."""
Index = npt.NDArray[np.signedinteger]
Thresholds = npt.NDArray[np.uint32]
Lookup = Index | int
"""What each code of a parent adds to the row number; a number if that is the code times it."""

LAST = 2**32 - 1
"""Threshold of the last state that can occur: it takes every number."""
MOST_BITS = 5
CHUNK = 1 << 19
"""Comparisons made at once when guides are made: so few that they stay in the processor's cache."""


def smallest(states: int) -> np.dtype[np.integer]:
    """The smallest type that holds the codes of so many states."""
    return np.min_scalar_type(states - 1)


@dataclass(frozen=True, slots=True)
class TableStep:
    """One conditional: rows of thresholds, chosen by the codes of the parents.

    Attributes:
        child: attribute that is drawn.
        lookups: parent -> its code's part of the row number.
        width: entries in a row.
        thresholds: concatenated rows, ascending within each run.
        firsts: where the run of each state of `refines` starts within a row (one run where it refines none).
        guide: for every row, run and equal part of the numbers, twice the entries of the run to skip at once, and
            one more if the part holds several further ones.
        bits: of the number of those parts, as a power of two.
        kind: type of the codes.
        codes: child code of every entry of a row; None if they are its entries.
        made: makes the rows that a draw comes to.
        refines: the parent that chooses the run.
        certain: parent and the child code that it makes certain (-1: draw).
    """

    child: str
    lookups: Mapping[str, Lookup]
    width: int
    thresholds: Thresholds
    firsts: Index
    guide: npt.NDArray[np.unsignedinteger]
    bits: int
    kind: np.dtype[np.integer]
    codes: Codes | None
    made: OnDemand
    refines: str | None = None
    certain: tuple[str, npt.NDArray[np.int64]] | None = None

    def draw(self, codes: Mapping[str, Codes], numbers: Fractions) -> Codes:
        """Child codes for numbers, given the codes of every earlier attribute."""
        row = row_number(self.lookups, codes, len(numbers), self.firsts.dtype)
        run = None if self.refines is None else codes[self.refines]
        if self.certain is None:
            return self._draw(row, run, numbers)
        parent, values = self.certain
        result = values.take(codes[parent], mode="clip")
        drawn = np.flatnonzero(result < 0)
        found = self._draw(row.take(drawn), None if run is None else run.take(drawn), numbers.take(drawn))
        result = result.astype(found.dtype)
        result[drawn] = found
        return result

    def _draw(self, row: Index, run: Codes | None, numbers: Fractions) -> Codes:
        self.made.reach(row)
        part = row * len(self.firsts)
        row *= self.width
        if run is not None:
            part += run
            first = self.firsts.take(run, mode="clip")
            row += first
        part <<= self.bits
        part |= (numbers >> np.uint32(32 - self.bits)).view(np.int32)
        guide = self.guide.take(part, mode="clip")
        state = guide >> 1
        row += state
        beyond = self.thresholds.take(row, mode="clip") < numbers
        state += beyond
        guide &= beyond
        late = np.flatnonzero(guide.astype(np.bool_))
        state[late] += further(self.thresholds, row.take(late) + 1, numbers.take(late)).astype(state.dtype)
        if run is not None:
            state = (state + first).astype(self.kind)
        return state if self.codes is None else self.codes.take(state, mode="clip")


@dataclass(frozen=True, slots=True)
class FixedStep:
    """An attribute that evidence leaves one state of."""

    child: str
    code: int
    kind: np.dtype[np.integer]

    def draw(self, _: Mapping[str, Codes], numbers: Fractions) -> Codes:
        """The code, as often as there are numbers."""
        return np.full(len(numbers), self.code, dtype=self.kind)


def row_number(
    lookups: Mapping[str, Lookup], codes: Mapping[str, Codes], count: int, kind: np.dtype[np.signedinteger]
) -> Index:
    """The row that the parents' codes choose."""
    row = np.zeros(count, dtype=kind)
    for parent, part in lookups.items():
        if isinstance(part, int):
            row += codes[parent] if part == 1 else np.multiply(codes[parent], part, dtype=kind)
        else:
            row += part.astype(kind).take(codes[parent], mode="clip")
    return row


def further(thresholds: Thresholds, at: Index, numbers: Fractions) -> Index:
    """How many thresholds from a place on lie below each number."""
    steps = np.zeros(len(at), dtype=at.dtype)
    going = np.arange(len(at))
    while len(going):
        on = np.flatnonzero(thresholds.take(at, mode="clip") < numbers)
        going, at, numbers = going.take(on), at.take(on) + 1, numbers.take(on)
        steps[going] += 1
    return steps


def compile_node(node: Node, hierarchy: Hierarchy) -> TableStep:
    """Thresholds of a node's table, with their guides, row by row on demand; states that no row has are left out."""
    states = node.table.shape[-1]
    rows = node.table.reshape(-1, states)
    groups = np.zeros(states, dtype=np.int64)
    if node.refines is not None:
        groups = hierarchy.codes(node.child, node.refines).astype(np.int64)
    occurs = _occurring(rows)
    held = np.flatnonzero(occurs) if occurs.any() else np.arange(1)
    firsts = np.searchsorted(groups[held], np.arange(groups[-1] + 1))
    bounds = np.append(firsts, len(held))
    lengths = np.diff(bounds)
    longest = int(lengths.max())
    bits = min(int((lengths**2).sum() / len(held)).bit_length(), MOST_BITS)  # by the run of the average state
    size = max(CHUNK // (longest << bits), 1)
    thresholds = np.zeros((len(rows), len(held)), dtype=np.uint32)
    guide = np.zeros((len(rows), len(firsts), 1 << bits), dtype=smallest(2 * longest + 2))

    def compile_rows(chunk: slice | Index) -> None:
        weights = rows[chunk] if len(held) == states else rows[chunk].take(held, axis=1)
        if not weights.max() > 0:  # parents that evidence rules out
            return
        sums = np.array(weights.T, order="C")
        found = np.empty_like(sums, dtype=np.uint32)
        for run, (first, last) in enumerate(pairwise(bounds)):
            if first < last:
                _thresholds(sums[first:last], found[first:last])
                guide[chunk, run] = _guide(found[first:last], bits, guide.dtype).T
        thresholds[chunk] = found.T

    def make(asked: Index) -> None:
        chunks = [asked[top : top + size] for top in range(0, len(asked), size)]
        lying = [chunk[-1] - chunk[0] + 1 == len(chunk) for chunk in chunks]  # a slice needs no copy
        each(
            compile_rows,
            [
                slice(int(chunk[0]), int(chunk[-1]) + 1) if together else chunk
                for chunk, together in zip(chunks, lying, strict=True)
            ],
        )

    lookups: dict[str, Lookup] = {}
    stride = 1
    for axis in range(len(node.parents) - 1, -1, -1):
        parent = node.parents[axis]
        positions = node.axis_codes(parent, len(hierarchy.domain[parent]))
        plain = bool((positions == np.arange(len(positions))).all())
        lookups[parent] = stride if plain else positions.astype(np.int64) * stride
        stride *= node.table.shape[axis]
    kind = smallest(states)
    certain = None if node.certain is None else (node.certain[0], node.certain[1].astype(np.int64))
    return TableStep(
        node.child,
        lookups,
        len(held),
        thresholds.ravel(),
        firsts.astype(np.int32 if max(thresholds.size, guide.size) < 2**31 else np.int64),
        guide.ravel(),
        bits,
        kind,
        None if len(held) == states else held.astype(kind),
        OnDemand(len(rows), make),
        node.refines,
        certain,
    )


def _occurring(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Which states any row has; most tables say so early."""
    states = rows.shape[1]
    size = max(CHUNK // states, 1)
    found = np.zeros(states, dtype=np.bool_)
    for top in range(0, len(rows), size):
        found |= rows[top : top + size].max(axis=0) > 0
        if found.all():
            break
    return found


def _thresholds(weights: npt.NDArray[np.floating], found: Thresholds) -> None:
    """Thresholds of states (first axis) with these weights, which become running sums."""
    for state in range(1, len(weights)):
        weights[state] += weights[state - 1]
    total = weights[-1]
    scale = np.divide(LAST, total, out=np.zeros(len(total)), where=total > 0, dtype=np.float64)
    np.add(weights * scale, 0.5, out=found, casting="unsafe")


def _guide(thresholds: Thresholds, bits: int, kind: np.dtype[np.unsignedinteger]) -> Codes:
    """For each equal part of the numbers, twice the states to skip, and one if several may follow."""
    part = (thresholds >> np.uint32(32 - bits)).astype(np.uint8)
    below = part[:, None] < np.arange((1 << bits) + 1, dtype=np.uint8)[:, None]
    below[:, 0] = thresholds == 0
    below[:, -1] = thresholds < LAST
    count: Codes = np.add.reduce(below.view(np.uint8), axis=0, dtype=kind)
    guide = count[:-1] << kind.type(1)
    guide |= np.diff(count, axis=0) > 1
    return guide
