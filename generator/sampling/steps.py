"""Steps: cumulative tables of a network's conditionals and leaves, drawn from by inversion.

Inversion (a sorted cumulative table and a bisection inside one row) is as fast here as alias tables and keeps
two things they lose: a table recompiled under evidence costs one cumulative sum, and draws are monotone in
their uniforms, which stratified sampling needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from persona_engine.census_priors.hierarchy import Hierarchy
from persona_engine.generator.model.leaves import Leaf
from persona_engine.generator.model.network import Node
from persona_engine.generator.sampling.conditioning import Weights

Codes = npt.NDArray[np.int64]
Index = npt.NDArray[np.int64]
Uniform = npt.NDArray[np.float64]
Lookup = Index | int
"""What each code of a parent adds to the row number; a number if that is the code times it."""

GUIDE = 16
BEYOND = 2.0
CHUNK = 1 << 12


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
    lookups: Mapping[str, Lookup]
    width: int
    cumulative: npt.NDArray[np.float32]
    firsts: Index
    guide: npt.NDArray[np.uint8]
    refines: str | None = None
    certain: tuple[str, Codes] | None = None

    def draw(self, codes: Mapping[str, Codes], u: Uniform) -> Codes:
        """Child codes for uniforms u, given the codes of every earlier attribute."""
        row = _row(self.lookups, codes, len(u))
        run = None if self.refines is None else codes[self.refines]
        if self.certain is None:
            return self._draw(row, run, u)
        parent, values = self.certain
        result = values.take(codes[parent], mode="clip")
        drawn = np.flatnonzero(result < 0)
        result[drawn] = self._draw(row[drawn], None if run is None else run[drawn], u[drawn])
        return result

    def _draw(self, row: Codes, run: Codes | None, u: Uniform) -> Codes:
        slot = (u * GUIDE).astype(np.int64)
        base = row * self.width
        if run is None:
            slot += row * GUIDE
            found = base + self.guide.take(slot, mode="clip")
        else:
            slot += (row * len(self.firsts) + run) * GUIDE
            found = self.firsts.take(run, mode="clip")
            found += base
            found += self.guide.take(slot, mode="clip")
        _advance(self.cumulative, found, u.astype(np.float32))
        found -= base
        return found


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
    lookups: Mapping[str, Lookup]
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


def _row(lookups: Mapping[str, Lookup], codes: Mapping[str, Codes], count: int) -> Codes:
    row = np.zeros(count, dtype=np.int64)
    for parent, part in lookups.items():
        row += codes[parent] * part if isinstance(part, int) else part.take(codes[parent], mode="clip")
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
    lookups: dict[str, Lookup] = {}
    stride = 1
    for axis in range(len(node.parents) - 1, -1, -1):
        parent = node.parents[axis]
        positions = node.axis_codes(parent, len(hierarchy.domain[parent]))
        plain = bool((positions == np.arange(len(positions))).all())
        lookups[parent] = stride if plain else positions.astype(np.int64) * stride
        stride *= node.table.shape[axis]
    certain = None if node.certain is None else (node.certain[0], node.certain[1].astype(np.int64))
    return TableStep(
        node.child, lookups, states, cumulative.ravel(), firsts, guide.ravel(), node.refines, certain
    )


def _guide(cumulative: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Entries of each row at or below i / GUIDE, for i from 0 to GUIDE - 1; at most 255, a place to start from."""
    rows = len(cumulative)
    slots = np.minimum(np.ceil(cumulative * GUIDE), GUIDE).astype(np.int64)
    slots += np.arange(rows)[:, None] * (GUIDE + 1)
    counts = np.bincount(slots.ravel(), minlength=rows * (GUIDE + 1)).reshape(rows, GUIDE + 1)
    return np.minimum(np.cumsum(counts[:, :GUIDE], axis=1), 255).astype(np.uint8)


def compile_leaf(leaf: Leaf, allowed: Weights | None = None) -> RaggedStep:
    """Cumulative rows of a leaf, states weighted if weights (or a mask of those allowed) are given."""
    table = leaf.table
    weights = table.probabilities if allowed is None else table.probabilities * allowed[table.indices]
    cumulative = np.cumsum(weights, dtype=np.float64)
    before = np.where(table.indptr > 0, cumulative.take(table.indptr - 1, mode="clip"), 0.0)
    totals = np.diff(before)
    scales = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
    lengths = np.diff(table.indptr)
    for top in range(0, len(lengths), CHUNK):  # a chunk at a time: a table of names has millions of entries
        rows = slice(top, top + CHUNK)
        part = cumulative[table.indptr[top] : table.indptr[min(top + CHUNK, len(lengths))]]
        part -= np.repeat(before[:-1][rows], lengths[rows])
        part *= np.repeat(scales[rows], lengths[rows])
    lookups: dict[str, Lookup] = {}
    for axis, parent in enumerate(leaf.parents):
        stride = int(np.prod(leaf.rows.shape[axis + 1 :], dtype=np.int64))
        lookups[parent] = stride
    cells = leaf.rows.ravel()
    return RaggedStep(
        leaf.child, lookups, table.indptr[:-1][cells], lengths[cells], cumulative, table.indices
    )
