"""Labour force survey: the persons of 16 and over of the EPA's microdata, recoded.

Codes are those of the INE's record description (`disereg_epa`). Ages are bands of five years up to `65+`, and 16 to 19.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from census_personas.census_priors.build.source import SourceError
from census_personas.foundation.arrays import Mask

ADULT_LEVEL = "1"
"""NIVEL of persons of 16 and over."""
REGIONS = {
    "01": "Andalucía",
    "02": "Aragón",
    "03": "Asturias",
    "04": "Illes Balears",
    "05": "Canarias",
    "06": "Cantabria",
    "07": "Castilla y León",
    "08": "Castilla-La Mancha",
    "09": "Cataluña",
    "10": "Comunitat Valenciana",
    "11": "Extremadura",
    "12": "Galicia",
    "13": "Comunidad de Madrid",
    "14": "Región de Murcia",
    "15": "Navarra",
    "16": "País Vasco",
    "17": "La Rioja",
    "51": "Ceuta",
    "52": "Melilla",
}
"""CCAA -> autonomous community or city."""
PROVINCES = (
    "Álava,Albacete,Alicante,Almería,Ávila,Badajoz,Illes Balears,Barcelona,Burgos,Cáceres,Cádiz,Castellón,Ciudad Real,"
    "Córdoba,A Coruña,Cuenca,Girona,Granada,Guadalajara,Gipuzkoa,Huelva,Huesca,Jaén,León,Lleida,La Rioja,Lugo,Madrid,"
    "Málaga,Murcia,Navarra,Ourense,Asturias,Palencia,Las Palmas,Pontevedra,Salamanca,Santa Cruz de Tenerife,Cantabria,"
    "Segovia,Sevilla,Soria,Tarragona,Teruel,Toledo,Valencia,Valladolid,Bizkaia,Zamora,Zaragoza,Ceuta,Melilla"
).split(",")
"""Provinces in the order of their codes PROV, 01 to 52."""
SEX = {"1": "Male", "6": "Female"}
MARITAL = {"1": "never_married", "2": "married", "3": "widowed", "4": "separated_or_divorced"}
EDUCATION = {
    "AN": "illiterate",
    "P1": "primary_incomplete",
    "P2": "primary",
    "S1": "lower_secondary",
    "SG": "upper_secondary_general",
    "SP": "upper_secondary_vocational",
    "SU": "higher",
}
WORK = {
    **dict.fromkeys(("03", "04"), "employed"),
    **dict.fromkeys(("05", "06"), "unemployed"),
    **dict.fromkeys(("07", "08", "09"), "not_in_workforce"),
}
OCCUPATION = {
    "0": "armed_forces",
    "1": "managers",
    "2": "professionals",
    "3": "technicians",
    "4": "clerical_workers",
    "5": "service_and_sales_workers",
    "6": "skilled_agricultural_workers",
    "7": "craft_workers",
    "8": "machine_operators",
    "9": "elementary_occupations",
}
"""Great groups of the CNO-11."""
BRANCH = {
    "0": "agriculture",
    "1": "food_textile_wood_paper",
    "2": "extraction_chemicals_metals_energy",
    "3": "machinery_and_vehicles",
    "4": "construction",
    "5": "trade_and_hospitality",
    "6": "transport_and_communications",
    "7": "finance_and_professional_services",
    "8": "administration_education_health",
    "9": "other_services",
}
"""Groups of the CNAE-09 as the public file has them (ACT1)."""
EMPLOYMENT = {
    "01": "employer",
    "03": "own_account",
    "05": "cooperative_member",
    "06": "family_worker",
    "07": "public_employee",
    "08": "private_employee",
    "09": "other",
}
EU = ("115", "125", "128")
BIRTH = {
    **dict.fromkeys(EU, "european_union"),
    "100": "rest_of_europe",
    "200": "africa",
    **dict.fromkeys(("300", "310"), "north_and_central_america"),
    "350": "south_america",
    **dict.fromkeys(("400", "410", "420", "500"), "asia_and_oceania"),
}
"""REGNA -> region of birth of people born abroad."""
COLUMNS = (
    "NIVEL CCAA PROV NVIVI EDAD5 SEXO NCONY ECIV REGNA NAC EXREGNA NFORMA OCUP1 ACT1 SITU AOI weight".split()
)

Keep = Callable[[pd.DataFrame], Mask]
"""Function from rows with PROV and NVIVI to whether to read the dwelling."""


def read_labour_force(path: Path, keep: Keep | None = None) -> pd.DataFrame:
    """Read persons of 16 and over, one row each, with states in the words of es_ES.

    Args:
        path: the microdata as Parquet, columns as in the record description, and `weight` in persons.
        keep: dwellings to read; all by default.

    Returns:
        Columns community, province, age (first year of the band), sex, marital_status, cohabitation, education_level,
        labor_force_status, occupation, branch, employment_status, birth_region, nationality, dwelling (its number),
        weight.

    Raises:
        SourceError: the file cannot be read, lacks a column, or has an unknown code.
    """
    try:
        persons = pd.read_parquet(path, columns=COLUMNS)
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"{path}: not the EPA's microdata ({error}); fetch it again") from error
    persons = persons[persons["NIVEL"] == ADULT_LEVEL]
    if keep is not None:
        persons = persons[keep(persons)]
    persons = persons.reset_index(drop=True)
    provinces = {f"{code:02d}": name for code, name in enumerate(PROVINCES, 1)}
    states = pd.DataFrame({"community": _recoded(persons, "CCAA", REGIONS, path)})
    states["province"] = _recoded(persons, "PROV", provinces, path)
    states["age"] = persons["EDAD5"].astype(int)
    states["sex"] = _recoded(persons, "SEXO", SEX, path)
    states["marital_status"] = _recoded(persons, "ECIV", MARITAL, path)
    states["cohabitation"] = np.where(
        persons["NCONY"].fillna("00") != "00", "with_partner", "without_partner"
    )
    states["education_level"] = _recoded(persons, "NFORMA", EDUCATION, path)
    work = _recoded(persons, "AOI", WORK, path)
    states["labor_force_status"] = work
    idle = work != "employed"
    without = work.map({"unemployed": "no_occupation", "not_in_workforce": "not_in_workforce"})
    states["occupation"] = without.where(idle, _recoded(persons, "OCUP1", OCCUPATION, path, blank=idle))
    for name, column, table in (("branch", "ACT1", BRANCH), ("employment_status", "SITU", EMPLOYMENT)):
        states[name] = _recoded(persons, column, table, path, blank=idle).where(~idle, "none")
    states["birth_region"] = _recoded(persons, "REGNA", BIRTH, path, blank=persons["REGNA"].isna()).fillna(
        "spain"
    )
    states["nationality"] = _nationality(persons, path)
    states["dwelling"] = pd.factorize(persons["PROV"] + persons["NVIVI"])[0]
    states["weight"] = persons["weight"].to_numpy(dtype=np.float64)
    return states


def _nationality(persons: pd.DataFrame, path: Path) -> pd.Series[str]:
    kind = _recoded(persons, "NAC", {"1": "spanish", "2": "dual", "3": "foreign"}, path)
    foreign = persons["EXREGNA"].isin(EU).map({True: "european_union", False: "other"})
    return kind.where(kind != "foreign", foreign)


def _recoded(
    persons: pd.DataFrame,
    column: str,
    table: dict[str, str],
    path: Path,
    blank: pd.Series[bool] | None = None,
) -> pd.Series[str]:
    """Map codes to states; a code that is not in the table is refused, unless it may be blank there."""
    states = persons[column].map(table)
    bad = states.isna() if blank is None else states.isna() & ~blank
    if bad.any():
        raise SourceError(
            f"{path}: {column}={persons.loc[bad, column].iloc[0]!r} is not a code of the EPA 2016"
        )
    return states
