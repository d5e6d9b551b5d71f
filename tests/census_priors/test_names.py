"""Names: the distributions of the shipped tables."""

import numpy as np
import pytest
from shipped import united_states

from census_personas.census_priors.cohorts import (
    BIRTH_COHORTS,
    GENERATIONS,
    cohort_codes,
    cohort_of,
    generation_codes,
    generation_of,
)
from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.lookup import numbers, read_lookup, strings
from census_personas.census_priors.names import Names

PRIORS = united_states()
ETHNICITIES, SEXES = (tuple(str(state) for state in PRIORS.domain[name]) for name in ("ethnicity", "sex"))
SURNAME_GROUPS = tuple(PRIORS.conventions.names.family_groups)


@pytest.fixture(scope="module")
def names() -> Names:
    return PRIORS.names


def row(table: ConditionalTable, **cell: str) -> dict[str, float]:
    codes = [table.parents.code(attribute, cell[attribute]) for attribute in table.parents]
    indices, probabilities = table.row(int(np.ravel_multi_index(codes, table.parents.shape)))
    return dict(zip(table.states[indices], probabilities.tolist(), strict=True))


def first(names: Names, sex: str, year: int, ethnicity: str, nativity: str = "born_here") -> dict[str, float]:
    cell = {"sex": sex, "ethnicity": ethnicity, "nativity_group": nativity}
    return row(names.first, birth_cohort=cohort_of(year), **cell)


def middle(
    names: Names, sex: str, year: int, ethnicity: str, nativity: str = "born_here"
) -> dict[str, float]:
    cell = {"sex": sex, "ethnicity": ethnicity, "nativity_group": nativity}
    return row(names.middle, birth_generation=generation_of(year), **cell)


def likeness(one: dict[str, float], other: dict[str, float]) -> float:
    return sum(min(share, other.get(name, 0.0)) for name, share in one.items())


def test_years_have_cohorts() -> None:
    assert [cohort_of(year) for year in (1905, 1929, 1930, 1992, 2004, 2005, 2024)] == [
        "to_1929",
        "to_1929",
        "1930_1934",
        "1990_1994",
        "2000_2004",
        "from_2005",
        "from_2005",
    ]
    assert [generation_of(year) for year in (1905, 1944, 1945, 1984, 2005)] == [
        "to_1944",
        "to_1944",
        "1945_1964",
        "1965_1984",
        "from_1985",
    ]
    years = np.arange(1900, 2030)
    assert [BIRTH_COHORTS[code] for code in cohort_codes(years)] == [cohort_of(int(year)) for year in years]
    assert [GENERATIONS[code] for code in generation_codes(years)] == [
        generation_of(int(year)) for year in years
    ]


def test_enough_names_can_be_drawn(names: Names) -> None:
    assert len(np.unique(names.first.indices)) >= 100_000
    assert len(np.unique(names.middle.indices)) >= 100_000
    assert len(np.unique(names.last.indices)) >= 150_000


def test_tables_fit_in_256_mb(names: Names) -> None:
    tables = (names.first, names.middle, names.last)
    assert sum(t.indices.nbytes + t.probabilities.nbytes + t.indptr.nbytes for t in tables) < 250e6


def test_every_cell_has_ascending_names(names: Names) -> None:
    for table in (names.first, names.middle, names.last):
        assert (np.diff(table.indptr) > 0).all()
        assert (np.delete(np.diff(table.indices), table.indptr[1:-1] - 1) > 0).all()


def test_jennifers_were_born_near_1975(names: Names) -> None:
    by_cohort = {
        year: first(names, "Female", year, "white").get("Jennifer", 0.0) for year in range(1930, 2006, 5)
    }
    assert max(by_cohort, key=by_cohort.__getitem__) in {1970, 1975, 1980}
    assert by_cohort[1975] > 0.03
    assert by_cohort[1930] < 1e-4
    assert "Jennifer" not in first(names, "Male", 1975, "white")


def test_names_of_1990_and_1930_differ(names: Names) -> None:
    for sex in SEXES:
        old, young = first(names, sex, 1932, "white"), first(names, sex, 1992, "white")
        assert likeness(old, young) < 0.45
        assert likeness(young, first(names, sex, 1997, "white")) > 0.7


