"""Budget survey: single years of age, marital status and birth, from the members' file of the EPF, 2016 to 2022."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from census_personas.census_priors.build.source import SourceError

SEX = {"Hombre": "Male", "Mujer": "Female"}
MARITAL = {
    "Soltero": "never_married",
    "Casado": "married",
    "Viudo": "widowed",
    "Separado": "separated_or_divorced",
    "Divorciado": "separated_or_divorced",
}
SCHOOLING = {
    "Inferior a la primera etapa de Educación Secundaria.": "primary_or_less",
    "Primera etapa de Educación secundaria": "lower_secondary",
    "Segunda etapa de Educación secundaria": "upper_secondary",
    "Educación superior": "higher",
}
BIRTH = {
    "España": "spain",
    "Resto de la Unión Europea (27 países)": "european_union",
    "Resto de Europa": "rest_of_europe",
    "Resto del mundo": "rest_of_the_world",
}
UNION = "Resto de la Unión Europea (27 países)"
OPEN_AGE = 85
"""The last age of the file: 85 and over."""
COLUMNS = [
    "ANOENC",
    "EDAD",
    "SEXO",
    "ECIVILLEGAL",
    "ESTUDRED",
    "OCU",
    "SITURED",
    "PAISNACIM",
    "NACIONA",
    "PAISNACION",
    "FACTOR",
]


def read_budget_survey(path: Path) -> pd.DataFrame:
    """Read the members of all years and ages.

    Returns:
        Columns year, age (single years, 85: 85 and over), sex, marital_status, education_group, labor_force_status,
        birth,
        nationality (missing below 16, or where not stated), weight (persons of that year).

    Raises:
        SourceError: the file cannot be read or lacks a column.
    """
    try:
        rows = pd.read_parquet(path, columns=COLUMNS)
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"{path}: not the EPF's file of members ({error}); fetch it again") from error
    members = pd.DataFrame({"year": rows["ANOENC"].astype(int), "age": rows["EDAD"].astype(int)})
    for name, column, table in (
        ("sex", "SEXO", SEX),
        ("marital_status", "ECIVILLEGAL", MARITAL),
        ("education_group", "ESTUDRED", SCHOOLING),
        ("birth", "PAISNACIM", BIRTH),
    ):
        members[name] = rows[column].astype(object).map(table)
    employed, active = rows["OCU"].astype(object), rows["SITURED"].astype(object)
    members["labor_force_status"] = pd.Series(
        np.select(
            [employed == "Ocupado", active == "Activo", active == "Inactivo"],
            ["employed", "unemployed", "not_in_workforce"],
            default="",
        )
    ).replace("", None)
    foreign = rows["NACIONA"].astype(object) == "Sólo extranjera"
    of_the_union = rows["PAISNACION"].astype(object) == UNION
    members["nationality"] = np.select(
        [foreign & of_the_union, foreign], ["european_union", "other"], default="spanish"
    )
    members["weight"] = rows["FACTOR"].to_numpy(dtype=np.float64)
    return members


def cohort_ages(members: pd.DataFrame, year: int) -> pd.DataFrame:
    """Sum persons by sex and the age that they reach in `year`, as if nobody died or moved.

    Pools all years of the survey, so that a single year of age has seven times the members. Ages of people who were
    85 or over are unknown, so the last ages that are complete are those that were 84 in the last year of the survey.

    Returns:
        Columns sex, age, weight: the mean over the years that observed a cohort.
    """
    closed = members[members["age"] < OPEN_AGE]
    reached = closed.assign(age=closed["age"] + (year - closed["year"]))
    by_year = reached.groupby(["sex", "age", "year"], as_index=False)["weight"].sum()
    pooled: pd.DataFrame = by_year.groupby(["sex", "age"], as_index=False)["weight"].mean()
    return pooled
