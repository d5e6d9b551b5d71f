"""Places: ZIP codes with city, county and metro area, and P(ZIP | state, ethnicity, education)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.lookup import REMEDY, numbers, read_lookup, strings
from census_personas.census_priors.marginal import TableError
from census_personas.foundation.arrays import Floats, Integers, Objects
from census_personas.foundation.errors import PersonasError

EDUCATION_GROUPS = ("no_college", "some_college", "degree")
STATE_NAMES: Mapping[str, str] = dict(
    pair.split(":")
    for pair in (
        "AK:Alaska|AL:Alabama|AR:Arkansas|AZ:Arizona|CA:California|CO:Colorado|CT:Connecticut|"
        "DC:District of Columbia|DE:Delaware|FL:Florida|GA:Georgia|HI:Hawaii|IA:Iowa|ID:Idaho|IL:Illinois|"
        "IN:Indiana|KS:Kansas|KY:Kentucky|LA:Louisiana|MA:Massachusetts|MD:Maryland|ME:Maine|MI:Michigan|"
        "MN:Minnesota|MO:Missouri|MS:Mississippi|MT:Montana|NC:North Carolina|ND:North Dakota|NE:Nebraska|"
        "NH:New Hampshire|NJ:New Jersey|NM:New Mexico|NV:Nevada|NY:New York|OH:Ohio|OK:Oklahoma|OR:Oregon|"
        "PA:Pennsylvania|PR:Puerto Rico|RI:Rhode Island|SC:South Carolina|SD:South Dakota|TN:Tennessee|"
        "TX:Texas|UT:Utah|VA:Virginia|VI:US Virgin Islands|VT:Vermont|WA:Washington|WI:Wisconsin|"
        "WV:West Virginia|WY:Wyoming"
    ).split("|")
)
GROUPS = ("hispanic", "white", "black", "asian_or_pacific_islander", "native", "multiple")
TEXTS = ("zip", "city", "county", "county_fips", "state", "metro_area", "urbanicity")
FIGURES = ("latitude", "longitude", "adults", "residents", *GROUPS)
FACTORS = tuple(f"g_{group}" for group in EDUCATION_GROUPS)


class UnknownPlaceError(PersonasError, KeyError):
    """A ZIP code or state that the locale does not have."""

    def __str__(self) -> str:
        """The message without the quotes that KeyError puts around it."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Place:
    """One ZIP code.

    Attributes:
        zipcode: five characters, leading zeros kept.
        city: USPS preferred city name ("Saint Louis", as the post office writes it).
        county: county or equivalent of most of its residents, with its type ("Cook County").
        county_fips: five digits.
        state: two-letter USPS code.
        metro_area: metropolitan statistical area, '' outside one.
        urbanicity: urban, suburban, town or rural (`build/geography.py` defines them).
        latitude: degrees.
        longitude: degrees.
        adults: residents 18 and over in the 2020 Census; 0 in the US Virgin Islands, where none are published.
    """

    zipcode: str
    city: str
    county: str
    county_fips: str
    state: str
    metro_area: str
    urbanicity: str
    latitude: float
    longitude: float
    adults: int


