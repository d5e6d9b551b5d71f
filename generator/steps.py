"""Steps: cumulative tables of a network's parts, drawn from by inversion.

Inversion (a sorted cumulative table and a bisection inside one row) is as fast here as alias tables and keeps
two things they lose: a table recompiled under evidence costs one cumulative sum, and draws are monotone in
their uniforms, which stratified sampling needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from persona_engine.census_priors.hierarchy import Hierarchy
from persona_engine.generator.conditioning import Weights
from persona_engine.generator.fitting import FitError
from persona_engine.generator.leaves import Leaf
from persona_engine.generator.network import Node

Codes = npt.NDArray[np.int64]
Index = npt.NDArray[np.int64]
Uniform = npt.NDArray[np.float64]

BYTES = 8
MOST_STATES = 256
GUIDE = 16
BEYOND = 2.0
CHUNK = 1 << 12


@dataclass(frozen=True, slots=True)
class CoreStep:
    """The core joint: cumulative probabilities of its possible cells and a guide into them.

    Attributes:
        attributes: attributes of a cell, eight at most.
        packed: uint64 a cell, one byte for the code of each attribute.
        cumulative: float64, ascending, the last one 1.
        guide: first cell whose cumulative probability exceeds i / (len(guide) - 1), for every i.
    """

    attributes: tuple[str, ...]
    packed: npt.NDArray[np.uint64]
    cumulative: npt.NDArray[np.float64]
    guide: Index

    @classmethod
    def compile(cls, attributes: tuple[str, ...], joint: npt.NDArray[np.floating]) -> CoreStep:
        """Compile a joint array; its sum need not be 1.

        Raises:
            FitError: more attributes, or more states of one, than a packed cell holds.
        """
        if joint.ndim > BYTES or max(joint.shape) > MOST_STATES:
            raise FitError(
                f"core: {joint.ndim} attributes of {' x '.join(map(str, joint.shape))} states; it takes at most "
                f"{BYTES} of at most {MOST_STATES} states: make the others conditionals"
            )
        flat = joint.ravel()
        cells = np.flatnonzero(flat > 0)
        cumulative = np.cumsum(flat[cells], dtype=np.float64)
        cumulative /= cumulative[-1]
        cumulative[-1] = 1.0
        slots = 2 << max(int(len(cells) - 1).bit_length(), 1)
        counts = np.bincount(np.ceil(cumulative * slots).astype(np.int64), minlength=slots + 1)
        guide = np.minimum(np.cumsum(counts), len(cells) - 1)
        packed = np.zeros(joint.shape, dtype=np.uint64)
        for axis, states in enumerate(joint.shape):
            shape = [1] * joint.ndim
            shape[axis] = states
            packed += (np.arange(states, dtype=np.uint64) << np.uint64(8 * axis)).reshape(shape)
        return cls(attributes, packed.ravel()[cells], cumulative, guide)

    def draw(self, numbers: Callable[[str], Uniform]) -> dict[str, Codes]:
        """Codes of every core attribute, from the uniforms of one stream."""
        u = numbers("core")
        cell = self.guide.take((u * (len(self.guide) - 1)).astype(np.int64), mode="clip")
        cell += self.cumulative.take(cell, mode="clip") <= u
        late = np.flatnonzero(self.cumulative.take(cell, mode="clip") <= u)
        cell[late] = np.searchsorted(self.cumulative, u[late], side="right")
        codes = (
            self.packed.take(cell, mode="clip").astype("<u8", copy=False).view(np.uint8).reshape(-1, BYTES)
        )
        return {name: codes[:, i].astype(np.int64) for i, name in enumerate(self.attributes)}


@dataclass(frozen=True, slots=True)
class ChainStep:
    """The core joint drawn attribute by attribute, each from a stream of its own.

    It has the distribution of `CoreStep`, at several times its cost. Stratified draws need it: they spread each stream
    evenly, and a cell's attributes can be spread evenly all at once only if each has a stream.

    Attributes:
        attributes: attributes of a cell.
        shape: their numbers of states.
        bounds: cumulative probability before each cell in C order, and 1 at the end.
    """

    attributes: tuple[str, ...]
    shape: tuple[int, ...]
    bounds: npt.NDArray[np.float64]

    @classmethod
    def compile(cls, attributes: tuple[str, ...], joint: npt.NDArray[np.floating]) -> ChainStep:
        """Compile a joint array; its sum need not be 1."""
        bounds = np.zeros(joint.size + 1)
        np.cumsum(joint.ravel(), dtype=np.float64, out=bounds[1:])
        bounds /= bounds[-1]
        return cls(attributes, joint.shape, bounds)

    def draw(self, numbers: Callable[[str], Uniform]) -> dict[str, Codes]:
        """Codes of every core attribute, each from the uniforms of its stream."""
        codes = {}
        cell: Codes | int = 0
        width = len(self.bounds) - 1
        for name, states in zip(self.attributes, self.shape, strict=True):
            u = numbers(f"core/{name}")
            cell = np.zeros(len(u), dtype=np.int64) + cell
            low, high = self.bounds.take(cell), self.bounds.take(cell + width)
            wanted = np.minimum(low + u * (high - low), np.nextafter(high, 0.0))
            width //= states
            code = np.zeros(len(u), dtype=np.int64)
            step = 1 << (states - 1).bit_length() >> 1
            while (
                step
            ):  # bisection: the last state that begins at or below the number, of those that anybody has
                probe = np.minimum(code + step, states - 1)
                code = np.where(self.bounds.take(cell + probe * width) <= wanted, probe, code)
                step >>= 1
            codes[name] = code
            cell = cell + code * width
        return codes


@dataclass(frozen=True, slots=True)
class TableStep:
    """One conditional: rows of cumulative probabilities, chosen by the codes of the parents.

    Attributes:
        child: attribute that is drawn.
        lookups: parent -> its code's part of the row number.
        width: entries in a row.
        cumulative: concatenated rows, ascending within each run.
        firsts: where the run of each state of `refines` starts within a row (one run where it refines none).
        guide: for every row, run and sixteenth of the unit interval, entries of the run to skip at once.
        refines: the parent that chooses the run.
        certain: parent and the child code that it makes certain (-1: draw).
    """

    child: str
    lookups: Mapping[str, Index]
    width: int
    cumulative: npt.NDArray[np.float32]
    firsts: Index
    guide: npt.NDArray[np.uint8]
    refines: str | None = None
    certain: tuple[str, Codes] | None = None

    def draw(self, codes: Mapping[str, Codes], u: Uniform) -> Codes:
        """Child codes for uniforms u, given the codes of every earlier attribute."""
        if self.certain is None:
            return self._draw(codes, u)
        parent, values = self.certain
        result = values.take(codes[parent], mode="clip")
        rows = np.flatnonzero(result < 0)
        needed = {*self.lookups, *([self.refines] if self.refines else [])}
        result[rows] = self._draw({name: codes[name].take(rows, mode="clip") for name in needed}, u[rows])
        return result

    def _draw(self, codes: Mapping[str, Codes], u: Uniform) -> Codes:
        row = _row(self.lookups, codes, len(u))
        slot = (u * GUIDE).astype(np.int64)
        if self.refines is None:
            first: Codes | int = 0
            slot += row * GUIDE
        else:
            run = codes[self.refines]
            first = self.firsts.take(run, mode="clip")
            slot += (row * len(self.firsts) + run) * GUIDE
        start = row * self.width + first
        found = start + self.guide.take(slot, mode="clip")
        _advance(self.cumulative, found, u.astype(np.float32))
        return found - row * self.width


@dataclass(frozen=True, slots=True)
class RaggedStep:
    """A leaf: rows of different lengths, with the child code beside every entry.

    Attributes:
        child: attribute that is drawn.
        lookups: parent -> its code's part of the row number.
        firsts, lengths: where the entries of a row start, and how many there are.
        cumulative: concatenated rows, ascending within each.
        states: child code of every entry.
    """

    child: str
    lookups: Mapping[str, Index]
    firsts: Index
    lengths: Index
    cumulative: npt.NDArray[np.float64]
    states: npt.NDArray[np.int32]

    def draw(self, codes: Mapping[str, Codes], u: Uniform) -> Codes:
        """Child codes for uniforms u, given the codes of every earlier attribute."""
        row = _row(self.lookups, codes, len(u))
        first, last = self.firsts.take(row, mode="clip"), self.lengths.take(row, mode="clip") - 1
        found = np.zeros(len(u), dtype=np.int64)
        step = 1 << int(np.max(last, initial=1)).bit_length() - 1
        while step:  # bisection: entries of the row at or below u
            probe = np.minimum(found + step, last)
            below = self.cumulative.take(first + probe - 1, mode="clip") <= u
            found = np.where(below & (probe == found + step), probe, found)
            step >>= 1
        return self.states.take(first + found, mode="clip").astype(np.int64)


@dataclass(frozen=True, slots=True)
class FixedStep:
    """An attribute that evidence leaves one state of."""

    child: str
    code: int

    def draw(self, _: Mapping[str, Codes], u: Uniform) -> Codes:
        """The code, as often as there are uniforms."""
        return np.full(len(u), self.code, dtype=np.int64)


Step = TableStep | RaggedStep | FixedStep


def _row(lookups: Mapping[str, Index], codes: Mapping[str, Codes], count: int) -> Codes:
    row = np.zeros(count, dtype=np.int64)
    for parent, part in lookups.items():
        row += part.take(codes[parent], mode="clip")
    return row


def _advance(cumulative: npt.NDArray[np.floating], at: Codes, u: npt.NDArray[np.floating]) -> None:
    """Move each position on, in place, to the first whose cumulative probability exceeds u."""
    at += cumulative.take(at, mode="clip") <= u
    late = np.flatnonzero(cumulative.take(at, mode="clip") <= u)
    while len(late):
        at[late] += 1
        late = late[cumulative.take(at[late], mode="clip") <= u[late]]


def compile_node(node: Node, hierarchy: Hierarchy) -> TableStep:
    """Cumulative rows of a node's table, with their guides."""
    states = node.table.shape[-1]
    groups = np.zeros(states, dtype=np.int64)
    if node.refines is not None:
        groups = hierarchy.codes(node.child, node.refines).astype(np.int64)
    firsts = np.flatnonzero(np.diff(groups, prepend=-1))
    bounds = np.append(firsts, states)
    rows = node.table.reshape(-1, states)
    cumulative = np.empty(rows.shape, dtype=np.float32)
    guide = np.empty((len(rows), len(firsts), GUIDE), dtype=np.uint8)
    for top in range(0, len(rows), CHUNK):
        chunk = slice(top, top + CHUNK)
        for run, (first, last) in enumerate(pairwise(bounds)):
            part = np.cumsum(rows[chunk, first:last], axis=1)
            total = part[:, -1:]
            ended = part >= total
            np.divide(part, total, out=part, where=total > 0)
            part[ended] = BEYOND  # the last state that can occur takes every u, whatever rounding did
            cumulative[chunk, first:last] = part
            guide[chunk, run] = _guide(part)
    lookups, stride = {}, 1
    for axis in range(len(node.parents) - 1, -1, -1):
        parent = node.parents[axis]
        positions = node.axis_codes(parent, len(hierarchy.domain[parent]))
        lookups[parent] = positions.astype(np.int64) * stride
        stride *= node.table.shape[axis]
    certain = None if node.certain is None else (node.certain[0], node.certain[1].astype(np.int64))
    return TableStep(
        node.child, lookups, states, cumulative.ravel(), firsts, guide.ravel(), node.refines, certain
    )


