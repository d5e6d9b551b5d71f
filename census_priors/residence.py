"""Residence: P(postcode | region, origin, schooling), from counts of adults and factors of areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.lookup import REMEDY, numbers, read_lookup, strings
from census_personas.census_priors.marginal import TableError
from census_personas.census_priors.places import has_areas
from census_personas.foundation.arrays import Floats, Integers

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors


class Residence:
    """The distribution of people over postcodes, by region, origin and schooling."""

    def __init__(self, priors: Priors) -> None:
        """Take the locale; tables are read on first use."""
        self._priors = priors
        self._places = priors.places
        self._tables = priors.conventions.places

    @property
    def factors(self) -> tuple[str, ...]:
        """Columns of the areas file that `table` reads."""
        origins = self._origins or ()
        splits = [split.share for split in self._tables.split.values()]
        return (*(f"u_{state}" for state in origins), *(f"g_{state}" for state in self._levels), *splits)

    @property
    def _origins(self) -> tuple[str, ...] | None:
        if not self._tables.groups:
            return None
        return tuple(str(state) for state in self._priors.domain[self._priors.roles["origin"]])

    @property
    def _levels(self) -> tuple[str, ...]:
        schooling = self._tables.schooling
        return () if schooling is None else tuple(str(state) for state in self._priors.domain[schooling])

    def table(
        self, regions: Sequence[str] | None = None, origins: Sequence[str] | None = None
    ) -> ConditionalTable:
        """Compute P(postcode | region, origin, schooling), one row per cell of a region with postcodes.

        Weights are the adults of the origin in each postcode, times the factors u(origin) and g(schooling) of its area,
        normalised within the region. If a region counts no adult of the origin, all its adults are used; if no adults
        are published, the total population. A parent is left out if the counts have no groups, or no schooling.

        Args:
            regions: regions in row order; all by default.
            origins: origins in row order; all by default.
        """
        roles, domain = self._priors.roles, self._priors.domain
        regions = [str(state) for state in domain[roles["region"]]] if regions is None else regions
        groups = self._origins if origins is None else tuple(origins)
        parents = {roles["region"]: tuple(regions)}
        if groups is not None:
            parents[roles["origin"]] = groups
        if self._tables.schooling is not None:
            parents[self._tables.schooling] = self._levels
        weight = np.asarray(
            self._places.column("adults") + self._places.column("residents"), dtype=np.float64
        )
        factor = self._factors()
        tilt = np.stack([factor[f"g_{level}"] for level in self._levels] or [np.ones(len(self._places))])
        indptr, indices, probabilities = [0], [], []
        for code in regions:
            rows = self._rows(str(code))
            for origin in groups or (None,):
                adults = weight[rows] if origin is None else self._adults(origin, rows, factor)
                if not adults.sum() > 0:
                    adults = weight[rows]
                kept = rows[adults > 0].astype(np.int32)
                cell = adults[adults > 0] * tilt[:, kept]
                indices.append(np.tile(kept, len(cell)))
                probabilities.append((cell / cell.sum(axis=1, keepdims=True)).ravel())
                indptr += [indptr[-1] + len(kept) * (i + 1) for i in range(len(cell))]
        return ConditionalTable(
            child=roles["postcode"],
            parents=Domain(parents),
            states=self._places.postcodes,
            indptr=np.asarray(indptr, dtype=np.int64),
            indices=np.concatenate(indices),
            probabilities=np.concatenate(probabilities),
        )

    def _factors(self) -> Mapping[str, Floats]:
        """Look up the factors of each postcode's area."""
        if not has_areas(self._tables):
            return {}
        area, file = self._tables.area, self._tables.areas
        table = read_lookup(self._priors.folder / "lookups" / f"{file}.parquet", (area,), self.factors)
        position = {name: i for i, name in enumerate(strings(table, area))}
        if unknown := set(self._places.column(area)) - position.keys():
            raise TableError(
                f"{self._priors.folder / 'lookups'}: {file} lack {min(unknown)} of places; {REMEDY}"
            )
        row = np.fromiter((position[name] for name in self._places.column(area)), dtype=np.int64)
        return {name: numbers(table, name)[row] for name in self.factors}

    def _adults(self, origin: str, rows: Integers, factor: Mapping[str, Floats]) -> Floats:
        """Compute the adults of an origin in some postcodes, times the area's factor u."""
        for column, split in self._tables.split.items():
            if origin in {split.of, split.others}:
                share = factor[split.share][rows]
                share = share if origin == split.of else 1 - share
                counted = np.asarray(self._places.column(column)[rows], dtype=np.float64) * share
                break
        else:
            counted = np.asarray(self._places.column(origin)[rows], dtype=np.float64)
        return counted * factor[f"u_{origin}"][rows]

    def _rows(self, region: str) -> Integers:
        """Return positions of a region's postcodes; `UnknownPlaceError` if the locale has no such region."""
        self._places.region_name(region)
        rows: Integers = np.flatnonzero(self._places.column("region") == region)
        return rows
