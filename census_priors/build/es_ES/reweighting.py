"""Reweighting: the labour force survey of 2016 brought to the population of 2024 Q3.

The survey has every joint distribution, but of 2016. Its weights are raked (`raking.py`) to margins of the target
quarter; interactions that no margin contains stay as they were. Margins come in the order of their reliability for
2024, the last being met best:

1. marital status by sex and age, from the budget survey of 2022;
2. region of birth by sex, from the budget survey of 2022;
3. ages of five years by sex, within the published bands, from cohorts of the budget survey;
4. the published tables of the EPA: nationality, labour-force status, occupation, branch, status in employment and
   education by community and sex; unemployed and employed by age; last, population by community, sex and age.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from census_personas.census_priors.build.es_ES import published_tables as published
from census_personas.census_priors.build.es_ES.budget_survey import cohort_ages
from census_personas.census_priors.build.raking import Target, rake
from census_personas.foundation.arrays import Floats

YEAR = 2024
LAST_YEAR = 2022
"""Last year of the budget survey."""
ROUNDS = 200
TOLERANCE = 1e-5
BANDS = {
    16: "16-19",
    20: "20-24",
    **dict.fromkeys((25, 30), "25-34"),
    **dict.fromkeys((35, 40), "35-44"),
    **dict.fromkeys((45, 50), "45-54"),
    **dict.fromkeys((55, 60), "55-64"),
    65: "65+",
}
"""First year of a band in the microdata -> published band."""
OLDER = {**BANDS, **dict.fromkeys((55, 60, 65), "55+")}
"""The same for tables that end with 55 and over."""
BIRTHS = {
    "north_and_central_america": "rest_of_the_world",
    "south_america": "rest_of_the_world",
    "africa": "rest_of_the_world",
    "asia_and_oceania": "rest_of_the_world",
}
"""Regions of birth that the budget survey adds up."""
BRANCHES = {
    **dict.fromkeys(
        ("food_textile_wood_paper", "extraction_chemicals_metals_energy", "machinery_and_vehicles"),
        "industry",
    ),
    **dict.fromkeys(
        ("trade_and_hospitality", "transport_and_communications"), "trade_transport_communications"
    ),
}
"""Branches of the microdata that the published sections add up."""


def reweighted(persons: pd.DataFrame, members: pd.DataFrame, tables: Path) -> tuple[Floats, list[Target]]:
    """Rake persons of 16 and over to the target quarter.

    Args:
        persons: as `read_labour_force` returns them.
        members: as `read_budget_survey` returns them.
        tables: folder of the published tables.

    Returns:
        New weights in persons, and the margins that they were raked to.
    """
    frame = _with_groups(persons)
    targets = [
        *_from_budget_survey(frame, members, tables),
        *_from_published_tables(frame, members, tables),
    ]
    start = persons["weight"].to_numpy(dtype=np.float64)
    start = start * targets[-1].persons.sum() / start.sum()
    return rake(start, targets, rounds=ROUNDS, tolerance=TOLERANCE), targets


def effective_size(weights: Floats) -> float:
    """Compute Kish's effective sample size, (sum w)^2 / sum w^2."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _with_groups(persons: pd.DataFrame) -> pd.DataFrame:
    work = persons["labor_force_status"]
    return persons.assign(
        band=persons["age"].map(BANDS),
        older=persons["age"].map(OLDER),
        births=persons["birth_region"].replace(BIRTHS),
        branches=persons["branch"].replace(BRANCHES),
        citizenship=persons["nationality"].replace({"dual": "spanish"}),
        employed=work == "employed",
        unemployed=work == "unemployed",
    )


