"""Sources: the official files behind the tables of es_ES, all of the Instituto Nacional de Estadística (INE)."""

from __future__ import annotations

from census_personas.census_priors.build.source import Source

INE = "Instituto Nacional de Estadística (INE)"
LICENCE = (
    "CC BY 4.0 (https://www.ine.es/aviso_legal); elaboración propia con datos extraídos del sitio web del INE: "
    "www.ine.es"
)
FOLDER = "es_ES"

LABOUR_FORCE = Source(
    f"{FOLDER}/epa_2016q4.parquet",
    INE,
    "Encuesta de Población Activa (EPA), microdatos, 4.º trimestre de 2016",
    "2016 Q4",
    "residents of family dwellings; persons of 16 and over are used",
    "https://www.ine.es/prodyser/microdatos.htm",
    LICENCE,
    key="epa_2016q4",
)
BUDGET = Source(
    f"{FOLDER}/epf_members_2016_2022.parquet",
    INE,
    "Encuesta de Presupuestos Familiares (EPF), microdatos de miembros del hogar, 2016 a 2022",
    "2016 to 2022",
    "members of private households",
    "https://www.ine.es/prodyser/microdatos.htm",
    LICENCE,
    key="epf_2016_2022",
)
PUBLISHED = Source(
    f"{FOLDER}/ine_epa_tables/",
    INE,
    "Encuesta de Población Activa (EPA), tablas de resultados por comunidad autónoma, 3.er trimestre de 2024",
    "2024 Q3",
    "residents of family dwellings, by region and sex",
    "https://www.ine.es/dyngs/INEbase/es/operacion.htm?c=Estadistica_C&cid=1254736176918&idp=1254735976595",
    LICENCE,
    key="epa_tables_2024q3",
)
FIRST_NAMES = Source(
    f"{FOLDER}/first_names_2015.parquet",
    INE,
    "Nombres de los residentes por sexo, frecuencia y edad media, padrón a 1 de enero de 2015",
    "1 January 2015",
    "residents; names of 20 bearers or more",
    "https://www.ine.es/dyngs/INEbase/es/operacion.htm?c=Estadistica_C&cid=1254736177009&idp=1254734710990",
    LICENCE,
    key="names_2015",
)
SURNAMES = Source(
    f"{FOLDER}/surnames_2015.parquet",
    INE,
    "Apellidos de los residentes por frecuencia, padrón a 1 de enero de 2015",
    "1 January 2015",
    "residents; surnames of 20 bearers or more",
    "https://www.ine.es/dyngs/INEbase/es/operacion.htm?c=Estadistica_C&cid=1254736177009&idp=1254734710990",
    LICENCE,
    key="surnames_2015",
)
MUNICIPALITIES = Source(
    f"{FOLDER}/municipalities_2025.parquet",
    INE,
    "Cifras oficiales de población de los municipios, padrón a 1 de enero de 2025",
    "1 January 2025",
    "residents by municipality",
    "https://www.ine.es/dyngs/INEbase/es/operacion.htm?c=Estadistica_C&cid=1254736177011&idp=1254734710990",
    LICENCE,
    key="municipalities_2025",
)
TABLES = (LABOUR_FORCE, BUDGET, PUBLISHED)
"""Sources of the tables."""
LOOKUPS = {
    "places": (MUNICIPALITIES,),
    "names_given": (FIRST_NAMES,),
    "names_births": (FIRST_NAMES, BUDGET),
    "names_population": (BUDGET,),
    "names_last": (SURNAMES,),
}
"""Sources of each look-up."""
EVERY = (*TABLES, FIRST_NAMES, SURNAMES, MUNICIPALITIES)
