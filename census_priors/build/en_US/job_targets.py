"""Job targets: occupations of an area's employed, from the 2018 ACS by major group and from OEWS within groups.

Two sources cover an area whose person records have no occupation:

- table C24010 of 2018, employed civilians by sex and major group, the self-employed and farms included;
  carried forward like the other tables of 2018 (`carry_forward.py`);
- the Occupational Employment and Wage Statistics of May 2024, wage and salary jobs by detailed occupation.
  It leaves out farms, private households and the self-employed, so it does not determine the size of a group, but
  only how the jobs of a group divide among occupations, compared with the donor areas.

An occupation's share of its group is the donors' share times the square root of the ratio of the two OEWS shares.
Residual occupations ("all other", which employers use differently) and suppressed cells get a ratio of 1, small cells
are shrunk towards it (by `PRIOR_JOBS` jobs), and ratios stay between 1/`LARGEST` and `LARGEST`. The exponent is the
best of 1, 0.7, 0.5, 0.3 and 0 when each of 49 states is predicted from the others: given the sizes of its groups, the
distance of its occupations to its own records falls from .132 (donors alone) to .124; the whole ratio does no better
than donors alone in large states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from census_personas.census_priors.build.en_US.acs_table import AcsTable
from census_personas.census_priors.build.en_US.occupations import link
from census_personas.census_priors.build.en_US.recode import STATE_FIPS
from census_personas.census_priors.build.raking import Target, count, shares
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.build.source import SourceError
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats, Integers, Integers32, Mask

OEWS = Path("bls_oews") / "oews_may2024_state_detailed_occ.csv.gz"
PRIOR_JOBS, LARGEST, EXPONENT = 300.0, 4.0, 0.5
COUNTRY = "US"
C24010: Mapping[str, str] = {
    "Management occupations": "management",
    "Business and financial operations occupations": "business_financial",
    "Computer and mathematical occupations": "computer_math",
    "Architecture and engineering occupations": "architecture_engineering",
    "Life, physical, and social science occupations": "life_physical_social_science",
    "Community and social service occupations": "community_social_service",
    "Legal occupations": "legal",
    "Educational instruction, and library occupations": "education_library",
    "Arts, design, entertainment, sports, and media occupations": "arts_entertainment_sports_media",
    "Healthcare practitioners and technical occupations": "healthcare_practitioner",
    "Healthcare support occupations": "healthcare_support",
    "Protective service occupations": "protective_service",
    "Food preparation and serving related occupations": "food_preparation_serving",
    "Building and grounds cleaning and maintenance occupations": "building_grounds",
    "Personal care and service occupations": "personal_care_service",
    "Sales and related occupations": "sales",
    "Office and administrative support occupations": "office_administrative_support",
    "Farming, fishing, and forestry occupations": "farming_fishing_forestry",
    "Construction and extraction occupations": "construction_extraction",
    "Installation, maintenance, and repair occupations": "installation_maintenance_repair",
    "Production occupations": "production",
    "Transportation occupations": "transportation_material_moving",
    "Material moving occupations": "transportation_material_moving",
}


def group_target(donors: Codes, reference: Codes, tables: Path, area: str, labour: Target) -> Target:
    """Build the target of employed civilians by sex and major group: the 2018 table carried forward.

    Args:
        donors: the records to be reweighted.
        reference: the records of all surveyed areas, which show the change since 2018.
        tables: folder of the 2018 detailed tables.
        area: USPS code of the modelled area.
        labour: its labour-force status by sex, age and status, which says how many are employed.
    """
    priors = donors.priors
    groups = [str(state) for state in priors.domain["occupation_group"]]
    sexes = [str(state) for state in priors.domain["sex"]]
    published = AcsTable.read(tables, "C24010").by_label(C24010)
    columns = [[(sex, group) for group in groups] for sex in sexes]

    def then(areas: list[str]) -> Floats:
        counts = published.reindex(areas).sum()
        return shares(np.array([[float(counts.get(key, 0.0)) for key in row] for row in columns]))

    cells = _group_cells(reference, len(groups))
    now = count(cells, reference.records.weight, len(sexes) * len(groups)).reshape(len(sexes), len(groups))
    area_then, others_then = then([area]), then(_states(reference))
    factor = np.divide(area_then, others_then, out=np.ones_like(now), where=others_then > 0)
    employed = labour.persons.reshape(len(sexes), -1, len(priors.domain["labor_force_status"]))
    employed = employed[..., priors.domain.code("labor_force_status", "employed")].sum(axis=1)
    persons = shares(now * factor) * employed[:, None]
    return Target(
        "sex-occupation_group carried from C24010", _group_cells(donors, len(groups)), persons.ravel()
    )


def occupation_target(donors: Codes, groups: Target, sources: Path, area: str) -> Target | None:
    """Build the target of employed civilians by occupation: groups divided by OEWS; None if it lacks the area."""
    priors = donors.priors
    jobs = _jobs(priors, sources / OEWS)
    if area not in jobs.columns:
        return None
    group_of = priors.hierarchy.codes("occupation", "occupation_group")
    size = len(priors.domain["occupation_group"])
    ratio = _ratio(jobs, area, _states(donors), group_of, _residual(priors))
    occupations = donors["occupation"]
    cells = np.where(_employed(donors), occupations, -1)
    persons = count(cells, donors.records.weight, len(group_of)) * ratio
    totals = np.bincount(group_of, weights=persons, minlength=size)
    in_group = groups.persons.reshape(-1, size).sum(axis=0)
    scale = np.divide(in_group, totals, out=np.zeros(size), where=totals > 0)
    return Target("occupation within groups from OEWS", cells, persons * scale[group_of])


def _jobs(priors: Priors, path: Path) -> pd.DataFrame:
    """Read wage and salary jobs by occupation (rows, in domain order) and state."""
    if not path.is_file():
        raise SourceError(f"{path}: no such file; the jobs of modelled areas need OEWS by state")
    raw = pd.read_csv(path, dtype={"fips": str})
    raw["state"] = raw["fips"].map({**STATE_FIPS, COUNTRY: COUNTRY})
    patterns = {item.code: item.soc for item in priors.occupations}
    code_of = {soc: code for code, socs in link(patterns, raw["soc2018"].unique()).items() for soc in socs}
    name_of = {item.code: item.name for item in priors.occupations}
    raw["occupation"] = raw["soc2018"].map(code_of).map(name_of)
    known = raw.dropna(subset=["state", "occupation"])
    jobs = known.pivot_table(index="occupation", columns="state", values="tot_emp", aggfunc=_published)
    return jobs.reindex([str(name) for name in priors.domain["occupation"]])


def _published(counts: pd.Series[float]) -> float:
    """Sum the SOC codes of an occupation; NaN if one of them is suppressed."""
    return float(counts.sum(skipna=False))


def _residual(priors: Priors) -> Mask:
    """Return the residual occupations: SOC codes that end in 9 or join several (X, Y)."""
    codes = [priors.occupations.get(str(name)).soc for name in priors.domain["occupation"]]
    return np.array([code.endswith("9") or bool({"X", "Y"} & set(code)) for code in codes])


def _ratio(
    jobs: pd.DataFrame,
    area: str,
    donors: Sequence[str],
    group_of: Integers32,
    residual: Mask,
) -> Floats:
    """Compute the ratio of an occupation's share in its group, in the area and in the donor areas."""
    elsewhere = [state for state in jobs if state not in {COUNTRY, *donors}]
    there = (jobs[COUNTRY] - jobs[elsewhere].fillna(0.0).sum(axis=1)).to_numpy()
    here = jobs[area].to_numpy()
    known = np.isfinite(here) & (there > 0) & ~residual
    own, others = (
        np.bincount(group_of[known], weights=count[known], minlength=group_of.max() + 1)
        for count in (here, there)
    )
    scale = np.divide(own, others, out=np.zeros_like(own), where=others > 0)[group_of]
    ratio = np.ones(len(here))
    ratio[known] = (here[known] + PRIOR_JOBS) / ((there * scale)[known] + PRIOR_JOBS)
    return np.clip(ratio**EXPONENT, 1 / LARGEST, LARGEST)


def _states(codes: Codes) -> list[str]:
    return [str(codes.priors.domain["state"][code]) for code in np.unique(codes.records.codes["state"])]


def _employed(codes: Codes) -> Mask:
    employed = codes.priors.domain.code("labor_force_status", "employed")
    return np.asarray(codes["labor_force_status"] == employed)


def _group_cells(codes: Codes, groups: int) -> Integers:
    group = codes["occupation_group"]
    return np.where((group < 0) | ~_employed(codes), -1, codes["sex"] * groups + group)
