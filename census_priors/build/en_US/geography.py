"""Geography: ZIP codes with adults by ethnicity, and county factors of education within a state.

The 2020 Census gives the adults of every ZIP code in six groups, so P(ZIP | state, ethnicity) is counted.
It does not give them by education. ACS table B15003 does, by county, and the PUMS says how ethnicity and
education go together in each state. From these three two-way tables the three-way one is fitted inside
each state by iterative proportional fitting (Deming and Stephan 1940), the maximum-entropy answer:

    q(ethnicity e, education k, county c) = adults(e, c) * u(e, c) * g(k, c) * a(e, k)

with the margins (e, c) from the 2020 Census, (k, c) from B15003 (25 and over, taken for all adults) and
(e, k) from the PUMS. Given state, e and k the factor a cancels, so that

    P(ZIP z | state, e, k)  is proportional to  adults(e, z) * u(e, c(z)) * g(k, c(z))

which is what `places.py` computes. Within a county, ethnicity places a person and education does not:
no public table crosses them below the county.

The six groups of the ZIP counts add up to all adults: `multiple` holds two or more races and any other race that
the others do not, and Pacific Islanders are counted inside the Asian group. They are split off by the ratio of
the two groups in the county (B03002, 2020-2024). Nine Connecticut planning regions of the ACS stand for
the eight counties of the 2020 Census as `CONNECTICUT` says.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from census_personas.census_priors.build.compiled import write_table
from census_personas.census_priors.build.en_US.tilt import fit_tilt
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.build.source import Source, SourceError
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats

EDUCATION_GROUPS = ("no_college", "some_college", "degree")
ETHNICITIES = ("hispanic", "white", "black", "asian", "native", "pacific_islander", "multiple")
SCHOOLED = 25  # B15003 counts persons 25 and over

SOURCES = (
    Source(
        "geography/zip_table.parquet",
        "US Census Bureau; HUD; USDA Economic Research Service; OMB",
        "2020 Census, adults by Hispanic origin and race by ZCTA; HUD-USPS ZIP crosswalk; RUCA and RUCC codes; CBSA",
        "2020 Census; HUD 2023 Q1; RUCA 2010; RUCC 2023",
        "adults (18+) by ZIP Code Tabulation Area; total population for the US Virgin Islands",
        "https://data.census.gov/",
    ),
    Source(
        "acs_2020_2024_5yr_county/acs_b15003_county_2020_2024.parquet",
        "US Census Bureau",
        "American Community Survey, table B15003, educational attainment",
        "2020-2024, 5-year",
        "persons 25 and over, by county",
        "https://data.census.gov/table/ACSDT5Y2024.B15003",
    ),
    Source(
        "acs_2020_2024_5yr_county/acs_b03002_county_2020_2024.parquet",
        "US Census Bureau",
        "American Community Survey, table B03002, Hispanic or Latino origin by race",
        "2020-2024, 5-year",
        "total population, by county",
        "https://data.census.gov/table/ACSDT5Y2024.B03002",
    ),
)

# The ACS uses the planning regions of 2022, the 2020 Census the counties: each county takes the regions
# that cover most of its people. Hartford and Tolland share the Capitol region.
CONNECTICUT = {
    "09001": ("09120", "09190"),
    "09003": ("09110",),
    "09005": ("09160",),
    "09007": ("09130",),
    "09009": ("09140", "09170"),
    "09011": ("09180",),
    "09013": ("09110",),
    "09015": ("09150",),
}
# Fort Campbell's post office is in Kentucky, its houses mostly in Tennessee: the county follows the state.
COUNTY_OF_STATE = {"42223": ("21047", "Christian County")}
SPELLING = {
    "Big sur": "Big Sur",
    "Fe Warren AFB": "FE Warren AFB",
    "LA Place": "La Place",
    "MI Wuk Village": "Mi Wuk Village",
    "Pointe A LA Hache": "Pointe a la Hache",
    "West des Moines": "West Des Moines",
}
B15003 = {
    "Less than high school": "no_college",
    "High school graduate (incl. GED)": "no_college",
    "Some college / Associate's": "some_college",
    "Bachelor's degree": "degree",
    "Graduate / professional degree": "degree",
}
ASIAN, ISLANDER = "Asian, non-Hispanic", "Native Hawaiian / Pacific Islander, non-Hispanic"
# Kolko (2015), "How suburban are big American cities?": 2,213 and 102 households per square mile, at the
# 2.5 persons of an average household.
URBAN_DENSITY, SUBURBAN_DENSITY = 2213 * 2.5, 102 * 2.5
# ZIP counts by group carry one decimal: stored as tenths.
TENTHS = 10


def build_geography(sources: Path, records: Records, priors: Priors, out: Path) -> None:
    """Write `lookups/places.parquet` and `lookups/counties.parquet` under `out`.

    Args:
        sources: folder that holds the files of `SOURCES`.
        records: PUMS persons with state, age, ethnicity and education level.
        priors: the locale that they are coded in.
        out: folder of the locale.

    Raises:
        SourceError: a file is missing or does not have the rows that the method needs.
    """
    zips = _zip_codes(sources / SOURCES[0].file)
    counties = _counties(sources, zips, ethnicity_by_education(records, priors))
    places = zips.drop(columns=["rucc2023", "ruca", "density_2024"])
    write_table(places, out / "lookups" / "places.parquet")
    write_table(counties, out / "lookups" / "counties.parquet")


def urbanicity(ruca: float, rucc: float, density: float) -> str:
    """Classify a ZIP code as urban, suburban, town or rural.

    Metropolitan (RUCA 1-3): urban from 2,213 households per square mile, suburban from 102 (Kolko 2015),
    rural below; where no density is published the core (1) is suburban, its surroundings rural.
    Otherwise RUCA 4 and 7 (micropolitan and small-town cores) are towns; their surroundings (5, 6, 8, 9)
    are towns only at suburban density; 10 is rural. Without a RUCA code (Virgin Islands, water) the county's
    RUCC decides: 1-3 suburban, 4-7 town, 8-9 rural.

    Args:
        ruca: rural-urban commuting area code, primary, 2010; NaN or 99 if none.
        rucc: rural-urban continuum code of the county, 2023.
        density: persons per square mile; NaN if unknown.
    """
    if np.isnan(ruca) or ruca == 99:
        return "suburban" if rucc <= 3 else "town" if rucc <= 7 else "rural"
    if ruca <= 3:
        if np.isnan(density):
            return "suburban" if ruca == 1 else "rural"
        return "urban" if density >= URBAN_DENSITY else "suburban" if density >= SUBURBAN_DENSITY else "rural"
    if ruca in {4, 7} or (ruca < 10 and density >= SUBURBAN_DENSITY):
        return "town"
    return "rural"


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise SourceError(f"{path}: no such file; SOURCES in build/geography.py says where it is published")
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame


def _zip_codes(path: Path) -> pd.DataFrame:
    raw = _read(path)
    text = {c: raw[c].astype(object) for c in ("zip", "city", "county", "county_fips", "state", "cbsa")}
    frame = pd.DataFrame(text)
    frame["cbsa"] = frame["cbsa"].where(
        raw["cbsa_type"].astype(object) == "Metropolitan Statistical Area", ""
    )
    frame = frame.rename(columns={"cbsa": "metro_area"})
    for zipcode, (fips, county) in COUNTY_OF_STATE.items():
        frame.loc[frame["zip"] == zipcode, ["county_fips", "county"]] = [fips, county]
    frame["city"] = frame["city"].replace(SPELLING)
    for column in ("ruca", "rucc2023", "density_2024"):
        frame[column] = raw[column].astype("float64")
    classes = zip(frame["ruca"], frame["rucc2023"], frame["density_2024"], strict=True)
    frame["urbanicity"] = [urbanicity(*codes) for codes in classes]
    frame["latitude"], frame["longitude"] = raw["lat"].astype("float32"), raw["lon"].astype("float32")
    frame["adults"] = raw["adults"].astype("int32")
    residents = raw["pop_acs2024"].astype("float64").fillna(0)
    frame["residents"] = residents.where(frame["state"] == "VI", 0).astype("int32")
    for group in ("hispanic", "white", "black", "asian", "native", "multiple"):
        column = "asian_or_pacific_islander" if group == "asian" else group
        frame[column] = raw[group].fillna(0).mul(TENTHS).round().astype("int32")
    return frame.sort_values("zip", ignore_index=True)


def _region(fips: str) -> tuple[str, ...]:
    return CONNECTICUT.get(fips, (fips,))


def _counties(sources: Path, zips: pd.DataFrame, joint: dict[str, Floats]) -> pd.DataFrame:
    schooling = _by_county(sources / SOURCES[1].file, B15003)
    origin = _by_county(sources / SOURCES[2].file, {ASIAN: "asian", ISLANDER: "islander"})
    groups = ["hispanic", "white", "black", "asian_or_pacific_islander", "native", "multiple"]
    table = zips.groupby(["state", "county_fips"], as_index=False)[groups].sum()
    table["islander_share"] = [_islander_share(origin, fips) for fips in table["county_fips"]]
    parts = []
    for state, part in table.groupby("state", sort=True):
        parts.append(_tilted(str(state), part.reset_index(drop=True), schooling, joint.get(str(state))))
    return pd.concat(parts, ignore_index=True)


def _by_county(path: Path, labels: dict[str, str]) -> pd.DataFrame:
    raw = _read(path)
    kind = raw["bracket_label"].map(labels)
    if set(labels.values()) - set(kind.dropna()):
        raise SourceError(
            f"{path}: expected the brackets {', '.join(labels)}; use the file of the stated table"
        )
    return raw.assign(kind=kind).pivot_table(index="geo_id", columns="kind", values="units", aggfunc="sum")


def _islander_share(origin: pd.DataFrame, fips: str) -> np.float32:
    known = origin.reindex(_region(fips)).fillna(0).sum()
    both = known["asian"] + known["islander"]
    return np.float32(known["islander"] / both if both else 0.0)


def ethnicity_by_education(records: Records, priors: Priors) -> dict[str, Floats]:
    """Count weighted persons of 25 and over by ethnicity and education group, shape (7, 3), by state."""
    grown = records.take(records.codes["age"] >= priors.domain.code("age", SCHOOLED))
    attributes = ("state", "ethnicity", "education_group")
    domain = priors.domain.project(attributes)
    counts = np.bincount(Codes(priors, grown).cells(attributes), weights=grown.weight, minlength=domain.size)
    cube = counts.reshape(domain.shape)
    cube = cube[:, [domain.code("ethnicity", name) for name in ETHNICITIES]]
    cube = cube[:, :, [domain.code("education_group", name) for name in EDUCATION_GROUPS]]
    return {str(state): cube[i] for i, state in enumerate(domain["state"]) if cube[i].sum() > 0}


def _tilted(state: str, part: pd.DataFrame, schooling: pd.DataFrame, joint: Floats | None) -> pd.DataFrame:
    """Compute the factors u (by ethnicity) and g (by education) of the counties of one state."""
    adults = np.stack([_group(part, ethnicity) for ethnicity in ETHNICITIES])
    known = np.stack([schooling.reindex(_region(fips)).fillna(0).sum() for fips in part["county_fips"]])
    known = known[:, [list(schooling.columns).index(k) for k in EDUCATION_GROUPS]].T
    u = np.ones_like(adults)
    g = np.ones((len(EDUCATION_GROUPS), len(part)))
    if known.sum() > 0 and adults.sum() > 0:
        u, g = fit_tilt(adults, known, joint)
    factors = {f"u_{e}": u[i].astype(np.float32) for i, e in enumerate(ETHNICITIES)}
    factors |= {f"g_{k}": g[i].astype(np.float32) for i, k in enumerate(EDUCATION_GROUPS)}
    named = pd.DataFrame({"county_fips": part["county_fips"], "state": state})
    return named.assign(islander_share=part["islander_share"], **factors)


def _group(part: pd.DataFrame, ethnicity: str) -> Floats:
    islanders: Floats = part["islander_share"].to_numpy(dtype=np.float64)
    split = {"pacific_islander": islanders, "asian": 1 - islanders}
    column = "asian_or_pacific_islander" if ethnicity in split else ethnicity
    counts: Floats = part[column].to_numpy(dtype=np.float64)
    return counts * split[ethnicity] if ethnicity in split else counts