def _from_budget_survey(frame: pd.DataFrame, members: pd.DataFrame, tables: Path) -> list[Target]:
    grown = members[(members["age"] >= 16) & (members["year"] == LAST_YEAR)]
    ages = published.read_published(tables, "poblacion_edad", "edad", _categories("65+")).persons
    by_band = ages.groupby(["sex", "category"])["persons"].sum()
    marital = grown.assign(band=_bands(grown["age"])).dropna(subset=["marital_status"])
    marital = _scaled(marital, ["sex", "band"], ["marital_status"], by_band)
    births = grown.dropna(subset=["birth"])
    births = _scaled(births, ["sex"], ["birth"], ages.groupby("sex")["persons"].sum())
    cohorts = cohort_ages(members, YEAR)
    cohorts = cohorts[cohorts["age"].between(16, 64)]
    five = np.where(cohorts["age"] < 20, 16, cohorts["age"] // 5 * 5)
    years = _scaled(
        cohorts.assign(band=_bands(cohorts["age"]), five=five), ["sex", "band"], ["five"], by_band
    )
    return [
        _target("marital status", frame, ["sex", "band", "marital_status"], marital),
        _target("birth", frame, ["sex", "births"], births.rename(columns={"birth": "births"})),
        _target("five years", frame, ["sex", "age"], years.rename(columns={"five": "age"})),
    ]


def _from_published_tables(frame: pd.DataFrame, members: pd.DataFrame, tables: Path) -> list[Target]:
    def read(name: str, column: str, categories: Mapping[str, str], attribute: str) -> pd.DataFrame:
        rows = published.read_published(tables, name, column, categories).persons
        return rows.rename(columns={"category": attribute})

    nationality = read("poblacion_nacionalidad", "nacionalidad", published.NATIONALITY, "citizenship")
    last = members[members["year"] == LAST_YEAR]
    grown = last[last["age"] >= 16].groupby("nationality")["weight"].sum()
    share = grown / last.groupby("nationality")["weight"].sum()
    nationality["weight"] = nationality["persons"] * nationality["citizenship"].map(share)
    population = read("poblacion_edad", "edad", _categories("65+"), "band")
    here = ["community", "sex"]
    nationality = _scaled(nationality, here, ["citizenship"], population.groupby(here)["persons"].sum())
    employment = read(
        "ocupados_situacion", "situacion_profesional", published.EMPLOYMENT, "employment_status"
    )
    branches = published.read_branches(tables).persons.rename(columns={"category": "branches"})
    occupation = read("ocupados_ocupacion", "ocupacion", published.OCCUPATION, "occupation")
    citizens = read("ocupados_nacionalidad", "nacionalidad", published.NATIONALITY, "citizenship")
    levels = "nivel_formacion", published.EDUCATION, "education_level"
    seekers_by_education = read("paro_formacion", *levels)
    workers_by_education = read("ocupados_formacion", *levels)
    seekers = read("paro_edad", "edad", _categories("55+"), "older")
    workers = read("ocupados_edad", "edad", _categories("55+"), "older")
    return [
        _target("nationality", frame, [*here, "citizenship"], nationality),
        _target("employed by status", frame, ["sex", "employment_status"], employment, "employed"),
        _target("employed by nationality", frame, ["sex", "citizenship"], citizens, "employed"),
        _target(
            "unemployed by education",
            frame,
            ["sex", "education_level"],
            seekers_by_education,
            "unemployed",
        ),
        _target("unemployed by age", frame, ["sex", "older"], seekers, "unemployed"),
        _target("employed by branch", frame, [*here, "branches"], branches, "employed"),
        _target("employed by occupation", frame, [*here, "occupation"], occupation, "employed"),
        _target(
            "employed by education",
            frame,
            [*here, "education_level"],
            workers_by_education,
            "employed",
        ),
        _target("education", frame, [*here, "education_level"], read("poblacion_adultos_formacion", *levels)),
        _target("unemployed", frame, here, seekers, "unemployed"),
        _target("employed by age", frame, [*here, "older"], workers, "employed"),
        _target("population", frame, [*here, "band"], population),
    ]


def _categories(last: str) -> dict[str, str]:
    """Return the published age bands of a table that ends with `65+` or `55+`."""
    left_out = {"65+": ("55+",), "55+": ("65+", "55-64")}[last]
    return {said: band for said, band in published.AGES.items() if band not in left_out}


def _bands(ages: pd.Series[int]) -> pd.Series[str]:
    first = ages.clip(upper=65).where(ages >= 20, 16)
    return (first.where(first < 20, first // 5 * 5)).map(BANDS)


def _scaled(
    rows: pd.DataFrame, within: Sequence[str], of: Sequence[str], totals: pd.Series[float]
) -> pd.DataFrame:
    """Scale the shares of `of` within groups to published totals of the groups; returns a column `persons`."""
    counts = rows.groupby([*within, *of], as_index=False)["weight"].sum()
    share = counts["weight"] / counts.groupby(list(within))["weight"].transform("sum")
    keys = counts[list(within)].apply(tuple, axis=1) if len(within) > 1 else counts[within[0]]
    scaled: pd.DataFrame = counts.assign(persons=share * keys.map(totals))
    return scaled


def _target(
    name: str, frame: pd.DataFrame, attributes: list[str], rows: pd.DataFrame, who: str = ""
) -> Target:
    """Number the cells of a margin; persons of other universes, or in cells that nobody was counted in, are outside."""
    persons = rows.groupby(attributes)["persons"].sum()
    persons = persons[persons > 0]
    number = pd.Series(np.arange(len(persons)), index=persons.index)
    cells = pd.MultiIndex.from_frame(frame[attributes])
    found = number.reindex(cells).fillna(-1).to_numpy().astype(np.int64)
    if who:
        found = np.where(frame[who], found, -1)
    return Target(name, found, persons.to_numpy(dtype=np.float64))