class Places:
    """The ZIP codes of a locale, in order; read on first use."""

    def __init__(self, folder: Path) -> None:
        """Use `load`; nothing is read here."""
        self._folder = folder
        self._met: dict[str, Place] = {}

    @classmethod
    def load(cls, folder: Path) -> Places:
        """Open the places of a locale folder; `TableError` on first use if the tables are missing."""
        return cls(Path(folder))

    @cached_property
    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        table = read_lookup(self._folder / "lookups" / "places.parquet", TEXTS, FIGURES)
        columns: dict[str, npt.NDArray[Any]] = {name: strings(table, name) for name in TEXTS}
        return columns | {name: numbers(table, name) for name in FIGURES}

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {zipcode: row for row, zipcode in enumerate(self.zipcodes)}

    @property
    def zipcodes(self) -> Objects:
        """All ZIP codes in ascending order; the states of `zip_table`."""
        return self._columns["zip"]

    @cached_property
    def states(self) -> tuple[str, ...]:
        """USPS codes of the states and areas that have ZIP codes, in ascending order."""
        return tuple(sorted(set(self._columns["state"])))

    def __len__(self) -> int:
        """Number of ZIP codes."""
        return len(self.zipcodes)

    def __contains__(self, zipcode: object) -> bool:
        """Whether a ZIP code is known; five characters."""
        return zipcode in self._rows

    def column(self, name: str) -> npt.NDArray[Any]:
        """One column (city, county, state, …) over all ZIP codes, in the order of `zipcodes`."""
        return self._columns[name]

    def get(self, zipcode: str) -> Place:
        """The place of a ZIP code; `UnknownPlaceError` names its neighbours if there is none."""
        place = self._met.get(zipcode)
        if place is None:
            place = self._met[zipcode] = self._place(zipcode)
        return place

    def _place(self, zipcode: str) -> Place:
        row = self._rows.get(zipcode)
        if row is None:
            near = int(np.searchsorted(self.zipcodes, str(zipcode)))
            known = ", ".join(self.zipcodes[max(near - 2, 0) : near + 2])
            raise UnknownPlaceError(
                f"unknown ZIP code {zipcode!r}; ZIP codes have five characters, the nearest are {known}"
            )
        value = {name: column[row] for name, column in self._columns.items()}
        return Place(
            zipcode=zipcode,
            **{name: value[name] for name in TEXTS if name != "zip"},
            latitude=round(float(value["latitude"]), 3),
            longitude=round(float(value["longitude"]), 3),
            adults=int(value["adults"]),
        )

    def state_name(self, code: str) -> str:
        """Full name of a state or area; `UnknownPlaceError` lists the codes."""
        if code not in STATE_NAMES:
            raise UnknownPlaceError(f"unknown state {code!r}; known: {', '.join(STATE_NAMES)}")
        return STATE_NAMES[code]

    def cities(self, state: str) -> frozenset[str]:
        """City names of a state."""
        return self._by_state("city").get(self._state(state), frozenset())

    def counties(self, state: str) -> frozenset[str]:
        """County names of a state."""
        return self._by_state("county").get(self._state(state), frozenset())

    def _state(self, code: str) -> str:
        self.state_name(code)
        return code

    def _by_state(self, column: str) -> dict[str, frozenset[str]]:
        if column not in self._named:
            names: dict[str, set[str]] = {}
            for state, name in zip(self._columns["state"], self._columns[column], strict=True):
                names.setdefault(state, set()).add(name)
            self._named[column] = {state: frozenset(found) for state, found in names.items()}
        return self._named[column]

    @cached_property
    def _named(self) -> dict[str, dict[str, frozenset[str]]]:
        return {}

    def zip_table(self, state_states: Sequence[str], ethnicity_states: Sequence[str]) -> ConditionalTable:
        """P(zipcode | state, ethnicity, education_group), one row for every cell of a state that has ZIPs.

        The 2020 adults of the ethnicity in each ZIP, times the county's factors u(ethnicity) and
        g(education), normalised within the state (formula in `build/geography.py`). A state without any
        adult of the ethnicity in the counts places it as all its adults; the US Virgin Islands, for which
        no counts by group are published, place everyone by total population.

        Args:
            state_states: USPS codes, in the order wanted for the rows.
            ethnicity_states: ethnicities, in the order wanted.
        """
        parents = Domain(
            {
                "state": tuple(state_states),
                "ethnicity": tuple(ethnicity_states),
                "education_group": EDUCATION_GROUPS,
            }
        )
        state = self._columns["state"]
        weight = np.asarray(self._columns["adults"] + self._columns["residents"], dtype=np.float64)
        factor = self._factors((*(f"u_{e}" for e in ethnicity_states), *FACTORS, "islander_share"))
        tilt = np.stack([factor[name] for name in FACTORS])
        indptr, indices, probabilities = [0], [], []
        for code in state_states:
            rows = np.flatnonzero(state == self._state(str(code)))
            for ethnicity in ethnicity_states:
                adults = (
                    self._adults(ethnicity, rows, factor["islander_share"]) * factor[f"u_{ethnicity}"][rows]
                )
                if not adults.sum() > 0:
                    adults = weight[rows]
                kept = rows[adults > 0].astype(np.int32)
                cell = adults[adults > 0] * tilt[:, kept]
                indices.append(np.tile(kept, len(cell)))
                probabilities.append((cell / cell.sum(axis=1, keepdims=True)).ravel())
                indptr += [indptr[-1] + len(kept) * (i + 1) for i in range(len(cell))]
        return ConditionalTable(
            child="zipcode",
            parents=parents,
            states=self.zipcodes,
            indptr=np.asarray(indptr, dtype=np.int64),
            indices=np.concatenate(indices),
            probabilities=np.concatenate(probabilities),
        )

    def _factors(self, names: tuple[str, ...]) -> dict[str, Floats]:
        """County factors spread over the ZIP codes."""
        table = read_lookup(self._folder / "lookups" / "counties.parquet", ("county_fips",), names)
        position = {fips: i for i, fips in enumerate(strings(table, "county_fips"))}
        if unknown := set(self._columns["county_fips"]) - position.keys():
            raise TableError(f"{self._folder / 'lookups'}: counties lack {min(unknown)} of places; {REMEDY}")
        county = np.fromiter((position[fips] for fips in self._columns["county_fips"]), dtype=np.int64)
        return {name: numbers(table, name)[county] for name in names}

    def _adults(self, ethnicity: str, rows: Integers, islanders: Floats) -> Floats:
        if ethnicity in {"asian", "pacific_islander"}:
            share = islanders[rows] if ethnicity == "pacific_islander" else 1 - islanders[rows]
            return np.asarray(self._columns["asian_or_pacific_islander"][rows], dtype=np.float64) * share
        return np.asarray(self._columns[ethnicity][rows], dtype=np.float64)
