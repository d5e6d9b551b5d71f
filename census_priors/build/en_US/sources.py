"""Sources: the official files of the en_US tables; builders of look-ups list their own."""

from __future__ import annotations

from census_personas.census_priors.build.en_US import geography, name_counts, occupations
from census_personas.census_priors.build.en_US.job_targets import OEWS
from census_personas.census_priors.build.source import Source

CENSUS = "US Census Bureau"
PUMS = Source(
    "acs_pums_2024_1yr/",
    CENSUS,
    "American Community Survey 2024 1-year Public Use Microdata Sample, person and housing records",
    "2024",
    "residents, in households and group quarters, of the 50 states and DC",
    "https://www2.census.gov/programs-surveys/acs/data/pums/2024/1-Year/",
)
ESTIMATES = Source(
    "census_pep_2024/nc-est2024-agesex-res.csv",
    CENSUS,
    "Population Estimates, Vintage 2024: residents by single year of age and sex",
    "1 July 2024",
    "residents of the 50 states and DC",
    "https://www2.census.gov/programs-surveys/popest/datasets/2020-2024/national/asrh/",
    released="2025",
)
DETAILED = {
    "B01001": ("Sex by age", "total population"),
    "B12002": ("Sex by marital status by age", "population 15 and over"),
    "B15001": ("Sex by age by educational attainment", "population 18 and over"),
    "B15011": ("Sex by age by field of bachelor's degree", "population 25 and over with a bachelor's degree"),
    "B23001": ("Sex by age by employment status", "population 16 and over"),
    "C24010": ("Sex by occupation", "civilian employed population 16 and over"),
}
ACS_2018 = tuple(
    Source(
        f"acs_2018_1yr_tables/bystate/{table}_DATA.csv.gz",
        CENSUS,
        f"American Community Survey 2018 1-year, table {table}: {title}; with margins of error",
        "2018",
        f"{universe}, by state, DC and Puerto Rico",
        f"https://data.census.gov/table/ACSDT1Y2018.{table}",
        released="September 2019",
        beside=(f"acs_2018_1yr_tables/us/{table}_LEGEND.csv.gz",),
    )
    for table, (title, universe) in DETAILED.items()
)
JOBS = Source(
    OEWS.as_posix(),
    "US Bureau of Labor Statistics",
    "Occupational Employment and Wage Statistics, employment by detailed occupation and state",
    "May 2024",
    "wage and salary jobs; farms, private households and the self-employed are left out",
    "https://www.bls.gov/oes/tables.htm",
    released="April 2025",
)
ISLANDS = Source(
    "",
    CENSUS,
    "2020 Island Areas Censuses, US Virgin Islands: race and Hispanic origin (figures in build/territories.py)",
    "1 April 2020",
    "residents of the US Virgin Islands",
    "https://www.census.gov/programs-surveys/decennial-census/decade/2020/planning-management/release/"
    "2020-island-areas-data-products.html",
    released="October 2022",
    key="island_areas_2020",
)
TABLES = (ESTIMATES, *ACS_2018, JOBS, ISLANDS)
"""Sources of the tables besides person records and ZIP codes."""
LOOKUPS = {
    "occupations": occupations.SOURCES,
    "places": geography.SOURCES[:1],
    "counties": geography.SOURCES,
    "names_last": name_counts.SOURCES[:1],
    "names_given": name_counts.SOURCES,
    "names_births": name_counts.SOURCES[3:],
    "names_population": (),
    "minors": (ESTIMATES,),
    "age_top_codes": (),
}
"""Sources of each look-up besides the person records."""
FROM_RECORDS = ("counties", "names_population", "minors", "age_top_codes")
EVERY = tuple(dict.fromkeys((*TABLES, *(source for sources in LOOKUPS.values() for source in sources))))
