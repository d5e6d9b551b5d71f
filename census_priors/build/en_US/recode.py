"""Recode: maps PUMS codes to the states of the `en_US` domain, one function per attribute.

Codes and their meaning follow the ACS PUMS data dictionary (variable names in capitals below); groupings
follow the published tables that carry them: marital status B12002, education B15001, field of degree
B15010 and B15011, labour-force status B23001.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from census_personas.foundation.arrays import Floats, Mask, Objects

Labels = Objects
Columns = Mapping[str, Floats]

# FIPS 5-2 state codes.
STATE_FIPS = dict(
    pair.split(":")
    for pair in (
        "01:AL 02:AK 04:AZ 05:AR 06:CA 08:CO 09:CT 10:DE 11:DC 12:FL 13:GA 15:HI 16:ID 17:IL 18:IN 19:IA 20:KS "
        "21:KY 22:LA 23:ME 24:MD 25:MA 26:MI 27:MN 28:MS 29:MO 30:MT 31:NE 32:NV 33:NH 34:NJ 35:NM 36:NY 37:NC "
        "38:ND 39:OH 40:OK 41:OR 42:PA 44:RI 45:SC 46:SD 47:TN 48:TX 49:UT 50:VT 51:VA 53:WA 54:WV 55:WI 56:WY "
        "72:PR 78:VI"
    ).split()
)

# B15011 counts five fields of the first major (FOD1P). Its groups, by the first two digits of the code,
# with the exceptions listed; interdisciplinary fields (4000-4009) count as science and engineering, area
# studies (1501) as social science.
FIELDS = {
    "stem": (11, 13, 15, 21, 24, 36, 37, 40, 50, 52, 55),
    "stem_related": (14, 25, 38, 57, 61),
    "business": (62,),
    "education": (23,),
}
FIELD_EXCEPTIONS = {5102: "stem_related"}  # Nuclear, industrial radiology and biological technologies

# INDP sectors by the first code of each, in the order of the data dictionary's prefixes (AGR, EXT, UTL, ...).
# Transportation is split from utilities, which share the range 0570-0690 and 6070-6390.
INDUSTRIES = (
    (170, "agriculture"),
    (370, "mining"),
    (570, "utilities"),
    (770, "construction"),
    (1070, "manufacturing"),
    (4070, "wholesale"),
    (4670, "retail"),
    (6070, "transportation"),
    (6470, "information"),
    (6870, "finance"),
    (7270, "professional"),
    (7860, "education"),
    (7970, "health"),
    (8370, "social_assistance"),
    (8560, "leisure"),
    (8770, "other_services"),
    (9370, "public_administration"),
    (9670, "military"),
    (9900, ""),  # 9920: unemployed, last worked five years ago or earlier
)
INCOME_BANDS = (
    (1, "under_10k"),
    (10_000, "10k_25k"),
    (25_000, "25k_50k"),
    (50_000, "50k_75k"),
    (75_000, "75k_100k"),
    (100_000, "100k_150k"),
    (150_000, "over_150k"),
)
CIVILIAN_JOB, ARMED_FORCES, UNEMPLOYED = (1, 2), (4, 5), (3,)


def _choose(*cases: tuple[Mask, str | Labels], otherwise: str = "") -> Labels:
    """Take the value of the first true case; '' is missing."""
    values = [np.asarray(value, dtype=object) for _, value in cases]
    return np.asarray(np.select([case for case, _ in cases], values, otherwise), dtype=object)


def _mapped(values: Floats, states: Mapping[int, str]) -> Labels:
    return np.asarray(pd.Series(values).map(states).fillna(""), dtype=object)


def _banded(values: Floats, bands: tuple[tuple[int, str], ...], below: str = "") -> Labels:
    firsts, names = zip(*bands, strict=True)
    place = np.searchsorted(np.array(firsts), np.nan_to_num(values, nan=-1.0), side="right")
    return np.where(np.isnan(values), "", np.array((below, *names), dtype=object)[place])


def sex(of: Columns) -> Labels:
    """SEX."""
    return _mapped(of["SEX"], {1: "Male", 2: "Female"})


def ethnicity(of: Columns) -> Labels:
    """HISP first (any race), then RAC1P; 8 (some other race) and 9 (two or more) are `multiple`, as in B03002."""
    race = {
        1: "white",
        2: "black",
        3: "native",
        4: "native",
        5: "native",
        6: "asian",
        7: "pacific_islander",
        8: "multiple",
        9: "multiple",
    }
    return _choose((of["HISP"] > 1, "hispanic"), (of["HISP"] == 1, _mapped(of["RAC1P"], race)))


def marital_status(of: Columns) -> Labels:
    """MAR; "married" includes spouses who are absent but not separated (B12002)."""
    states = {1: "married_present", 2: "widowed", 3: "divorced", 4: "separated", 5: "never_married"}
    return _mapped(of["MAR"], states)


def education_level(of: Columns) -> Labels:
    """SCHL in the seven levels of B15001."""
    schl = of["SCHL"]
    return _choose(
        (schl <= 11, "less_than_9th"),
        (schl <= 15, "9th_12th_no_diploma"),
        (schl <= 17, "high_school"),
        (schl <= 19, "some_college"),
        (schl == 20, "associates"),
        (schl == 21, "bachelors"),
        (schl >= 22, "graduate"),
    )


def bachelors_field(of: Columns) -> Labels:
    """FOD1P in the five groups of B15011; `no_degree` where SCHL is below a bachelor's degree."""
    code = of["FOD1P"]
    group = np.floor_divide(code, 100)
    exceptions = _mapped(code, FIELD_EXCEPTIONS)
    return _choose(
        (of["SCHL"] < 21, "no_degree"),
        (np.isnan(code), ""),
        (exceptions != "", exceptions),
        *((np.isin(group, groups), field) for field, groups in FIELDS.items()),
        (code > 0, "arts_humanities"),
    )


