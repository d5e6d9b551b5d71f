"""Published tables: the INE's figures by community and sex for one quarter, as margins for raking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from census_personas.census_priors.build.es_ES.labour_force import REGIONS
from census_personas.census_priors.build.source import SourceError

QUARTER = "2024-07-01"
"""First day of the quarter, as the tables have it."""
SEX = {"Hombres": "Male", "Mujeres": "Female"}
COMMUNITIES = {
    **{code: name for code, name in REGIONS.items() if code < "51"},
    "18": "Ceuta",
    "19": "Melilla",
}
AGES = {
    "De 16 a 19 años": "16-19",
    "De 20 a 24 años": "20-24",
    "De 25 a 34 años": "25-34",
    "De 35 a 44 años": "35-44",
    "De 45 a 54 años": "45-54",
    "De 55 a 64 años": "55-64",
    "65 y más años": "65+",
    "55 y más años": "55+",
}
EDUCATION = {
    "Analfabetos": "illiterate",
    "Estudios primarios incompletos": "primary_incomplete",
    "Educación primaria": "primary",
    "Primera etapa de educación secundaria y similar": "lower_secondary",
    "Segunda etapa de educación secundaria, con orientación general": "upper_secondary_general",
    "Segunda etapa de educación secundaria con orientación profesional (incluye educación postsecundaria no "
    "superior)": "upper_secondary_vocational",
    "Educación superior": "higher",
}
NATIONALITY = {
    "Española": "spanish",
    "Extranjera: Unión Europea": "european_union",
    "Extranjera: No pertenecientes a la Unión Europea": "other",
}
OCCUPATION = {
    "Ocupaciones militares": "armed_forces",
    "Directores y gerentes": "managers",
    "Técnicos y profesionales científicos e intelectuales": "professionals",
    "Técnicos; profesionales de apoyo": "technicians",
    "Empleados contables, administrativos y otros empleados de oficina": "clerical_workers",
    "Trabajadores de los servicios de restauración, personales, protección y vendedores": "service_and_sales_workers",
    "Trabajadores cualificados en el sector agrícola, ganadero, forestal y pesquero": "skilled_agricultural_workers",
    "Artesanos y trabajadores cualificados de las industrias manufactureras y la construcción (excepto operadores de "
    "instalaciones y maquinaria)": "craft_workers",
    "Operadores de instalaciones y maquinaria, y montadores": "machine_operators",
    "Ocupaciones elementales": "elementary_occupations",
}
BRANCH = {
    "A ": "agriculture",
    "B_E": "industry",
    "C ": "industry",
    "F ": "construction",
    "Comercio": "trade_transport_communications",
    "J ": "trade_transport_communications",
    "K ": "finance_and_professional_services",
    "L ": "finance_and_professional_services",
    "Actividades profesionales": "finance_and_professional_services",
    "Administración": "administration_education_health",
    "Activ. artísticas": "other_services",
}
"""Beginnings of the sections' names -> the finest groups that the published sections and the microdata share."""
EMPLOYMENT = {
    "Empleador": "employer",
    "Empresario sin asalariados o trabajador independiente": "own_account",
    "Miembro de una cooperativa": "cooperative_member",
    "Ayuda en la empresa o negocio familiar": "family_worker",
    "Asalariado sector público": "public_employee",
    "Asalariado sector privado": "private_employee",
    "Otra situación": "other",
}


@dataclass(frozen=True, slots=True)
class Published:
    """One published table.

    Attributes:
        persons: columns community, sex, category and persons; blank cells are zero.
        name: file it was read from.
    """

    persons: pd.DataFrame
    name: str


def read_published(folder: Path, name: str, column: str, categories: Mapping[str, str]) -> Published:
    """Read one table of the quarter, without totals.

    Args:
        folder: folder of the tables.
        name: file without suffix.
        column: its column of categories.
        categories: category as published -> category; others are left out, and ones that map to the same are added.

    Raises:
        SourceError: the file cannot be read, or lacks a category or the quarter.
    """
    path = folder / f"{name}.csv.gz"
    try:
        rows = pd.read_csv(path, dtype={"codauto": str})
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: not a published table of the EPA ({error}); fetch it again") from error
    rows = rows[(rows["trimestre"] == QUARTER) & rows["sexo"].isin(SEX) & rows["codauto"].isin(COMMUNITIES)]
    absent = set(categories) - set(rows[column])
    if absent:
        raise SourceError(f"{path}: has no {min(absent)!r} for {QUARTER}; another edition of the table?")
    rows = rows[rows[column].isin(categories)]
    persons = pd.DataFrame(
        {
            "community": rows["codauto"].map(COMMUNITIES),
            "sex": rows["sexo"].map(SEX),
            "category": rows[column].map(categories),
            "persons": rows["value"].fillna(0.0) * 1000.0,
        }
    )
    whole = persons.groupby(["community", "sex", "category"])["persons"].sum().reset_index()
    return Published(whole, name)


def read_branches(folder: Path) -> Published:
    """Read employed persons by branch, in the groups of `BRANCH`."""
    path = folder / "ocupados_rama.csv.gz"
    try:
        sections = pd.read_csv(path, usecols=["rama_actividad"])["rama_actividad"].unique()
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: not a published table of the EPA ({error}); fetch it again") from error
    categories = {
        section: group for section in sections for start, group in BRANCH.items() if section.startswith(start)
    }
    return read_published(folder, "ocupados_rama", "rama_actividad", categories)
