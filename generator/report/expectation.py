"""Expectation: the tables that a dataset is tested against, from the model or from the census."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.table_file import table_path
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.model.fitting import FitError
from census_personas.generator.population.population import Population

_BUNDLED = 250_000  # cells of a table that several are taken from


class Expectation:
    """What a dataset should follow: the model under the run's selection; and the census that the model was fitted to.

    A dataset is tested against the model, from which its rows are drawn. How far the model lies from a published table
    is the same in every run, and is told beside.
    """

    def __init__(
        self,
        population: Population,
        where: Mapping[str, Any] | None = None,
        target: Mapping[str, Any] | None = None,
    ) -> None:
        """`where` is the condition that the dataset was sampled under, `target` the marginals that were wanted."""
        self._population = population
        self._where = where or None
        self._target = target or None

    @property
    def priors(self) -> Priors:
        """The tables themselves."""
        return self._population.priors

    @property
    def core(self) -> tuple[str, ...]:
        """Attributes of the model's core."""
        return tuple(self._population.network.core_attributes)

    @property
    def chosen(self) -> frozenset[str]:
        """Attributes by which the people were chosen."""
        return frozenset((*(self._where or ()), *(self._target or ())))

    @property
    def independent(self) -> bool:
        """Whether the graph's independences hold: not where people were chosen by what depends on the core.

        Choosing by an effect makes its causes depend on each other; choosing by attributes of the core does not.
        """
        root, domain = self.priors.hierarchy.root, self.priors.domain
        core = {root(name) for name in self.core}
        return all(name in domain and root(name) in core for name in self.chosen)

    def marginal(self, table: Sequence[str]) -> Marginal | None:
        """Counts over these attributes: a published table where one has them, else the model's; None if neither."""
        published = self.published(table)
        return self.modelled(table) if published is None else published

    def modelled(self, table: Sequence[str]) -> Marginal | None:
        """Shares of the model over these attributes, under the selection; None if it cannot be asked for them."""
        try:
            return self._population.marginal(table, where=self._where, target=self._target)
        except (DomainError, EvidenceError, TableError, FitError):
            return None

    def modelled_all(self, tables: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], Marginal]:
        """`modelled` for many tables, those that it has; tables of one child and its parents are asked for at once."""
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
        """Attributes to ask for together, and the tables that they show."""
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
        """The child of the graph that has these attributes among itself and its parents; None if there is none.

        The last such child, for which no other has to be summed out; the core is "".
        """
        network, refines = self._population.network, self.priors.hierarchy.refines
        for node in reversed(network.nodes):
            if any(network.gives(node, name) for name in table):
                scope = (node.child, *node.parents)
                inside = all(any(refines(finer, name) for finer in scope) for name in table)
                return node.child if inside else None
        return ""

    def published(self, table: Sequence[str]) -> Marginal | None:
        """A census table over these attributes; None where there is none, or a selection.

        Tables of part of the population, such as those of workers, are passed over.
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
        """Files of the tables that leave nobody out."""
        root = self.priors.hierarchy.root
        return frozenset(
            table_path(self.priors.folder, table)
            for _, table in self.priors.tables
            if not {root(name) for name in table} & self._partial
        )

    @cached_property
    def _partial(self) -> frozenset[str]:
        """Attributes whose published tables leave out those who certainly have one state."""
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
        """Every single attribute, and every pair that a census table has together, that `columns` can show."""
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
        """The frame with the coarser views of its columns that are `wanted`, as categories."""
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
        # The last place, which code -1 picks, is for values that the domain does not know.
        codes = np.array([*(position.get(str(v), -1) for v in values.cat.categories), -1], dtype=np.int32)
        coarse = np.append(self.priors.hierarchy.codes(str(fine.name), name), np.int32(-1))
        states = pd.Index([str(state) for state in domain[name]])
        return pd.Categorical.from_codes(coarse[codes[values.cat.codes.to_numpy()]], states)

    def _shown(self, attribute: str, columns: Sequence[str]) -> tuple[str, ...]:
        """The attribute itself if the columns give it, else its views that are columns."""
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
