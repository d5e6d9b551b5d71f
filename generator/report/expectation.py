"""Expectation: what a dataset should follow, from the priors' tables or the model fitted to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from persona_engine.census_priors.domain import DomainError
from persona_engine.census_priors.marginal import Marginal, TableError
from persona_engine.census_priors.priors import Priors
from persona_engine.generator.model.fitting import FitError
from persona_engine.generator.population import Population
from persona_engine.generator.sampling.evidence import EvidenceError


class Expectation:
    """The census that a dataset stands beside: as published, or under a run's condition as modelled."""

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

    def marginal(self, table: Sequence[str]) -> Marginal | None:
        """Counts over these attributes: a published table where one has them, else the model's; None if neither.

        Tables of part of the population, such as those of workers, are passed over for the model, which says
        what the others have.
        """
        roots = {self.priors.hierarchy.root(name) for name in table if name in self.priors.domain}
        if not self._where and not self._target and not roots & self._partial:
            try:
                return self.priors.marginal(table)
            except (DomainError, TableError):
                pass
        try:
            return self._population.marginal(table, where=self._where, target=self._target)
        except (DomainError, EvidenceError, TableError, FitError):
            return None

    @cached_property
    def _partial(self) -> frozenset[str]:
        """Attributes whose published tables leave out those who certainly have one state."""
        found = set()
        for node in self.priors.declaration.model.conditionals:
            certain = {state for states in node.otherwise.values() for state in states.values()}
            if certain:
                counts = self.priors.marginal((node.child,))
                codes = [counts.domain.code(node.child, state) for state in certain]
                if not counts.weights[codes].any():
                    found.add(self.priors.hierarchy.root(node.child))
        return frozenset(found)

    def tables(self, columns: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Every single attribute, and every pair that a table of everyone has together, that `columns` can show."""
        shown = {attribute: self._shown(attribute, columns) for attribute in self.priors.domain}
        singles = [(name,) for name in self.priors.domain if name in columns]
        pairs = {
            pair
            for _, table in self.priors.tables
            for one, other in combinations(table, 2)
            if not {self.priors.hierarchy.root(one), self.priors.hierarchy.root(other)} & self._partial
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
