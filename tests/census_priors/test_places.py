"""Places: ZIP codes, cities and counties, and the distribution of groups over them."""

from itertools import pairwise

import numpy as np
import pytest
from shipped import united_states

from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.places import Places, UnknownPlaceError

pytestmark = pytest.mark.quick

PRIORS = united_states()
STATES, ETHNICITIES, EDUCATION_GROUPS = (
    tuple(str(state) for state in PRIORS.domain[name]) for name in ("state", "ethnicity", "education_group")
)


@pytest.fixture(scope="module")
def places() -> Places:
    return PRIORS.places


@pytest.fixture(scope="module")
def table() -> ConditionalTable:
    return PRIORS.residence.table()


def shares(places: Places, table: ConditionalTable, column: str, **cell: str) -> dict[str, float]:
    codes = [table.parents.code(attribute, cell[attribute]) for attribute in table.parents]
    indices, probabilities = table.row(int(np.ravel_multi_index(codes, table.parents.shape)))
    found: dict[str, float] = {}
    for value, share in zip(places.column(column)[indices], probabilities, strict=True):
        found[value] = found.get(value, 0.0) + float(share)
    return found


def test_adults_match_the_2020_census(places: Places) -> None:
    assert places.column("adults").sum() == 261_061_674
    assert places.column("adults")[places.column("state") == "PR"].sum() == 2_724_872
    assert np.count_nonzero(places.column("state") != "VI") == 33_774


def test_zip_codes_keep_their_zeros(places: Places) -> None:
    assert all(len(zipcode) == 5 and zipcode.isdigit() for zipcode in places.postcodes)
    assert all(a < b for a, b in pairwise(places.postcodes))
    boston = places.get("02108")
    assert (boston.municipality, boston.region, boston.subregion) == ("Boston", "MA", "Suffolk County")


def test_county_and_state_agree(places: Places) -> None:
    by_fips: dict[str, set[str]] = {}
    for fips, state in zip(places.column("county_fips"), places.column("state"), strict=True):
        by_fips.setdefault(fips[:2], set()).add(state)
    assert all(len(states) == 1 for states in by_fips.values())
    assert len(by_fips) == len(places.regions) == 53


def test_places_are_listed_by_state(places: Places) -> None:
    assert {"New York", "Buffalo"} <= places.municipalities("NY")
    assert "Cook County" in places.subregions("IL")
    assert "Cook County" not in places.subregions("NY")
    assert places.get("63101").municipality in places.municipalities("MO")


def test_names_are_cased_as_written(places: Places) -> None:
    cities = set(places.column("city"))
    assert {"New York", "McAllen", "King of Prussia", "Big Sur", "Fond du Lac"} <= cities
    assert all(city[0].isupper() and not (city.isupper() and len(city) > 5) for city in cities)


def test_urbanicity_separates_places(places: Places) -> None:
    assert [places.get(z).urbanicity for z in ("10025", "60187", "82930", "58533")] == [
        "urban",
        "suburban",
        "town",
        "rural",
    ]


def test_zip_codes_fit_their_state(places: Places, table: ConditionalTable) -> None:
    assert (np.diff(table.indptr) > 0).all()
    cells = np.repeat(np.arange(table.parents.size), np.diff(table.indptr))
    state_of_cell = np.array(STATES, dtype=object)[cells // (len(ETHNICITIES) * len(EDUCATION_GROUPS))]
    assert (places.column("state")[table.indices] == state_of_cell).all()


def test_zip_codes_ascend_within_a_row(table: ConditionalTable) -> None:
    steps = np.diff(table.indices)
    starts = table.indptr[1:-1] - 1
    assert (np.delete(steps, starts) > 0).all()


def test_rows_follow_the_given_order(places: Places, table: ConditionalTable) -> None:
    other = PRIORS.residence.table(("WY", "GA"), ("black", "white"))
    asked = {"state": "GA", "ethnicity": "white", "education_group": "degree"}
    assert shares(places, other, "county", **asked) == pytest.approx(shares(places, table, "county", **asked))


def test_graduates_live_elsewhere(places: Places, table: ConditionalTable) -> None:
    fulton = {
        group: shares(places, table, "county", state="GA", ethnicity="white", education_group=group)[
            "Fulton County"
        ]
        for group in EDUCATION_GROUPS
    }
    assert fulton["degree"] > 2 * fulton["no_college"]


def test_ethnicities_live_where_counted(places: Places, table: ConditionalTable) -> None:
    cell = {"state": "IL", "education_group": "no_college"}
    black = shares(places, table, "county", ethnicity="black", **cell)["Cook County"]
    white = shares(places, table, "county", ethnicity="white", **cell)["Cook County"]
    assert black > 1.5 * white


def test_counties_split_islanders(places: Places, table: ConditionalTable) -> None:
    cell = {"state": "HI", "education_group": "no_college"}
    islander = shares(places, table, "county", ethnicity="pacific_islander", **cell)["Hawaii County"]
    asian = shares(places, table, "county", ethnicity="asian", **cell)["Hawaii County"]
    assert islander > asian


def test_virgin_islands_use_total_population(places: Places, table: ConditionalTable) -> None:
    cells = [
        shares(places, table, "postcode", state="VI", ethnicity=ethnicity, education_group="degree")
        for ethnicity in ETHNICITIES
    ]
    assert cells[0] == cells[1]
    assert cells[0]["00802"] == pytest.approx(42_261 / 87_146)


def test_unknown_zip_suggests_near_ones(places: Places) -> None:
    with pytest.raises(UnknownPlaceError, match="unknown ZIP code '2108'; the nearest are "):
        places.get("2108")


def test_unknown_state_lists_known(places: Places) -> None:
    with pytest.raises(UnknownPlaceError, match=r"unknown state 'XX'; known: AK, AL"):
        places.municipalities("XX")
    with pytest.raises(UnknownPlaceError, match="unknown state 'XX'"):
        PRIORS.residence.table(("XX",))
    assert places.region_name("VI") == "US Virgin Islands"
