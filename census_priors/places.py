"""Places: the postcodes of a locale with municipality, subregion and metro area."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from census_personas.census_priors.lookup import numbers, read_lookup, strings
from census_personas.census_priors.roles import PLACE
from census_personas.foundation.arrays import Objects
from census_personas.foundation.errors import PersonasError

if TYPE_CHECKING:
    from census_personas.census_priors.conventions import PlaceTables
    from census_personas.census_priors.priors import Priors

COORDINATES = ("latitude", "longitude")
PEOPLE = ("adults", "residents")
"""Columns of every look-up of places: adults, and all residents where no adults are published."""


class UnknownPlaceError(PersonasError, KeyError):
    """An unknown postcode or region."""

    def __str__(self) -> str:
        """The message without the quotes that KeyError puts around it."""
        return str(self.args[0])


def has_areas(tables: PlaceTables) -> bool:
    """Return whether a second file has factors of groups of people by area."""
    return bool(tables.groups or tables.schooling)


@dataclass(frozen=True, slots=True)
class Place:
    """One postcode; fields of unfilled roles are ''.

    Attributes:
        postcode: with leading zeros.
        municipality: city, town or village, in the post office's spelling.
        subregion: subregion of most of its residents, with its type.
        region: the state of the role `region`.
        metro: metropolitan area, '' outside one.
        urbanicity: degree of urbanisation.
        latitude: degrees; NaN if the locale has no coordinates.
        longitude: likewise.
        adults: residents of adult age; 0 if not published.
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


class Places:
    """The postcodes of a locale, in order; read on first use.

    `lookups/places.parquet` has a column for each of the locale's roles of places (`places.columns` of `locale.yaml`
    may rename them), `latitude` and `longitude` (unless `places.coordinates` is false), `adults`, `residents`, and
    adults for each of `places.groups`. `residence.py` distributes people over them.
    """

    def __init__(self, priors: Priors) -> None:
        """Take the locale; tables are read on first use, with `TableError` if one is missing."""
        self._priors = priors
        self._folder = priors.folder
        self._tables = priors.conventions.places
        self._met: dict[str, Place] = {}

    def file_column(self, role: str) -> str | None:
        """Return the column of a role in `places.parquet`; None if the locale does not fill the role."""
        name = self._priors.roles.get(role)
        return None if name is None else self._tables.columns.get(name, name)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Columns of text in `places.parquet`."""
        names = [name for role in PLACE if (name := self.file_column(role)) is not None]
        return tuple(dict.fromkeys((*names, *([self._tables.area] if has_areas(self._tables) else []))))

    @cached_property
    def figures(self) -> tuple[str, ...]:
        """Columns of numbers in `places.parquet`."""
        return (*(COORDINATES if self.has_coordinates else ()), *PEOPLE, *self._tables.groups)

    @property
    def has_coordinates(self) -> bool:
        """Whether the locale knows where its places are."""
        return self._tables.coordinates

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
        """All postcodes in ascending order."""
        return self.column("postcode")

    @cached_property
    def digits(self) -> int:
        """Number of digits of every postcode; 0 if some have letters, or lengths differ."""
        lengths = {len(code) if code.isascii() and code.isdecimal() else 0 for code in self.postcodes}
        return lengths.pop() if len(lengths) == 1 else 0

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Regions that have postcodes, in ascending order."""
        return tuple(sorted(set(self.column("region"))))

    def __len__(self) -> int:
        """Return the number of postcodes."""
        return len(self.postcodes)

    def __contains__(self, postcode: object) -> bool:
        """Return whether a postcode is known."""
        return postcode in self._rows

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return one column over all postcodes, in order, by role or by its name in the file; '' for unfilled roles."""
        if name not in PLACE:
            return self._columns[name]
        own = self.file_column(name)
        return np.full(len(self), "", dtype=object) if own is None else self._columns[own]

    def get(self, postcode: str) -> Place:
        """Return the place of a postcode; `UnknownPlaceError` names the nearest known ones."""
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
                f"unknown {self._name_of_role('postcode')} {postcode!r}; the nearest are {known}"
            )
        value = {role: str(self.column(role)[row]) if self.file_column(role) else "" for role in PLACE}
        latitude, longitude = (
            round(float(self._columns[name][row]), 3) if self.has_coordinates else math.nan
            for name in COORDINATES
        )
        return Place(
            **value, latitude=latitude, longitude=longitude, adults=int(self._columns["adults"][row])
        )

    def _name_of_role(self, role: str) -> str:
        """Return the locale's name for a role, such as that of its postcodes."""
        return self._priors.name(self._priors.roles[role])

    def region_name(self, code: str) -> str:
        """Return the full name of a region; `UnknownPlaceError` lists the codes."""
        attribute = self._priors.roles["region"]
        if code not in self._priors.domain[attribute]:
            known = ", ".join(sorted(str(state) for state in self._priors.domain[attribute]))
            raise UnknownPlaceError(f"unknown {attribute} {code!r}; known: {known}")
        return self._priors.label(attribute, code)

    def municipalities(self, region: str) -> frozenset[str]:
        """Return the names of the municipalities of a region."""
        return self._by_region("municipality").get(self._region(region), frozenset())

    def subregions(self, region: str) -> frozenset[str]:
        """Return the names of the subregions of a region."""
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