def _guide(cumulative: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Entries of each row at or below i / GUIDE, for i from 0 to GUIDE - 1."""
    result = np.empty((len(cumulative), GUIDE), dtype=np.uint8)
    for slot in range(GUIDE):
        np.sum(cumulative <= slot / GUIDE, axis=1, dtype=np.uint8, out=result[:, slot])
    return result


def compile_leaf(leaf: Leaf, hierarchy: Hierarchy, allowed: Weights | None = None) -> RaggedStep:
    """Cumulative rows of a leaf, states weighted if weights (or a mask of those allowed) are given."""
    table = leaf.table
    weight = np.asarray(table.probabilities, dtype=np.float64)
    if allowed is not None:
        weight = weight * allowed[table.indices]
    running = np.concatenate(([0.0], np.cumsum(weight)))
    before, after = running[table.indptr[:-1]], running[table.indptr[1:]]
    lengths = np.diff(table.indptr)
    total = np.repeat(after - before, lengths)
    cumulative = np.divide(
        running[1:] - np.repeat(before, lengths), total, out=np.zeros_like(weight), where=total > 0
    )
    lookups = {}
    for axis, parent in enumerate(leaf.parents):
        stride = int(np.prod(leaf.rows.shape[axis + 1 :], dtype=np.int64))
        lookups[parent] = np.arange(len(hierarchy.domain[parent]), dtype=np.int64) * stride
    cells = leaf.rows.ravel()
    return RaggedStep(
        leaf.child, lookups, table.indptr[:-1][cells], lengths[cells], cumulative, table.indices
    )
