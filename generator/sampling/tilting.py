"""Tilting: finds the distribution with the target marginals that is nearest to the model (I-projection).

Of all distributions with the target shares, the one with the least relative entropy to the model is the model times
one weight per target cell (Csiszar 1975). Iterative proportional fitting of the joint of the target cells gives the
weights; the weighted model is then the model conditioned exactly on soft evidence.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from census_personas.foundation.arrays import Floats, Indices
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.model.network import MOST_CELLS, Network
from census_personas.generator.sampling.conditioning import Conditioned, Evidence, condition
from census_personas.generator.sampling.marginals import Axis, joint
from census_personas.generator.sampling.message import Message
from census_personas.generator.sampling.target import Target, shares_of

MOST_ROUNDS = 2000
CLOSE = 1e-7
PATIENCE = 25
"""Rounds within which the largest miss must shrink by a hundredth."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tilted:
    """A conditioned model with the target marginals.

    Attributes:
        given: the model.
        achieved: target -> cell -> (target share, share in the model).
        nats: relative entropy (KL divergence) to the model before, in nats per person.
        evidence, factors: the soft evidence that turns the unconditioned model into this one.
    """

    given: Conditioned
    achieved: Mapping[str, Mapping[str, tuple[float, float]]]
    nats: float
    evidence: Evidence
    factors: Sequence[Message]


def tilt(
    network: Network,
    leaves: Sequence[Leaf],
    evidence: Evidence,
    targets: Sequence[Target],
    conditioned: Conditioned,
) -> Tilted:
    """Change a model, conditioned on `evidence`, to meet the targets.

    Args:
        network: the model before any condition.
        leaves: attributes outside the network.
        evidence: the conditions, as masks.
        targets: target marginals.
        conditioned: the model given the evidence.

    Raises:
        EvidenceError: a cell with a target share is empty, or targets contradict each other.
    """
    table = cell_table(conditioned, leaves, targets)
    wanted = [shares_of(target, _margin(table, axis), target.within) for axis, target in enumerate(targets)]
    weights = _scale(table, wanted, targets)
    factors, combined = weigh(evidence, targets, weights, network)
    given = condition(network, leaves, combined, factors)
    have = cell_table(given, leaves, targets)
    inside = (have > 0) & (table > 0)
    nats = float((have[inside] * np.log(have[inside] / table[inside])).sum())
    achieved = {}
    for axis, (target, want) in enumerate(zip(targets, wanted, strict=True)):
        got = _margin(have, axis)
        achieved[target.name] = {
            label: (float(a), float(b))
            for label, a, b in zip(target.labels, want, got, strict=True)
            if a > 0 or b > 0
        }
        log.info("target.%s: met to within %.2g", target.name, float(np.abs(got - want).max()))
    return Tilted(replace(given, probability=conditioned.probability), achieved, nats, combined, factors)


def cell_table(given: Conditioned, leaves: Sequence[Leaf], targets: Sequence[Target]) -> Floats:
    """Compute P(cell of each target), one axis per target."""
    sizes = [len(target.labels) for target in targets]
    if np.prod(sizes, dtype=np.float64) > MOST_CELLS:
        raise EvidenceError(f"target: {' x '.join(map(str, sizes))} cells are too many; use coarser cells")
    axes = {axis.attribute: _told_apart(axis, targets) for target in targets for axis in target.axes}
    full = joint(given, leaves, [axis for axis, _ in axes.values()])
    held = np.flatnonzero(full > 0)
    codes = {
        name: first[code]
        for (name, (_, first)), code in zip(axes.items(), np.unravel_index(held, full.shape), strict=True)
    }
    cells = np.ravel_multi_index(
        [target.cells[tuple(codes[axis.attribute] for axis in target.axes)] for target in targets], sizes
    )
    table = np.bincount(cells, weights=full.ravel()[held], minlength=int(np.prod(sizes)))
    return np.asarray(table.reshape(sizes) / table.sum(), dtype=np.float64)


def _told_apart(axis: Axis, targets: Sequence[Target]) -> tuple[Axis, Indices]:
    """Merge the states of an axis that no target distinguishes; return it with one state of each class."""
    seen = [
        np.moveaxis(target.cells, place, 0).reshape(len(axis.states), -1)
        for target in targets
        for place, other in enumerate(target.axes)
        if other.attribute == axis.attribute
    ]
    classes: dict[bytes, int] = {}
    rows = np.concatenate(seen, axis=1)
    codes = np.array([classes.setdefault(row.tobytes(), len(classes)) for row in rows], dtype=np.int64)
    _, first = np.unique(codes, return_index=True)
    merged = codes if axis.codes is None else codes[axis.codes]
    return replace(axis, states=tuple(range(len(first))), codes=merged), first


def _margin(table: Floats, axis: int) -> Floats:
    return np.asarray(table.sum(axis=tuple(i for i in range(table.ndim) if i != axis)), dtype=np.float64)


def _scale(table: Floats, wanted: Sequence[Floats], targets: Sequence[Target]) -> list[Floats]:
    """Compute one weight per cell and target that give the table the target margins."""
    weights = [np.ones(len(shares)) for shares in wanted]
    scaled = table.copy()
    previous = np.inf
    for number in range(MOST_ROUNDS):
        for axis, shares in enumerate(wanted):
            have = _margin(scaled, axis)
            ratio = np.divide(shares, have, out=np.zeros_like(have), where=have > 0)
            with np.errstate(over="ignore"):  # contradicting targets overflow; they are refused below
                weights[axis] *= ratio
            shape = [1] * scaled.ndim
            shape[axis] = -1
            scaled *= ratio.reshape(shape)
        misses = [float(np.abs(_margin(scaled, axis) - shares).max()) for axis, shares in enumerate(wanted)]
        if max(misses) < CLOSE:
            return weights
        if number % PATIENCE == PATIENCE - 1:
            if max(misses) > 0.99 * previous:
                break
            previous = max(misses)
    worst = int(np.argmax(misses))
    names = ", ".join(target.name for target in targets)
    cell = targets[worst].labels[int(np.abs(_margin(scaled, worst) - wanted[worst]).argmax())]
    raise EvidenceError(
        f"target: no population meets {names} together; {targets[worst].name} misses {cell!r} by "
        f"{misses[worst]:.3g}: loosen one of them"
    )


def weigh(
    evidence: Evidence, targets: Sequence[Target], weights: Sequence[Floats], network: Network
) -> tuple[list[Message], Evidence]:
    """Return evidence and factors that multiply the model by one weight per cell of each target."""
    factors: list[Message] = []
    combined = dict(evidence)
    own = {*network.core_attributes, *(node.child for node in network.nodes)}
    for target, weight in zip(targets, weights, strict=True):
        values = weight[target.cells]
        for position, axis in enumerate(target.axes):
            if axis.codes is not None:
                values = np.take(values, axis.codes, axis=position)
        sources = tuple(axis.source for axis in target.axes)
        if len(sources) == 1 and (sources[0] in own or sources[0] not in network.hierarchy.domain):
            before = combined.get(sources[0])
            combined[sources[0]] = values if before is None else before * values
        else:
            factors.append(Message(sources, values))
    return factors, combined
