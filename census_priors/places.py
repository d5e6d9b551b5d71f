"""Places: postcodes with municipality, subregion and metro area, and P(postcode | region, origin, schooling)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.lookup import REMEDY, numbers, read_lookup, strings
from census_personas.census_priors.marginal import TableError
from census_personas.census_priors.roles import PLACE
from census_personas.foundation.arrays import Floats, Integers, Objects
from census_personas.foundation.errors import PersonasError

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

COORDINATES = ("latitude", "longitude")
PEOPLE = ("adults", "residents")
"""Columns of every look-up of places: adults, and all residents of places for which no adults are published."""


class UnknownPlaceError(PersonasError, KeyError):
    """A postcode or region that the locale does not have."""

    def __str__(self) -> str:
        """The message without the quotes that KeyError puts around it."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Place:
    """One postcode; a locale without a role has '' there.

    Attributes:
        postcode: as it is written, leading zeros kept.
        municipality: city, town or village, as the post office writes it.
        subregion: that of most of its residents, with its type.
        region: the state of the role `region`.
        metro: metropolitan area, '' outside one.
        urbanicity: how urban it is.
        latitude: degrees.
        longitude: degrees.
        adults: residents of adult age; 0 where none are published.
    """

    postcode: str
    municipality: str
    subregion: str
    region: str
    metro: str
    urbanicity: str
    latitude: float
    longitude: float
    adults: int

    @property
    def zipcode(self) -> str:
        """The postcode, as rules ask for it."""
        return self.postcode

    @property
    def city(self) -> str:
        """The municipality, as rules ask for it."""
        return self.municipality

    @property
    def county(self) -> str:
        """The subregion, as rules ask for it."""
        return self.subregion

    @property
    def state(self) -> str:
        """The region, as rules ask for it."""
        return self.region


