"""Expectation: the tables against which a dataset is tested, from the model or from the census."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.table_file import table_path
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.model.fitting import FitError
from census_personas.generator.model.network import Network
from census_personas.generator.population.population import Population

_BUNDLED = 250_000  # most cells of a joint table from which several tables are summed
_MOST_KEPT = 8  # under 1 MB each for en_US


@dataclass(frozen=True, slots=True)
class _Kept:
    """Shares of the model by network, selection and tables, the last used at the end."""

    results: OrderedDict[Any, tuple[Network, dict[tuple[str, ...], Marginal]]] = field(
        default_factory=OrderedDict
    )
    lock: Lock = field(default_factory=Lock)


_KEPT = _Kept()


class Expectation:
    """Tables that a dataset should follow: of the model under the run's selection, and of the census.

    A dataset is tested against the model, from which its rows are drawn. The distance between the model and a published
    table is the same in every run, and is reported beside.
    """

    def __init__(
        self,
        population: Population,
        where: Mapping[str, Any] | None = None,
        target: Mapping[str, Any] | None = None,
    ) -> None:
        """Take the population, and the condition and target marginals of the dataset's sample."""
        self._population = population
        self._where = where or None
        self._target = target or None

    @property
    def priors(self) -> Priors:
        """The locale of the tables."""
        return self._population.priors

    @property
    def core(self) -> tuple[str, ...]:
        """Attributes of the model's core."""
        return tuple(self._population.network.core_attributes)

    @property
    def chosen(self) -> frozenset[str]:
        """Attributes by which the people were selected."""
        return frozenset((*(self._where or ()), *(self._target or ())))

    @property
    def independent(self) -> bool:
        """Whether the graph's independences hold: not if people were selected by children of the core.

        Selecting by an effect makes its causes dependent on each other; selecting by core attributes does not.
        """
        root, domain = self.priors.hierarchy.root, self.priors.domain
        core = {root(name) for name in self.core}
        return all(name in domain and root(name) in core for name in self.chosen)

    def marginal(self, table: Sequence[str]) -> Marginal | None:
        """Return counts over attributes: from a published table, else from the model; None if neither has them."""
        published = self.published(table)
        return self.modelled(table) if published is None else published

    def modelled(self, table: Sequence[str]) -> Marginal | None:
        """Return shares of the model over attributes, under the selection; None if it cannot compute them."""
        try:
            return self._population.marginal(table, where=self._where, target=self._target)
        except (DomainError, EvidenceError, TableError, FitError):
            return None

    def modelled_all(self, tables: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], Marginal]:
        """Compute `modelled` for many tables, bundling tables of one child and its parents.

        The last few results are kept: a process that writes many reports of one selection computes them once.
        """
        wanted = tuple(sorted(tables))
        selection = json.dumps([self._where, self._target], sort_keys=True, default=str)
        network = self._population.network
        key = id(network), selection, wanted
        with _KEPT.lock:
            if key in _KEPT.results:
                _KEPT.results.move_to_end(key)
                return dict(_KEPT.results[key][1])
        found = self._computed(wanted)
        with _KEPT.lock:
            _KEPT.results[key] = network, found  # the network too, or another could get its id
            while len(_KEPT.results) > _MOST_KEPT:
                _KEPT.results.popitem(last=False)
        return dict(found)

    def _computed(self, tables: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], Marginal]:
        found: dict[tuple[str, ...], Marginal] = {}
        for bundle, members in self._bundles(tables):
            together = self.modelled(bundle)
            for table in members:
                one = self.modelled(table) if together is None else together.project(table)
                if one is not None:
                    found[table] = one
        return found

    def _bundles(
        self, tables: Iterable[tuple[str, ...]]
    ) -> list[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
        """Group tables that can be summed from one joint table."""
        size = self.priors.domain.project
        bundles: list[tuple[str | None, tuple[str, ...], list[tuple[str, ...]]]] = []
        for table in sorted(tables, key=lambda names: -size(names).size):
            family = self._family(table)
            for place, (other, bundle, members) in enumerate(bundles):
                union = tuple(dict.fromkeys((*bundle, *table)))
                if family is not None and family == other and size(union).size <= _BUNDLED:
                    bundles[place] = (family, union, [*members, table])
                    break
            else:
                bundles.append((family, table, [table]))
        return [(bundle, members) for _, bundle, members in bundles]

    def _family(self, table: Sequence[str]) -> str | None:
        """Return the child whose family has all these attributes; None if there is none.

        It is the last such child, so that no other is summed out; the core is "".
        """
        network, refines = self._population.network, self.priors.hierarchy.refines
        for node in reversed(network.nodes):
            if any(network.gives(node, name) for name in table):
                scope = (node.child, *node.parents)
                inside = all(any(refines(finer, name) for finer in scope) for name in table)
                return node.child if inside else None
        return ""

    def published(self, table: Sequence[str]) -> Marginal | None:
        """Return a census table over attributes; None if there is none, or if there is a selection.

        Tables of part of the population, such as workers, are ignored.
        """
        roots = {self.priors.hierarchy.root(name) for name in table if name in self.priors.domain}
        if self._where or self._target or roots & self._partial:
            return None
        try:
            found = self.priors.marginal(table)
        except (DomainError, TableError):
            return None
        return found if Path(found.source) in self._of_everybody else None

    @cached_property
    def _of_everybody(self) -> frozenset[Path]:
        """Files of the tables that cover everybody."""
        root = self.priors.hierarchy.root
        return frozenset(
            table_path(self.priors.folder, table)
            for _, table in self.priors.tables
            if not {root(name) for name in table} & self._partial
        )

    @cached_property
    def _partial(self) -> frozenset[str]:
        """Attributes whose published tables leave out people whose state is certain."""
        found = set()
        for node in self.priors.declaration.model.conditionals:
            certain = {state for states in node.otherwise.values() for state in states.values()}
            if certain:
                counts = self.priors.marginal((node.child,))
                codes = [counts.domain.code(node.child, state) for state in certain]
                if not counts.weights[codes].all():
                    found.add(self.priors.hierarchy.root(node.child))
        return frozenset(found)

    def tables(self, columns: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return every attribute, and every pair in one census table, that `columns` can show."""
        shown = {attribute: self._shown(attribute, columns) for attribute in self.priors.domain}
        singles = [(name,) for name in self.priors.domain if name in columns]
        pairs = {
            pair
            for _, table in self.priors.tables
            for one, other in combinations(table, 2)
            for pair in _ordered(shown[one], shown[other], self.priors.domain)
        }
        order = {name: position for position, name in enumerate(self.priors.domain)}
        return (*singles, *sorted(pairs, key=lambda pair: [order[name] for name in pair]))

    def with_views(self, frame: pd.DataFrame, wanted: Iterable[str]) -> pd.DataFrame:
        """Add the `wanted` coarser views of a frame's columns, as categories."""
        chains = {name: self.priors.hierarchy.chain(name) for name in wanted if name in self.priors.domain}
        finer = {
            name: next((fine for fine in chain if fine in frame), name) for name, chain in chains.items()
        }
        views = {name: self._view(frame[fine], name) for name, fine in finer.items() if fine != name}
        return frame.assign(**views)

    def _view(self, fine: pd.Series[Any], name: str) -> pd.Categorical[Any]:
        domain = self.priors.domain
        position = {str(state): code for code, state in enumerate(domain[str(fine.name)])}
        values = fine.astype("category")
        # The last position, which code -1 selects, is for values outside the domain.
        codes = np.array([*(position.get(str(v), -1) for v in values.cat.categories), -1], dtype=np.int32)
        coarse = np.append(self.priors.hierarchy.codes(str(fine.name), name), np.int32(-1))
        states = pd.Index([str(state) for state in domain[name]])
        return pd.Categorical.from_codes(coarse[codes[values.cat.codes.to_numpy()]], states)

    def _shown(self, attribute: str, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the attribute itself if the columns decide it, else its views among the columns."""
        hierarchy = self.priors.hierarchy
        if any(finer in columns for finer in hierarchy.chain(attribute)):
            return (attribute,)
        return tuple(
            name for name in columns if name in hierarchy.domain and hierarchy.refines(attribute, name)
        )


def _ordered(ones: Sequence[str], others: Sequence[str], order: Iterable[str]) -> set[tuple[str, ...]]:
    position = {name: place for place, name in enumerate(order)}
    return {
        tuple(sorted((one, other), key=position.__getitem__))
        for one in ones
        for other in others
        if one != other
    }
