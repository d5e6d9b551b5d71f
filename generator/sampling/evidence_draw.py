"""Evidence draw: draws children and leaves whose evidence differs from row to row."""

from __future__ import annotations

import numpy as np

from census_personas.foundation.arrays import AnyCodes, Floats, Indices, Integers
from census_personas.foundation.randomness import Fractions
from census_personas.generator.sampling.elimination import Conditional, table_weights, times
from census_personas.generator.sampling.leaf_columns import LeafColumns
from census_personas.generator.sampling.open_states import Known
from census_personas.generator.sampling.people_grid import CELLS
from census_personas.generator.sampling.sampler import CodesByAttribute, Step


def _units(numbers: Fractions) -> Floats:
    """Return uniform numbers in [0, 1): midpoints of 2^32 equal intervals."""
    return np.asarray((numbers + 0.5) * 2.0**-32)


def pick(weights: Floats, row: Integers, uniform: Floats) -> Integers:
    """Draw a position in a row of weights for each number, by bisection of the running sums."""
    sums = np.cumsum(weights, axis=1)
    width = sums.shape[1]
    total = sums[row, -1]
    wanted = np.minimum(uniform * total, np.nextafter(total, 0.0))
    flat, base = sums.ravel(), row * width
    low, high = np.zeros(len(row), dtype=np.int64), np.full(len(row), width - 1, dtype=np.int64)
    for _ in range((width - 1).bit_length()):
        middle = (low + high) >> 1
        beyond = flat.take(base + middle) <= wanted
        low, high = np.where(beyond & (low < high), middle + 1, low), np.where(beyond, high, middle)
    return low


def draw_child(
    conditional: Conditional,
    step: Step,
    known: Known,
    owner: Indices,
    drawn: CodesByAttribute,
    numbers: Fractions,
) -> AnyCodes:
    """Draw codes of a node's child.

    Args:
        conditional: the node, and the messages about its child.
        step: draws from the node's own table, for rows without evidence on the child.
        known: what is known of people.
        owner: the person of each row.
        drawn: codes of attributes drawn before.
        numbers: one for each row.
    """
    node = conditional.node
    own = known.of(node.child)
    width = own.widths[own.ids[owner]]
    codes: Integers = own.states[own.ids[owner], 0]
    changed = conditional.changed[owner]
    plain = np.flatnonzero((width > 1) & ~changed)
    if len(plain):
        codes[plain] = step.draw(drawn.of_rows(plain), numbers[plain])
    for size in np.unique(width[(width > 1) & changed]).tolist():
        rows = np.flatnonzero((width == size) & changed)
        most = max(CELLS // size, 1)
        for top in range(0, len(rows), most):
            some = rows[top : top + most]
            states = own.states[own.ids[owner[some]]][:, :size]
            weights = _weights(conditional, known, owner[some], drawn.of_rows(some), states)
            place = pick(weights, np.arange(len(some)), _units(numbers[some]))
            codes[some] = states[np.arange(len(some)), place]
    return codes


def _weights(
    conditional: Conditional, known: Known, people: Indices, drawn: CodesByAttribute, states: Integers
) -> Floats:
    """Compute P(child | drawn attributes, evidence below) up to a factor, one row per person."""
    node, hierarchy = conditional.node, known.hierarchy
    named = (*node.conditions, *(name for grid in conditional.messages for name in grid.scope))
    # A view of the child is looked up from the child, which is not drawn yet.
    needed = [name for name in dict.fromkeys(named) if hierarchy.source(name, drawn) is not None]
    codes = {name: drawn[name][:, None].astype(np.int64) for name in needed} | {node.child: states}
    weights = table_weights(node, codes, hierarchy)
    if node.refines is not None:
        weights = weights * (hierarchy.codes(node.child, node.refines)[states] == codes[node.refines])
    return times(weights, conditional.messages, people, codes)


def draw_leaf(
    columns: LeafColumns,
    step: Step,
    known: Known,
    owner: Indices,
    drawn: CodesByAttribute,
    numbers: Fractions,
) -> AnyCodes:
    """Draw codes of a leaf; arguments as for `draw_child`."""
    leaf = columns.leaf
    states = known.leaves.get(leaf.child)
    ids = np.full(len(owner), -1) if states is None else states.ids[owner]
    codes = np.zeros(len(owner), dtype=np.int64)
    plain = np.flatnonzero(ids < 0)
    if len(plain):
        codes[plain] = step.draw(drawn.of_rows(plain), numbers[plain])
    rest = np.flatnonzero(ids >= 0)
    if states is None or not len(rest):
        return codes
    row = leaf.rows[tuple(drawn[name][rest] for name in leaf.parents)] + np.zeros(len(rest), dtype=np.int64)
    pairs, group = np.unique(np.stack([ids[rest], row], axis=1), axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    bounds = np.searchsorted(group.ravel()[order], np.arange(len(pairs) + 1))
    for number, (which, at) in enumerate(pairs.tolist()):
        mine = rest[order[bounds[number] : bounds[number + 1]]]
        if len(states.sets[which]) == 1:
            codes[mine] = states.sets[which][0]
            continue
        found, shares = leaf.table.row(at)
        kept = np.isin(found, states.sets[which], assume_unique=True)
        weights = shares[kept].astype(np.float64)[None, :]
        place = pick(weights, np.zeros(len(mine), dtype=np.int64), _units(numbers[mine]))
        codes[mine] = found[kept][place]
    return codes
