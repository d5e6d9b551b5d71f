"""Child margins: census tables turned into constraints for the fit of one child attribute."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from census_personas.census_priors.marginal import Marginal
from census_personas.foundation.arrays import Codes32, Floats, Floats32, Mask
from census_personas.generator.model import fitting
from census_personas.generator.model.fitting import FitError, Margin, coarsen
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node

NOBODY = 1e-9
"""Population share that counts as zero: less than one person in a thousand million."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A census table prepared for the fit.

    Attributes:
        table: the table as read from its file.
        values: its probabilities after shrinkage.
        persons: effective sample size; 0 for a full count.
        priority: of its source.
    """

    table: Marginal
    values: Floats
    persons: float
    priority: int


def child_margin(
    network: Network, node: Node, start: Floats32, wanted: Wanted, back_off: Sequence[str] = ()
) -> Margin:
    """Build the constraint P(child | its parents) x the model's own P(its parents): tables need not agree on parents.

    Parent states that make the child certain are left out.

    Args:
        network: the model so far.
        node: the child; its table is not read.
        start: P(parents) spread over the child's states.
        wanted: the table.
        back_off: parents to drop, in this order, for combinations of parents that the table lacks.

    Raises:
        FitError: the table lacks a combination of parents that occurs in the model, and no back-off covers it.
    """
    scope = (*node.parents, node.child)
    margin = fitting.margin_of(
        wanted.table, wanted.values, scope, network.hierarchy, wanted.persons, wanted.priority
    )
    if node.certain is not None:
        margin = _open_states(node, margin, scope)
    have = margin.project(start)
    values = np.where(have > 0, margin.wanted, 0.0)
    groups = _groups(network, node, wanted.table, margin)
    totals, model = _sum_groups(values, groups), _sum_groups(have, groups)
    scale = np.divide(model, totals, out=np.zeros_like(model), where=totals > 0)
    conditioned = values * np.take(scale, groups, axis=-1)
    conditioned = np.where(np.take(totals, groups, axis=-1) > 0, conditioned, have)
    bare = (totals <= 0) & (model > NOBODY) & (np.bincount(groups) > 1)
    for number in range(1, len(back_off) + 1):
        if not bare.any():
            break
        dropped = tuple(i for i, axis in enumerate(margin.axes[:-1]) if scope[axis] in back_off[:number])
        pooled = values.sum(axis=dropped, keepdims=True) * (have > 0)
        rows = _sum_groups(pooled, groups)
        filled = bare & (rows > 0)
        share = np.divide(model, rows, out=np.zeros_like(model), where=filled)
        conditioned += np.where(
            np.take(filled, groups, axis=-1), pooled * np.take(share, groups, axis=-1) - conditioned, 0.0
        )
        if filled.any():
            log.warning(
                "%s: %s lacks the cells of %.3g %% of people (%s); their distribution is pooled over %s",
                node.child,
                margin.name,
                100 * model[filled].sum(),
                _shown(network, node, wanted.table, margin, filled, model),
                ", ".join(back_off[:number]),
            )
        bare &= ~filled
    if bare.any():
        _refuse(network, node, wanted.table, margin, bare, model)
    return replace(margin, wanted=conditioned)


def _refuse(network: Network, node: Node, table: Marginal, margin: Margin, bare: Mask, model: Floats) -> None:
    shown = _shown(network, node, table, margin, bare, model)
    names = shown.replace("=", " ").split()[::2]
    others = [name for name in node.parents if any(network.hierarchy.refines(name, n) for n in names)]
    remedy = f", or pool them with others: `back_off: [{', '.join(others)}]`" if others else ""
    raise FitError(
        f"{table.source}: nobody with {shown} ({model[bare].sum():.3g} of the people), so {node.child} is unknown "
        f"there; add these cells, or declare the state of {node.child} in priors.yaml that is certain for them "
        f"(`otherwise`){remedy}"
    )


def _shown(network: Network, node: Node, table: Marginal, margin: Margin, bare: Mask, model: Floats) -> str:
    """Name a parent state that the table lacks altogether, else the most common combination that it lacks."""
    hierarchy, scope = network.hierarchy, (*node.parents, node.child)
    names = [
        next(name for name in table.domain if hierarchy.refines(scope[axis], name))
        for axis in margin.axes[:-1]
    ]
    if bare.shape[-1] > 1:
        names.append(node.refines or node.child)
    people = np.where(bare, model, 0.0)
    if bare.shape[-1] == 1:
        people, model, bare = people[..., 0], model[..., 0], bare[..., 0]
    for axis, name in enumerate(names):
        others = tuple(i for i in range(bare.ndim) if i != axis)
        lacking = people.sum(axis=others) >= model.sum(axis=others) - NOBODY
        lacking &= people.sum(axis=others) > 0
        if lacking.any():
            return f"{name}={hierarchy.domain[name][int(np.argmax(lacking))]}"
    cell = np.unravel_index(int(np.argmax(people)), people.shape)
    return ", ".join(
        f"{name}={hierarchy.domain[name][int(code)]}" for name, code in zip(names, cell, strict=True)
    )


def _open_states(node: Node, margin: Margin, scope: Sequence[str]) -> Margin:
    parent, certain = node.certain or ("", np.empty(0, dtype=np.int32))
    codes = list(margin.codes)
    for position, axis in enumerate(margin.axes):
        if scope[axis] == parent and len(codes[position]) == len(certain):
            codes[position] = codes[position][certain < 0]
    return replace(margin, codes=tuple(codes))


def _groups(network: Network, node: Node, table: Marginal, margin: Margin) -> Codes32:
    """Return the group of every child state; rows sum to the parents' probability within each group."""
    hierarchy = network.hierarchy
    name = next(name for name in table.domain if hierarchy.refines(node.child, name))
    states = margin.wanted.shape[-1]
    if node.refines is None or not hierarchy.refines(name, node.refines):
        return np.zeros(states, dtype=np.int32)
    return hierarchy.codes(name, node.refines)


def _sum_groups(values: Floats, groups: Codes32) -> Floats:
    kept = [np.arange(size, dtype=np.int32) for size in values.shape[:-1]]
    return coarsen(values, [*kept, groups], (*values.shape[:-1], int(groups.max()) + 1))
