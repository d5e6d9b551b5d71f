"""Area tables: weighted tables of all areas from person records and reweighted donors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from census_personas.census_priors.build.raking import count
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.marginal import Marginal
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats, Mask


@dataclass(frozen=True, slots=True)
class ModelledArea:
    """An area that takes attributes from donors.

    Attributes:
        donors: records of other areas.
        weights: their weights here, scaled to the area's adults.
        modelled: attributes that come from donors; a table with one of them, or a finer or coarser view of one,
            is modelled here, and any other is counted from the area's own records.
    """

    donors: Records
    weights: Floats
    modelled: tuple[str, ...]


@dataclass(frozen=True)
class Tabulation:
    """The person records from which tables are counted.

    Attributes:
        priors: the locale, for domain and coarsenings.
        records: direct records of all areas, weights scaled to the adults of each.
        areas: the areas that need donors.
    """

    priors: Priors
    records: Records
    areas: Mapping[str, ModelledArea]

    def count(self, attributes: Sequence[str], source: str) -> Marginal:
        """Count weights and persons per cell; donors count as weight, not as persons."""
        names = tuple(attributes)
        domain = self.priors.domain.project(names)
        cells = Codes(self.priors, self.records).cells(names)
        cells = np.where(self._taken_from_donors(names), -1, cells)
        weights = count(cells, self.records.weight, domain.size)
        samples = count(cells, np.ones(len(cells)), domain.size)
        for state, area in self.areas.items():
            if self._is_modelled(area, names):
                weights += self._from_donors(area, state, names)
        return Marginal(domain, weights.reshape(domain.shape), samples.reshape(domain.shape), source)

    def _is_modelled(self, area: ModelledArea, attributes: tuple[str, ...]) -> bool:
        related = self.priors.hierarchy.related
        return any(related(name, other) for name in attributes for other in area.modelled)

    def _taken_from_donors(self, attributes: tuple[str, ...]) -> Mask:
        modelled = [
            self.priors.domain.code("state", name)
            for name, area in self.areas.items()
            if self._is_modelled(area, attributes)
        ]
        return np.isin(self.records.codes["state"], modelled)

    def _from_donors(self, area: ModelledArea, state: str, attributes: tuple[str, ...]) -> Floats:
        code = np.full(len(area.donors), self.priors.domain.code("state", state), dtype=np.int16)
        here = Records({**area.donors.codes, "state": code}, area.weights)
        size = self.priors.domain.project(attributes).size
        return count(Codes(self.priors, here).cells(attributes), area.weights, size)
