"""Likelihood: log-probabilities of records under a network, attribute by attribute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Codes, Floats
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node


def log_probabilities(network: Network, priors: Priors, frame: pd.DataFrame) -> pd.DataFrame:
    """Compute log P(attribute | those before it) in nats, one column per attribute, one row per record.

    Core attributes come first, in the model's order; then every child whose column and parents are present.

    Raises:
        DomainError: a core attribute is missing or has an unknown state.
    """
    codes = codes_of(priors, frame, network)
    return log_probabilities_of(network, codes)


def codes_of(priors: Priors, frame: pd.DataFrame, network: Network) -> dict[str, Codes]:
    """Return codes of the network's attributes for every row, from columns of a dataset."""
    codes: dict[str, Codes] = {}
    names_needed = (*network.core_attributes, *(node.child for node in network.nodes))
    for name in names_needed:
        column = _column(priors, frame, name)
        if column is not None:
            known = {state: code for code, state in enumerate(priors.domain[name])}
            codes[name] = np.asarray(_mapped(column, known, name).to_numpy(dtype=np.int64), dtype=np.int64)
        elif name in network.core_attributes:
            raise DomainError(
                f"column {name!r} is missing and cannot be derived from {', '.join(map(str, frame))}"
            )
    return codes


def _column(priors: Priors, frame: pd.DataFrame, name: str) -> pd.Series | None:
    if name in frame:
        return frame[name]
    views = priors.roles.named(("schooling", "field"), among=frame)
    if len(views) == 2 and all(priors.hierarchy.refines(name, view) for view in views):
        return _joined(priors, frame, name, *views)
    fine = next((f for f in priors.hierarchy.chain(name)[1:] if f in frame), None)
    if fine is None:
        return None
    codes = priors.hierarchy.codes(fine, name)
    states = {state: priors.domain[name][codes[i]] for i, state in enumerate(priors.domain[fine])}
    return _mapped(frame[fine], states, fine)


def _joined(priors: Priors, frame: pd.DataFrame, name: str, level: str, field: str) -> pd.Series:
    """Combine two views into their common attribute; a row without a field has the level's only state."""
    domain, hierarchy = priors.domain, priors.hierarchy
    levels, fields = (
        [str(domain[view][code]) for code in hierarchy.codes(name, view)] for view in (level, field)
    )
    states = [str(state) for state in domain[name]]
    state_of = dict(zip(zip(levels, fields, strict=True), states, strict=True))
    state_of |= {
        (one, ""): state for one, state in zip(levels, states, strict=True) if levels.count(one) == 1
    }
    pairs = frame[field].astype(object).fillna("").astype(str), frame[level].astype(str)
    joined = [
        state_of.get((one, other), f"{one}-{other}" if other else one)
        for other, one in zip(*pairs, strict=True)
    ]
    return pd.Series(joined, index=frame.index, dtype=object)


def _mapped(column: pd.Series, values: Mapping[Any, Any], name: str) -> pd.Series:
    """Map every state in a column to its value; `DomainError` names the first state without one."""
    mapped = column.astype(object).map(values)
    missing = mapped.isna().to_numpy()
    if missing.any():
        row = int(missing.argmax())
        raise DomainError(f"{name}: unknown state {column.iloc[row]!r} in row {row}")
    return mapped


def log_probabilities_of(
    network: Network, codes: Mapping[str, Codes], at_least: Mapping[str, Codes] | None = None
) -> pd.DataFrame:
    """Compute `log_probabilities` from codes.

    Args:
        network: the model.
        codes: codes by attribute; children that are missing are left out.
        at_least: for some children, the first code of an open-ended interval (a top-coded age) in which the value
            lies, by row; -1 where the value itself is known.
    """
    parts: dict[str, Floats] = {}
    before: Floats = np.zeros(len(next(iter(codes.values()))))
    names = network.core_attributes
    for position, name in enumerate(names):
        joint = network.joint(names[: position + 1])
        with np.errstate(divide="ignore"):
            now = np.log(joint[tuple(codes[n] for n in names[: position + 1])])
        parts[name] = np.subtract(now, before, out=np.zeros_like(now), where=np.isfinite(before))
        before = now
    for node in network.nodes:
        if node.child in codes and all(network.hierarchy.source(name, codes) for name in node.conditions):
            tail = None if at_least is None else at_least.get(node.child)
            parts[node.child] = _node_log(node, network.hierarchy, codes, tail)
    return pd.DataFrame(parts)


def _node_log(node: Node, hierarchy: Hierarchy, codes: Mapping[str, Codes], tail: Codes | None) -> Floats:
    likelihood = node.probability(codes, hierarchy)
    if tail is not None:
        rows = np.flatnonzero(tail >= 0)
        shares = node.distribution({name: known[rows] for name, known in codes.items()}, hierarchy)
        from_here_on = np.cumsum(shares[:, ::-1], axis=1)[:, ::-1]
        likelihood[rows] = from_here_on[np.arange(len(rows)), tail[rows]]
    with np.errstate(divide="ignore"):
        return np.log(likelihood)