class Places:
    """The postcodes of a locale, in order; read on first use.

    `lookups/places.parquet` has a column for each of the locale's roles of places, which `places.columns` of
    `locale.yaml` may call otherwise, `latitude`, `longitude`, `adults`, `residents`, and one of adults for each of
    `places.groups`.
    """

    def __init__(self, priors: Priors) -> None:
        """Nothing is read here; `TableError` on first use if the tables are missing."""
        self._priors = priors
        self._folder = priors.folder
        self._tables = priors.conventions.places
        self._met: dict[str, Place] = {}

    def file_column(self, role: str) -> str | None:
        """The column of `places.parquet` that a role has; None where the locale does not fill the role."""
        name = self._priors.roles.get(role)
        return None if name is None else self._tables.columns.get(name, name)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Columns of text in `places.parquet`."""
        names = [name for role in PLACE if (name := self.file_column(role)) is not None]
        return tuple(dict.fromkeys((*names, *([self._tables.area] if self.has_areas else []))))

    @cached_property
    def figures(self) -> tuple[str, ...]:
        """Columns of numbers in `places.parquet`."""
        return (*COORDINATES, *PEOPLE, *self._tables.groups)

    @property
    def has_areas(self) -> bool:
        """Whether a second file says how groups are spread over areas."""
        return bool(self._tables.groups or self._tables.schooling)

    @property
    def factors(self) -> tuple[str, ...]:
        """Columns of the file of areas, as `postcode_table` reads them."""
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

    @cached_property
    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        table = read_lookup(self._folder / "lookups" / "places.parquet", self.texts, self.figures)
        columns: dict[str, npt.NDArray[Any]] = {name: strings(table, name) for name in self.texts}
        return columns | {name: numbers(table, name) for name in self.figures}

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {postcode: row for row, postcode in enumerate(self.postcodes)}

    @property
    def postcodes(self) -> Objects:
        """All postcodes in ascending order; the states of `postcode_table`."""
        return self.column("postcode")

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Regions that have postcodes, in ascending order."""
        return tuple(sorted(set(self.column("region"))))

    def __len__(self) -> int:
        """Number of postcodes."""
        return len(self.postcodes)

    def __contains__(self, postcode: object) -> bool:
        """Whether a postcode is known, as it is written."""
        return postcode in self._rows

    def column(self, name: str) -> npt.NDArray[Any]:
        """One column over all postcodes, in their order: that of a role, or one that the file has by this name."""
        return self._columns[(self.file_column(name) or name) if name in PLACE else name]

    def get(self, postcode: str) -> Place:
        """The place of a postcode; `UnknownPlaceError` names its neighbours if there is none."""
        place = self._met.get(postcode)
        if place is None:
            place = self._met[postcode] = self._place(postcode)
        return place

    def _place(self, postcode: str) -> Place:
        row = self._rows.get(postcode)
        if row is None:
            near = int(np.searchsorted(self.postcodes, str(postcode)))
            known = ", ".join(self.postcodes[max(near - 2, 0) : near + 2])
            raise UnknownPlaceError(
                f"unknown {self._called('postcode')} {postcode!r}; the nearest are {known}"
            )
        value = {role: str(self.column(role)[row]) if self.file_column(role) else "" for role in PLACE}
        latitude, longitude = (round(float(self._columns[name][row]), 3) for name in COORDINATES)
        return Place(
            **value, latitude=latitude, longitude=longitude, adults=int(self._columns["adults"][row])
        )

    def _called(self, role: str) -> str:
        """The locale's own word for a role, such as the name of its postcodes."""
        return self._priors.name(self._priors.roles[role])

    def region_name(self, code: str) -> str:
        """Full name of a region; `UnknownPlaceError` lists the codes."""
        attribute = self._priors.roles["region"]
        if code not in self._priors.domain[attribute]:
            known = ", ".join(sorted(str(state) for state in self._priors.domain[attribute]))
            raise UnknownPlaceError(f"unknown {attribute} {code!r}; known: {known}")
        return self._priors.label(attribute, code)

    @property
    def states(self) -> tuple[str, ...]:
        """The regions, as rules ask for them."""
        return self.regions

    @property
    def zipcodes(self) -> Objects:
        """The postcodes, as rules ask for them."""
        return self.postcodes

    def state_name(self, code: str) -> str:
        """The name of a region, as rules ask for it."""
        return self.region_name(code)

    def cities(self, state: str) -> frozenset[str]:
        """The municipalities of a region, as rules ask for them."""
        return self.municipalities(state)

    def municipalities(self, region: str) -> frozenset[str]:
        """Names of the municipalities of a region."""
        return self._by_region("municipality").get(self._region(region), frozenset())

    def subregions(self, region: str) -> frozenset[str]:
        """Names of the subregions of a region."""
        return self._by_region("subregion").get(self._region(region), frozenset())

    def _region(self, code: str) -> str:
        self.region_name(code)
        return code

    def _by_region(self, role: str) -> dict[str, frozenset[str]]:
        if role not in self._named:
            names: dict[str, set[str]] = {}
            for region, name in zip(self.column("region"), self.column(role), strict=True):
                names.setdefault(region, set()).add(name)
            self._named[role] = {region: frozenset(found) for region, found in names.items()}
        return self._named[role]

    @cached_property
    def _named(self) -> dict[str, dict[str, frozenset[str]]]:
        return {}

    def postcode_table(
        self, regions: Sequence[str] | None = None, origins: Sequence[str] | None = None
    ) -> ConditionalTable:
        """P(postcode | region, origin, schooling), one row for every cell of a region that has postcodes.

        The adults of the origin in each postcode, times the factors u(origin) and g(schooling) of its area,
        normalised within the region. A region without any adult of the origin in the counts places it as all its
        adults, and one for which no adults are published by total population. A locale whose counts have no
        groups, or no schooling, leaves that parent out.

        Args:
            regions: in the order wanted for the rows; all that the attribute has, if left out.
            origins: likewise.
        """
        roles, domain = self._priors.roles, self._priors.domain
        regions = [str(state) for state in domain[roles["region"]]] if regions is None else regions
        groups = self._origins if origins is None else tuple(origins)
        parents = {roles["region"]: tuple(regions)}
        if groups is not None:
            parents[roles["origin"]] = groups
        if self._tables.schooling is not None:
            parents[self._tables.schooling] = self._levels
        weight = np.asarray(self._columns["adults"] + self._columns["residents"], dtype=np.float64)
        factor = self._factors()
        tilt = np.stack([factor[f"g_{level}"] for level in self._levels] or [np.ones(len(self))])
        indptr, indices, probabilities = [0], [], []
        for code in regions:
            rows = np.flatnonzero(self.column("region") == self._region(str(code)))
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
            states=self.postcodes,
            indptr=np.asarray(indptr, dtype=np.int64),
            indices=np.concatenate(indices),
            probabilities=np.concatenate(probabilities),
        )

    def _factors(self) -> Mapping[str, Floats]:
        """Factors of areas spread over the postcodes."""
        if not self.has_areas:
            return {}
        area, file = self._tables.area, self._tables.areas
        table = read_lookup(self._folder / "lookups" / f"{file}.parquet", (area,), self.factors)
        position = {name: i for i, name in enumerate(strings(table, area))}
        if unknown := set(self._columns[area]) - position.keys():
            raise TableError(f"{self._folder / 'lookups'}: {file} lack {min(unknown)} of places; {REMEDY}")
        row = np.fromiter((position[name] for name in self._columns[area]), dtype=np.int64)
        return {name: numbers(table, name)[row] for name in self.factors}

    def _adults(self, origin: str, rows: Integers, factor: Mapping[str, Floats]) -> Floats:
        """Adults of an origin in some postcodes, as far as the area's factor moves them."""
        for column, split in self._tables.split.items():
            if origin in {split.of, split.others}:
                share = factor[split.share][rows]
                share = share if origin == split.of else 1 - share
                counted = np.asarray(self._columns[column][rows], dtype=np.float64) * share
                break
        else:
            counted = np.asarray(self._columns[origin][rows], dtype=np.float64)
        return counted * factor[f"u_{origin}"][rows]
