"""Network fit: fits the declared graph to the declared tables, core first, then child by child."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from census_personas.census_priors.coverage import uncounted
from census_personas.census_priors.declaration import ConditionalDeclaration
from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Codes32, Floats, Floats32, Indices
from census_personas.generator.model import fit_memory as footprint
from census_personas.generator.model import fitting
from census_personas.generator.model.child_margin import Wanted, child_margin
from census_personas.generator.model.contradiction import refuse_contradictions
from census_personas.generator.model.core_factoring import within_memory
from census_personas.generator.model.fitting import FitError
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node
from census_personas.generator.model.reconciliation import reconciled
from census_personas.generator.model.shrinkage import child_axis, shrink

log = logging.getLogger(__name__)


def fit_network(priors: Priors) -> Network:
    """Fit the declared model to the declared tables; as a cascade where memory is short.

    Raises:
        FitError: a node has no table, tables disagree, or no part of the model can keep a structural zero.
        TableError: a table file is missing or bad.
    """
    priors = within_memory(priors)
    _check_states(priors)
    _check_zeros(priors)
    footprint.check(priors)
    wanted = [_shrunk(priors, source, names) for source, names in priors.tables]
    for fault in uncounted(priors, [item.table for item in wanted]):
        raise FitError(f"{priors.locale}: {fault}")
    network = _fit_core(priors, wanted)
    for node in priors.declaration.model.conditionals:
        network = _add(priors, network, node, wanted)
    return network


def _fit_core(priors: Priors, wanted: Sequence[Wanted]) -> Network:
    attributes, hierarchy = priors.declaration.model.core, priors.hierarchy
    shape = priors.domain.project(attributes).shape
    core: Floats32 = np.full(shape, 1.0 / np.prod(shape), dtype=np.float32)
    _clear(core, attributes, priors)
    margins = [
        fitting.margin_of(item.table, item.values, attributes, hierarchy, item.persons, item.priority)
        for item in _within(priors, wanted, attributes)
    ]
    if not margins:
        raise FitError(f"core: no declared table is over {', '.join(attributes)}")
    for axis, name in enumerate(attributes):
        if not any(axis in margin.axes for margin in margins):
            raise FitError(
                f"core: no table over {', '.join(attributes)} alone has {name}, so the shares of its states are "
                f"unknown; declare such a table, or make {name} the child of a conditional"
            )
    refuse_contradictions(margins, range(len(attributes)), attributes, hierarchy)
    agreement = priors.declaration.agreement
    distance = fitting.fit(core, reconciled(margins, "core", agreement), "core", agreement)
    if not core.sum(dtype=np.float64) > 0:
        raise FitError("core: zeros and empty cells leave nobody; loosen `zeros` in priors.yaml")
    return Network(hierarchy, attributes, core / core.sum(dtype=np.float64), (), {"core": distance})


def _shrunk(priors: Priors, source: str, names: Sequence[str]) -> Wanted:
    table, declared = priors.table(names), priors.declaration.sources[source]
    persons = 0.0 if table.samples is None else float(table.samples.sum())
    values = shrink(table.probabilities(), persons, declared.design_effect, child_axis(priors, names))
    return Wanted(table, values, persons / declared.design_effect, declared.priority)


def _within(priors: Priors, wanted: Sequence[Wanted], scope: Sequence[str]) -> list[Wanted]:
    """Select the tables over attributes of a scope, and margins of other tables that add something to them.

    A table that does not count everybody gives no margin.
    """
    hierarchy = priors.hierarchy
    inside = [item for item in wanted if fitting.informs(item.table.domain.attributes, scope, hierarchy)]
    known = [_views(item.table.domain.attributes, scope, hierarchy) for item in inside]
    margins: dict[tuple[str, ...], Wanted] = {}
    for item in wanted:
        names = item.table.domain.attributes
        kept = tuple(name for name in names if _views((name,), scope, hierarchy))
        views = _views(kept, scope, hierarchy)
        if not 1 < len(kept) < len(names) or len(views) < len(kept) or any(views <= other for other in known):
            continue
        if kept not in margins and priors.universe(names) == "everybody":
            summed = tuple(axis for axis, name in enumerate(names) if name not in kept)
            margins[kept] = replace(item, table=item.table.project(kept), values=item.values.sum(axis=summed))
    return [*inside, *margins.values()]


def _views(names: Sequence[str], scope: Sequence[str], hierarchy: Hierarchy) -> frozenset[str]:
    """Return the attributes of a scope that are in `names` or have a coarser view there."""
    return frozenset(fine for name in names for fine in scope if hierarchy.refines(fine, name))


def _check_states(priors: Priors) -> None:
    """Refuse a model that names an unknown state."""
    model, domain = priors.declaration.model, priors.domain
    named = [("zeros", name, state) for zero in model.zeros for name in zero for state in zero[name]]
    for node in model.conditionals:
        for parent, certain in node.otherwise.items():
            place = f"conditionals.{node.child}.otherwise"
            named += [(place, parent, state) for state in certain]
            named += [(place, node.child, state) for state in certain.values()]
    for place, name, state in named:
        try:
            domain.code(name, state)
        except DomainError as error:
            raise FitError(f"{priors.folder / 'priors.yaml'}: model.{place}: {error}") from error


def _check_zeros(priors: Priors) -> None:
    """Refuse a zero that lies neither in the core nor in the table of a child that it names."""
    model, refines = priors.declaration.model, priors.hierarchy.refines
    for zero in model.zeros:
        kept = all(_has(model.core, name, priors) for name in zero) or any(
            any(refines(node.child, name) for name in zero)
            and all(_has((*node.parents, node.child), name, priors) for name in zero)
            for node in model.conditionals
        )
        if not kept:
            raise FitError(
                f"zeros: no part of the model has {', '.join(zero)} together, so this zero would be ignored; make "
                f"one of them a child of the others"
            )


def _has(scope: Sequence[str], name: str, priors: Priors) -> bool:
    return any(priors.hierarchy.refines(fine, name) for fine in scope)


def _clear(
    array: Floats32, scope: Sequence[str], priors: Priors, certain: tuple[str, Codes32] | None = None
) -> None:
    """Set the structural zeros within an array's scope; the axis of `certain` has only its open states."""
    for zero in priors.declaration.model.zeros:
        if all(_has(scope, name, priors) for name in zero):
            index: list[Indices] = [np.arange(size) for size in array.shape]
            for name, states in zero.items():
                axis = next(i for i, fine in enumerate(scope) if priors.hierarchy.refines(fine, name))
                named = [priors.domain.code(name, state) for state in states]
                hit = np.isin(priors.hierarchy.codes(scope[axis], name), named)
                if certain is not None and certain[0] == scope[axis]:
                    hit = hit[certain[1] < 0]
                index[axis] = np.intersect1d(index[axis], np.flatnonzero(hit))
            array[np.ix_(*index)] = 0