def test_jose_and_maria_are_hispanic_names(names: Names) -> None:
    hispanic, white = first(names, "Male", 1985, "hispanic"), first(names, "Male", 1985, "white")
    assert hispanic["Jose"] == max(hispanic.values())
    assert hispanic["Jose"] > 50 * white["Jose"]
    assert first(names, "Female", 1960, "hispanic")["Maria"] > 0.03


def test_accents_follow_birthplace(names: Names) -> None:
    abroad = first(names, "Male", 1970, "hispanic", "born_elsewhere")
    assert "Jose" not in abroad
    assert abroad["José"] > 0.04
    assert "María" in middle(names, "Female", 1970, "hispanic", "born_elsewhere")
    assert "José" not in first(names, "Male", 1970, "hispanic")
    assert "José" not in first(names, "Male", 1970, "asian", "born_elsewhere")


def test_born_abroad_add_names(names: Names) -> None:
    assert first(names, "Female", 1970, "asian", "born_elsewhere")["Thuy"] > 20 * first(
        names, "Female", 1970, "asian"
    ).get("Thuy", 1e-9)


def test_first_names_follow_sex(names: Names) -> None:
    for ethnicity in ETHNICITIES:
        for nativity in ("born_here", "born_elsewhere"):
            men = first(names, "Male", 1970, ethnicity, nativity)
            women = first(names, "Female", 1970, ethnicity, nativity)
            assert likeness(men, women) < 0.2, (ethnicity, nativity)
            assert not {"Mary", "Jessica"} & set(men)
            assert not {"Robert", "Christopher"} & set(women)


def test_blank_middle_names_fit_shares(names: Names) -> None:
    blank = {ethnicity: middle(names, "Female", 1980, ethnicity)[""] for ethnicity in ETHNICITIES}
    assert blank["white"] == pytest.approx(0.057)
    assert blank["hispanic"] == pytest.approx(0.381)
    assert blank["pacific_islander"] == blank["asian"] == pytest.approx(0.305)


def test_middle_names_follow_sex(names: Names) -> None:
    women, men = middle(names, "Female", 1950, "white"), middle(names, "Male", 1950, "white")
    assert women["Ann"] > 0.05
    assert "Ann" not in men
    assert "Edward" not in women
    assert all(len(name) != 1 for name in names.middle.states)
    assert "Thi" not in middle(names, "Male", 1970, "asian")


def test_smith_is_the_most_common_surname() -> None:
    table = read_lookup(PRIORS.folder / "lookups" / "names_last.parquet", ("name",), SURNAME_GROUPS)
    bearers = sum(numbers(table, group) for group in SURNAME_GROUPS)
    named = strings(table, "name")
    assert named[int(np.argmax(bearers))] == "Smith"
    assert bearers.max() == pytest.approx(2_442_977, rel=0.005)
    assert bearers.sum() == pytest.approx(265_667_228, rel=0.001)


def test_surnames_follow_ethnicity(names: Names) -> None:
    assert max(row(names.last, ethnicity="hispanic").items(), key=lambda item: item[1])[0] == "Garcia"
    assert row(names.last, ethnicity="asian")["Nguyen"] > 0.03
    assert row(names.last, ethnicity="native")["Begay"] > 0.005


def test_value_like_surnames_stay_text(names: Names) -> None:
    assert {"Null", "True", "Nan"} <= set(names.last.states)
    assert {"McDonald", "O'Brien", "De La Cruz", "St. John", "Mack", "Macias"} <= set(names.last.states)
    assert all(isinstance(name, str) for name in names.last.states)


def test_residual_is_no_name(names: Names) -> None:
    assert not any("other names" in name.lower() for name in names.first.states)


def test_tables_are_small_enough_to_ship() -> None:
    lookups = PRIORS.folder / "lookups"
    assert sum(file.stat().st_size for file in lookups.glob("names_*.parquet")) <= 7e6
    assert sum(file.stat().st_size for file in lookups.glob("*.parquet")) <= 9e6