def education(of: Columns) -> Labels:
    """Level, and from bachelor's on the field, as one attribute: `bachelors-stem`; missing without FOD1P."""
    level, field = education_level(of), bachelors_field(of)
    return _choose((field == "no_degree", level), (field == "", ""), (level != "", level + "-" + field))


def labor_force_status(of: Columns) -> Labels:
    """ESR in the four groups of B23001."""
    esr = of["ESR"]
    return _choose(
        (np.isin(esr, CIVILIAN_JOB), "employed"),
        (np.isin(esr, ARMED_FORCES), "armed_forces"),
        (np.isin(esr, UNEMPLOYED), "unemployed"),
        (esr == 6, "not_in_workforce"),
    )


def nativity(of: Columns) -> Labels:
    """CIT; born in Puerto Rico, the islands or abroad of American parents is a citizen by birth."""
    return _mapped(of["CIT"], {1: "us_born", 2: "us_born", 3: "us_born", 4: "naturalized", 5: "not_citizen"})


def language_at_home(of: Columns) -> Labels:
    """LANX, and for those who speak another language the household's group of languages (HHL)."""
    groups = {2: "spanish", 3: "other_indo_european", 4: "asian_pacific", 5: "other"}
    return _choose((of["LANX"] == 2, "english"), (of["LANX"] == 1, _mapped(of["HHL"], groups)))


def household_type(of: Columns) -> Labels:
    """HHT of the person's household; TYPEHUGQ 2 and 3 are group quarters."""
    kinds = {
        1: "married_couple",
        2: "other_family",
        3: "other_family",
        4: "alone",
        6: "alone",
        5: "nonfamily",
    }
    kinds[7] = "nonfamily"
    return _choose((of["TYPEHUGQ"] > 1, "group_quarters"), (of["HHT"] > 0, _mapped(of["HHT"], kinds)))


def veteran_status(of: Columns) -> Labels:
    """MIL."""
    return _mapped(of["MIL"], {1: "active_duty", 2: "veteran", 3: "training_only", 4: "never_served"})


def disability_status(of: Columns) -> Labels:
    """DIS."""
    return _mapped(of["DIS"], {1: "with_disability", 2: "without_disability"})


def income_band(of: Columns) -> Labels:
    """PINCP, dollars of the last 12 months; zero and losses are `none`."""
    return _banded(of["PINCP"], INCOME_BANDS, below="none")


def commute_mode(of: Columns) -> Labels:
    """JWTRNS of those at work in the last week; missing for those with a job but not at work."""
    modes = {1: "car", 9: "bicycle", 10: "walked", 11: "from_home", **dict.fromkeys(range(2, 7), "transit")}
    return _mapped(of["JWTRNS"], {**modes, **dict.fromkeys((7, 8, 12), "other")})


def industry(of: Columns) -> Labels:
    """INDP in the sectors of the data dictionary, for those with a job."""
    return np.where(_has_job(of), _banded(of["INDP"], INDUSTRIES), "")


def class_of_worker(of: Columns) -> Labels:
    """COW of those with a job."""
    classes = (
        "private nonprofit local_government state_government federal_government self_employed own_company "
        "unpaid_family"
    ).split()
    return np.where(_has_job(of), _mapped(of["COW"], dict(enumerate(classes, 1))), "")


def occupation(of: Columns, names: Mapping[int, str]) -> Labels:
    """OCCP of those with a job, under the locale's names; otherwise by labour-force status.

    PUMS also gives the last occupation of people without a job, which is ignored.
    """
    status = labor_force_status(of)
    return _choose(
        (_has_job(of), _mapped(of["OCCP"], names)),
        (status == "unemployed", "no_occupation"),
        (status == "not_in_workforce", "not_in_workforce"),
    )


def _has_job(of: Columns) -> Mask:
    return np.isin(of["ESR"], CIVILIAN_JOB + ARMED_FORCES)


RECODES: Mapping[str, Callable[[Columns], Labels]] = {
    function.__name__: function
    for function in (
        sex,
        ethnicity,
        marital_status,
        education,
        education_level,
        labor_force_status,
        nativity,
        language_at_home,
        household_type,
        veteran_status,
        disability_status,
        income_band,
        commute_mode,
        industry,
        class_of_worker,
    )
}
"""Attributes that follow from one row of official columns; state, age and occupation need more."""

PERSON_COLUMNS = (
    "SERIALNO PWGTP AGEP SEX RAC1P HISP CIT LANX SCHL FOD1P MAR ESR INDP OCCP COW JWTRNS PINCP DIS MIL"
).split()
HOUSING_COLUMNS = "SERIALNO HHT HHL TYPEHUGQ".split()
