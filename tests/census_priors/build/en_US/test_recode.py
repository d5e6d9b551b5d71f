"""Recode: PUMS codes to states, against the data dictionary of the ACS 2024 PUMS, one test an attribute."""

from __future__ import annotations

import numpy as np
import pytest
import shipped
from hypothesis import given
from hypothesis import strategies as st

from census_personas.census_priors.build.en_US import recode

pytestmark = pytest.mark.quick

DOMAIN = shipped.united_states().domain
NAMES = [*recode.PERSON_COLUMNS[1:], *recode.HOUSING_COLUMNS[1:]]


def states_of(attribute: str, **codes: list[float]) -> list[str]:
    """The states that some columns recode to; every other column is missing."""
    count = len(next(iter(codes.values())))
    columns = {name: np.array(codes.get(name, [np.nan] * count), dtype=np.float64) for name in NAMES}
    return [str(state) for state in recode.RECODES[attribute](columns)]


def test_sex() -> None:
    assert states_of("sex", SEX=[1, 2]) == ["Male", "Female"]


def test_hispanic_origin_precedes_race() -> None:
    races = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    expected = [
        "white",
        "black",
        "native",
        "native",
        "native",
        "asian",
        "pacific_islander",
        "multiple",
        "multiple",
    ]
    assert states_of("ethnicity", HISP=[1] * 9, RAC1P=races) == expected
    assert set(states_of("ethnicity", HISP=[2, 3, 24], RAC1P=[1, 8, 2])) == {"hispanic"}


def test_marital_status() -> None:
    expected = ["married_present", "widowed", "divorced", "separated", "never_married"]
    assert states_of("marital_status", MAR=[1, 2, 3, 4, 5]) == expected


@pytest.mark.parametrize(
    ("codes", "level"),
    [
        (range(1, 12), "less_than_9th"),
        (range(12, 16), "9th_12th_no_diploma"),
        (range(16, 18), "high_school"),
        (range(18, 20), "some_college"),
        (range(20, 21), "associates"),
        (range(21, 22), "bachelors"),
        (range(22, 25), "graduate"),
    ],
)
def test_education_level_follows_b15001(codes: range, level: str) -> None:
    assert set(states_of("education_level", SCHL=[float(code) for code in codes])) == {level}


def test_education_joins_degree_field() -> None:
    # FOD1P 2102 computer science, 6107 nursing, 6203 business management, 2304 elementary education, 6000 fine arts
    found = states_of(
        "education", SCHL=[21, 22, 21, 24, 21, 19], FOD1P=[2102, 6107, 6203, 2304, 6000, np.nan]
    )
    assert found == [
        "bachelors-stem",
        "graduate-stem_related",
        "bachelors-business",
        "graduate-education",
        "bachelors-arts_humanities",
        "some_college",
    ]


def test_degree_needs_a_field() -> None:
    assert states_of("education", SCHL=[21, 16], FOD1P=[np.nan, np.nan]) == ["", "high_school"]


@pytest.mark.parametrize(
    ("code", "field"),
    [
        (1100, "stem"),  # general agriculture
        (1401, "stem_related"),  # architecture
        (1501, "stem"),  # area studies count as social science
        (4000, "stem"),  # interdisciplinary studies
        (5200, "stem"),  # psychology
        (5102, "stem_related"),  # nuclear and biological technologies
        (5402, "arts_humanities"),  # public policy
        (5501, "stem"),  # economics
        (5701, "stem_related"),  # electrical and mechanic repairs
        (6402, "arts_humanities"),  # history
    ],
)
def test_fields_follow_b15011(code: int, field: str) -> None:
    assert states_of("education", SCHL=[21], FOD1P=[float(code)]) == [f"bachelors-{field}"]


def test_labor_force_status() -> None:
    expected = ["employed", "employed", "unemployed", "armed_forces", "armed_forces", "not_in_workforce", ""]
    assert states_of("labor_force_status", ESR=[1, 2, 3, 4, 5, 6, np.nan]) == expected