def _add(
    priors: Priors, network: Network, declared: ConditionalDeclaration, wanted: Sequence[Wanted]
) -> Network:
    hierarchy, child = network.hierarchy, declared.child
    refines = next((p for p in declared.parents if hierarchy.refines(child, p)), None)
    if refines is not None:
        _check_refinement(hierarchy, declared, refines)
    parents = tuple(p for p in declared.parents if p != refines)
    certain = _certain(network, declared)
    empty = Node(child, parents, np.empty(0, dtype=np.float32), refines, certain)
    start = _start(network, empty)
    scope = (*parents, child)
    _keep_from_zeros(start, priors, network, empty)
    margins = [
        child_margin(network, empty, start, item, declared.back_off)
        for item in _within(priors, wanted, scope)
        if any(hierarchy.refines(child, name) for name in item.table.domain)
    ]
    if not margins:
        raise FitError(f"{child}: no declared table has it with parents {', '.join(declared.parents)}")
    refuse_contradictions(margins, [len(scope) - 1], scope, hierarchy)
    agreement = priors.declaration.agreement
    margins = [*reconciled(margins, child, agreement), _rows(network, empty, start)]
    array = start.copy()
    distance = fitting.fit(array, margins, child, agreement)
    table32 = _normalise(network, array, empty)
    node = Node(child, parents, table32, refines, certain)
    log.info("fitted %s: %d cells, largest distance to a table %.4f", child, table32.size, distance)
    return replace(network, nodes=(*network.nodes, node), distances={**network.distances, child: distance})


