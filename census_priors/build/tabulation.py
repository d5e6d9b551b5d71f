"""Tabulation: weighted tables of all areas from direct records and reweighted donors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from persona_engine.census_priors.build.modelled import Codes
from persona_engine.census_priors.build.pums import Records
from persona_engine.census_priors.marginal import Marginal
from persona_engine.census_priors.priors import Priors

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ModelledArea:
    """An area that takes attributes from donors.

    Attributes:
        donors: records of other areas.
        weights: their weights here, scaled to the area's adults.
        direct: attributes that the area's own records have; a table over these alone is direct.
    """

    donors: Records
    weights: Array
    direct: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Tabulation:
    """Every record that tables are counted from.

    Attributes:
        priors: the locale, for domain and coarsenings.
        records: direct records of all areas, weights scaled to the adults of each.
        areas: the areas that need donors.
        age_tail: rows age as coded (top-coded), columns true age: shares, by state and sex; see `ages`.
    """

    priors: Priors
    records: Records
    areas: Mapping[str, ModelledArea]
    age_tail: Mapping[tuple[str, str], tuple[int, int, Array]] = field(default_factory=dict)

    def count(self, attributes: Sequence[str], source: str) -> Marginal:
        """Weighted counts and persons per cell; donors count as weight, not as persons."""
        domain = self.priors.domain.project(tuple(attributes))
        weights, samples = np.zeros(domain.size), np.zeros(domain.size)
        cells = Codes(self.priors, self.records).cells(tuple(attributes))
        inside = cells >= 0
        inside &= ~self._taken_from_donors(attributes)
        weights += np.bincount(cells[inside], weights=self.records.weight[inside], minlength=domain.size)
        samples += np.bincount(cells[inside], minlength=domain.size)
        for state, area in self.areas.items():
            if not self._is_direct(area, attributes):
                weights += self._from_donors(area, state, tuple(attributes))
        return Marginal(domain, weights.reshape(domain.shape), samples.reshape(domain.shape), source)

    def _is_direct(self, area: ModelledArea, attributes: Sequence[str]) -> bool:
        finest = {self.priors.hierarchy.root(name) if name not in area.direct else name for name in attributes}
        return finest <= area.direct

    def _taken_from_donors(self, attributes: Sequence[str]) -> npt.NDArray[np.bool_]:
        state = self.records.codes["state"]
        modelled = [
            self.priors.domain.code("state", name)
            for name, area in self.areas.items()
            if not self._is_direct(area, attributes)
        ]
        return np.isin(state, modelled)

    def _from_donors(self, area: ModelledArea, state: str, attributes: tuple[str, ...]) -> Array:
        code = np.full(len(area.donors), self.priors.domain.code("state", state), dtype=np.int16)
        here = Records({**area.donors.codes, "state": code}, area.weights)
        cells = Codes(self.priors, here).cells(attributes)
        inside = cells >= 0
        size = self.priors.domain.project(attributes).size
        return np.bincount(cells[inside], weights=area.weights[inside], minlength=size)