def test_nativity_counts_citizens_by_birth() -> None:
    expected = ["us_born", "us_born", "us_born", "naturalized", "not_citizen"]
    assert states_of("nativity", CIT=[1, 2, 3, 4, 5]) == expected


def test_language_is_the_households() -> None:
    found = states_of("language_at_home", LANX=[2, 1, 1, 1, 1, 1, np.nan], HHL=[2, 2, 3, 4, 5, np.nan, 1])
    assert found == ["english", "spanish", "other_indo_european", "asian_pacific", "other", "", ""]


def test_group_quarters_come_first() -> None:
    found = states_of(
        "household_type", TYPEHUGQ=[1, 1, 1, 1, 1, 1, 1, 2, 3], HHT=[1, 2, 3, 4, 5, 6, 7, np.nan, np.nan]
    )
    assert found == [
        "married_couple",
        "other_family",
        "other_family",
        "alone",
        "nonfamily",
        "alone",
        "nonfamily",
        "group_quarters",
        "group_quarters",
    ]


def test_veteran_status() -> None:
    assert states_of("veteran_status", MIL=[1, 2, 3, 4]) == [
        "active_duty",
        "veteran",
        "training_only",
        "never_served",
    ]


def test_disability_status() -> None:
    assert states_of("disability_status", DIS=[1, 2]) == ["with_disability", "without_disability"]


def test_income_bands_start_as_named() -> None:
    incomes = [-5000, 0, 1, 9_999, 10_000, 25_000, 50_000, 75_000, 100_000, 149_999, 150_000, np.nan]
    assert states_of("income_band", PINCP=incomes) == [
        "none",
        "none",
        "under_10k",
        "under_10k",
        "10k_25k",
        "25k_50k",
        "50k_75k",
        "75k_100k",
        "100k_150k",
        "100k_150k",
        "over_150k",
        "",
    ]


def test_commute_mode() -> None:
    found = states_of("commute_mode", JWTRNS=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, np.nan])
    assert found == ["car", *["transit"] * 5, "other", "other", "bicycle", "walked", "from_home", "other", ""]


def test_industry_needs_a_job() -> None:
    # 0770 construction, 6070 air transportation, 7860 elementary schools, 7970 physicians, 9480 federal
    codes = [770, 6070, 7860, 7970, 9480, 770]
    found = states_of("industry", INDP=[float(code) for code in codes], ESR=[1, 2, 1, 1, 1, 6])
    assert found == ["construction", "transportation", "education", "health", "public_administration", ""]


def test_class_of_worker_needs_a_job() -> None:
    found = states_of("class_of_worker", COW=[1, 2, 3, 4, 5, 6, 7, 8, 1], ESR=[1] * 8 + [3])
    assert found == [
        "private",
        "nonprofit",
        "local_government",
        "state_government",
        "federal_government",
        "self_employed",
        "own_company",
        "unpaid_family",
        "",
    ]


def test_occupation_is_the_current_one() -> None:
    columns = {name: np.full(5, np.nan) for name in NAMES}
    columns |= {"ESR": np.array([1.0, 3, 6, 4, 1]), "OCCP": np.array([3255.0, 3255, 3255, 9800, np.nan])}
    found = recode.occupation(columns, {3255: "registered_nurse", 9800: "military_officer"})
    assert found.tolist() == ["registered_nurse", "no_occupation", "not_in_workforce", "military_officer", ""]


def test_states_include_territories() -> None:
    assert len(recode.STATE_FIPS) == 53
    assert set(recode.STATE_FIPS.values()) == set(DOMAIN["state"])


@given(
    code=st.one_of(st.integers(0, 10_000), st.just(np.nan)), attribute=st.sampled_from(sorted(recode.RECODES))
)
def test_codes_give_declared_states(code: float, attribute: str) -> None:
    columns = {name: np.array([float(code)]) for name in NAMES}
    (found,) = recode.RECODES[attribute](columns)
    assert found == "" or found in DOMAIN[attribute]
