"""Occupations: names, groups and O*NET links of the Census 2018 codes in PUMS.

One row per code of OCCP: 525 civilian and 4 military. Names follow `occupation_titles.py`. PUMS codes that
join several Census codes carry the title of their largest component, as the code list gives it ("Lawyers"
for lawyers, judges and magistrates).

The link to O*NET goes through the SOC code: an O*NET occupation belongs to the OCCP whose SOC pattern
(`1110XX`, `132020`) matches the most of its digits; where two patterns of the PUMS tie (`1721XX`,
`1721YY`), `TIES` follows the Census crosswalk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from census_personas.census_priors.build.compiled import write_table
from census_personas.census_priors.build.en_US.occupation_titles import name, prose
from census_personas.census_priors.build.en_US.onet_grounding import Grounding
from census_personas.census_priors.build.en_US.work_phrases import phrase_columns
from census_personas.census_priors.build.source import Source, SourceError
from census_personas.census_priors.occupations import PHRASES

CODES = "codes/occp_2018_titles_soc.csv"
ONET = "onet_29_3"
ONET_ATTRIBUTION = (
    "This product includes information from the O*NET 29.3 Database by the U.S. Department of Labor, "
    "Employment and Training Administration (USDOL/ETA), used under the CC BY 4.0 license. "
    "Tasks, tools, skills and titles were selected, shortened and joined by Census occupation code; "
    "USDOL/ETA has not approved, endorsed or tested these modifications."
)
SOURCES = (
    Source(
        CODES,
        "US Census Bureau",
        "2018 Census occupation code list with crosswalk to SOC 2018, as used for OCCP in the PUMS",
        "ACS 2024 PUMS; code list of 2018",
        "occupations of the civilian employed and of the armed forces",
        "https://www.census.gov/topics/employment/industry-occupation/guidance/code-lists.html",
    ),
    Source(
        f"{ONET}/",
        "US Department of Labor, Employment and Training Administration",
        "O*NET 29.3 Database: tasks, tools, technology, skills, knowledge, job zones, titles, education",
        "29.3, May 2025",
        "occupations of O*NET-SOC 2019",
        "https://www.onetcenter.org/database.html",
        "CC BY 4.0",
        "May 2025",
    ),
)
MAJOR_GROUPS: Mapping[str, str] = {
    "11": "management",
    "13": "business_financial",
    "15": "computer_math",
    "17": "architecture_engineering",
    "19": "life_physical_social_science",
    "21": "community_social_service",
    "23": "legal",
    "25": "education_library",
    "27": "arts_entertainment_sports_media",
    "29": "healthcare_practitioner",
    "31": "healthcare_support",
    "33": "protective_service",
    "35": "food_preparation_serving",
    "37": "building_grounds",
    "39": "personal_care_service",
    "41": "sales",
    "43": "office_administrative_support",
    "45": "farming_fishing_forestry",
    "47": "construction_extraction",
    "49": "installation_maintenance_repair",
    "51": "production",
    "53": "transportation_material_moving",
    "55": "military",
}
TIES: Mapping[str, str] = {
    "172151": "1520",
    "172171": "1520",
    "172161": "1530",
    "172199": "1530",
    "194042": "1935",
    "194043": "1935",
    "194044": "1935",
    "194051": "1935",
    "194061": "1970",
    "194071": "1970",
    "194092": "1970",
    "194099": "1970",
    "434021": "5350",
    "434151": "5350",
    "434011": "5420",
    "434199": "5420",
    "475011": "6800",
    "475012": "6800",
    "475013": "6800",
    "475071": "6800",
    "475051": "6950",
    "475081": "6950",
    "475099": "6950",
} | {f"29122{digit}": "3090" for digit in "12349"}
# The most common component of a joined code whose O*NET text stands for all.
LARGEST: Mapping[str, str] = {"4720": "41-2011", "9130": "53-3032"}
LAST_CODE = "9900"  # 9920 is "unemployed, never worked": no occupation


def build_occupations(sources: Path, out: Path) -> None:
    """Write `lookups/occupations.parquet` under `out`.

    Args:
        sources: folder that holds the files of `SOURCES`.
        out: folder of the locale.

    Raises:
        SourceError: a file is missing, or two codes would share one name.
    """
    codes = sources / CODES
    if not codes.is_file():
        raise SourceError(
            f"{codes}: no such file; SOURCES in build/occupations.py says where it is published"
        )
    listed = pd.read_csv(codes, dtype=str, keep_default_na=False)
    listed = listed[listed["occp"] < LAST_CODE].sort_values("occp", ignore_index=True)
    frame = _named(listed)
    frame["soc"] = listed["pums_socp"]
    frame["group"] = [MAJOR_GROUPS[soc[:2]] for soc in listed["pums_socp"]]
    frame["licensed"] = frame["code"].isin(_table("licensed_occupations.csv")["code"])
    grounding = Grounding.read(sources / ONET)
    linked = link(dict(zip(listed["occp"], listed["pums_socp"], strict=True)), grounding.codes)
    own = {**dict(zip(listed["occp"], listed["soc2018"], strict=True)), **LARGEST}
    ordered = [_by_closeness(linked.get(code, ()), own[code]) for code in frame["code"]]
    frame["onet"] = _lists(ordered)
    ordered = [
        grounding.closest(codes, own[code]) for code, codes in zip(frame["code"], ordered, strict=True)
    ]
    frame["job_zone"] = np.array([grounding.job_zone(codes) for codes in ordered], dtype=np.int8)
    frame["education"] = [grounding.education(codes) for codes in ordered]
    for column in ("tasks", "tools", "skills", "alternate_titles"):
        choose = getattr(grounding, column)
        frame[column] = _lists([choose(codes) for codes in ordered])
    phrased = [
        phrase_columns(*lists) for lists in zip(frame["tasks"], frame["tools"], frame["skills"], strict=True)
    ]
    for column in (column for columns in PHRASES.values() for column in columns):
        frame[column] = _lists([phrases[column] for phrases in phrased])
    write_table(frame, out / "lookups" / "occupations.parquet", notes={"attribution": ONET_ATTRIBUTION})


def _lists(values: list[list[str]]) -> pd.Series:
    """Build a column of arrays, which Parquet stores as lists."""
    return pd.Series([np.array(value, dtype=object) for value in values], dtype=object)


def _table(file: str) -> pd.DataFrame:
    with files(__package__).joinpath(file).open("rb") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False)


def _named(listed: pd.DataFrame) -> pd.DataFrame:
    exceptions = _table("occupation_exceptions.csv").set_index("code")
    unknown = sorted(set(exceptions.index) - set(listed["occp"]))
    if unknown:
        raise SourceError(f"occupation_exceptions.csv: codes {', '.join(unknown)} are not in the code list")
    names, titles = listed["census2018_title"].map(name), listed["census2018_title"].map(prose)
    frame = pd.DataFrame({"code": listed["occp"], "occupation": names, "title": titles})
    for column in ("occupation", "title"):
        own = frame["code"].map(exceptions[column]).fillna("")
        frame[column] = own.where(own != "", frame[column])
    shared = frame.loc[frame["occupation"].duplicated(keep=False), "occupation"]
    if len(shared):
        raise SourceError(
            f"codes share the names {', '.join(sorted(set(shared)))}; add them to the exceptions"
        )
    return frame


def link(patterns: Mapping[str, str], onet: Iterable[str]) -> dict[str, list[str]]:
    """Link O*NET codes to each OCCP code.

    Args:
        patterns: OCCP code -> SOC of the PUMS, six characters, X and Y for any digit.
        onet: O*NET-SOC codes, `11-1011.00`.
    """
    linked: dict[str, list[str]] = {}
    for code in onet:
        soc = code[:7].replace("-", "")
        best = TIES.get(soc) or max(patterns, key=lambda occp: (matching(patterns[occp], soc), occp))
        if soc in TIES or matching(patterns[best], soc) > 0:
            linked.setdefault(best, []).append(code)
    return linked


def matching(pattern: str, soc: str) -> int:
    """Count the digits of a SOC code that match a pattern; -1 if they differ.

    In patterns without letters the zeros at the end stand for any digit: `132020` is the broad group 13-202.
    """
    stated = pattern if pattern.isalnum() and not pattern.isdigit() else pattern.rstrip("0")
    pairs = [(p, s) for p, s in zip(stated, soc, strict=False) if p not in "XY"]
    return len(pairs) if all(p == s for p, s in pairs) else -1


def _by_closeness(onet: Iterable[str], soc: str) -> list[str]:
    """Sort O*NET codes: the occupation's own SOC code, then base codes (.00), then specialities."""
    return sorted(onet, key=lambda code: (code[:7] != soc, not code.endswith(".00"), code))