def _keep_from_zeros(start: Floats32, priors: Priors, network: Network, node: Node) -> None:
    """Set the structural zeros of a start in place, and spread their share over the other states of the row.

    Otherwise the row would stand for too few people, and tables that do not distinguish these parents would be matched
    with too many people of other rows.
    """
    scope = (*node.parents, node.child)
    groups = _row_groups(network, node)
    before = _row_sums(start, groups)
    _clear(start, scope, priors, node.certain)
    after = _row_sums(start, groups)
    if ((after <= 0) & (before > 0)).any():
        row = np.argwhere((after <= 0) & (before > 0))[0]
        raise FitError(f"{node.child}: zeros leave no state of it where {_where(network, node, row)}")
    ratio = np.divide(before, after, out=np.zeros_like(after), where=after > 0)
    start *= np.take(ratio.astype(np.float32), groups, axis=-1)


def _where(network: Network, node: Node, row: Indices) -> str:
    """Describe the people of a row as `parent=state, …`."""
    domain = network.hierarchy.domain
    parts = []
    for parent, position in zip(node.parents, row[:-1], strict=True):
        code = np.flatnonzero(node.axis_codes(parent, len(domain[parent])) == position)[0]
        parts.append(f"{parent}={domain[parent][code]}")
    if node.refines is not None:
        parts.append(f"{node.refines}={domain[node.refines][row[-1]]}")
    return ", ".join(parts)


def _check_refinement(hierarchy: Hierarchy, declared: ConditionalDeclaration, parent: str) -> None:
    child = declared.child
    if declared.otherwise:
        raise FitError(
            f"{child}: `otherwise` is not allowed for a child that refines a parent ({parent}); remove it"
        )
    if parent in declared.back_off:
        raise FitError(f"{child}: back_off: {parent} cannot be dropped, because {child} refines it")
    runs = hierarchy.codes(child, parent)
    if (
        not np.array_equal(np.unique(runs), np.arange(len(hierarchy.domain[parent])))
        or (np.diff(runs) < 0).any()
    ):
        raise FitError(
            f"{child}: states that belong to one state of {parent} must be adjacent and in its order; reorder the "
            f"states of {child} in priors.yaml"
        )


def _certain(network: Network, declared: ConditionalDeclaration) -> tuple[str, Codes32] | None:
    domain = network.hierarchy.domain
    for parent, states in declared.otherwise.items():
        codes = np.full(len(domain[parent]), -1, dtype=np.int32)
        for state, value in states.items():
            codes[domain.code(parent, state)] = domain.code(declared.child, value)
        return parent, codes
    return None


def _start(network: Network, node: Node) -> Floats32:
    """Spread P(parents) evenly over the child's states, as float32 over (*parents, child)."""
    states = network.size(node.child)
    if node.refines is not None:
        coarse = network.hierarchy.codes(node.child, node.refines)
        share = 1.0 / np.bincount(coarse)[coarse]
        parents = network.joint((*node.parents, node.refines))
        return np.asarray(np.take(parents.astype(np.float32), coarse, axis=-1) * share.astype(np.float32))
    joint = network.open_parents(node)
    free = np.ones(states, dtype=np.float32)
    if node.certain is not None:
        free[np.unique(node.certain[1][node.certain[1] >= 0])] = 0
    return np.asarray(joint[..., None].astype(np.float32) * (free / free.sum()))


def _row_groups(network: Network, node: Node) -> Codes32:
    """Return the group of every child state; a row is a distribution within each group."""
    if node.refines is None:
        return np.zeros(network.size(node.child), dtype=np.int32)
    return network.hierarchy.codes(node.child, node.refines)


def _row_sums(array: Floats32, groups: Codes32) -> Floats:
    return np.asarray(
        np.add.reduceat(array, np.flatnonzero(np.diff(groups, prepend=-1)), axis=-1, dtype=np.float64)
    )


def _rows(network: Network, node: Node, start: Floats32) -> fitting.Margin:
    """Constrain the fit to the model's joint of the parents, which the child's tables do not determine.

    Without it the fit would match the tables by changing that joint, and miss them under the model's own.
    """
    groups = _row_groups(network, node)
    wanted = _row_sums(start, groups)
    kept = [np.arange(size, dtype=np.int32) for size in start.shape[:-1]]
    return fitting.Margin("its parents", tuple(range(start.ndim)), (*kept, groups), wanted)


def _normalise(network: Network, array: Floats32, node: Node) -> Floats32:
    groups = _row_groups(network, node)
    spread = np.take(_row_sums(array, groups), groups, axis=-1)
    shares = np.divide(array, spread, out=np.zeros_like(spread), where=spread > 0)
    return np.asarray(shares, dtype=np.float32)
