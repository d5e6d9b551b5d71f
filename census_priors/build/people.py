"""People: the few PUMS columns that look-ups need, recoded; California and Texas included.

`build/pums.py` makes the tables of the model; this reads age, ethnicity, education and birthplace alone,
which even the reduced files of California and Texas carry.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from persona_engine.census_priors.build.source import SourceError

ETHNICITIES = ("hispanic", "white", "black", "asian", "native", "pacific_islander", "multiple")
# FIPS 5-2 state codes, in order of their numbers.
STATE_FIPS = dict(
    pair.split(":")
    for pair in (
        "01:AL 02:AK 04:AZ 05:AR 06:CA 08:CO 09:CT 10:DE 11:DC 12:FL 13:GA 15:HI 16:ID 17:IL 18:IN 19:IA 20:KS "
        "21:KY 22:LA 23:ME 24:MD 25:MA 26:MI 27:MN 28:MS 29:MO 30:MT 31:NE 32:NV 33:NH 34:NJ 35:NM 36:NY 37:NC "
        "38:ND 39:OH 40:OK 41:OR 42:PA 44:RI 45:SC 46:SD 47:TN 48:TX 49:UT 50:VT 51:VA 53:WA 54:WV 55:WI 56:WY "
        "72:PR 78:VI"
    ).split()
)
# RAC1P: 1 White, 2 Black, 3-5 American Indian and Alaska Native, 6 Asian, 7 Native Hawaiian and Other
# Pacific Islander, 8 some other race, 9 two or more. HISP 1 is "not Hispanic".
RACE = {1: "white", 2: "black", 3: "native", 4: "native", 5: "native", 6: "asian", 7: "pacific_islander"}
# SCHL: up to 11 grade 8, 12-15 grades 9 to 12 without diploma, 16-17 diploma or GED, 18-19 some college,
# 20 associate's, 21 bachelor's, 22-24 graduate (B15003 groups them the same way).
SCHOOLING = (
    (11, "less_than_9th"),
    (15, "9th_12th_no_diploma"),
    (17, "high_school"),
    (19, "some_college"),
    (20, "associates"),
    (21, "bachelors"),
    (24, "graduate"),
)
# CIT: 1 born in the 50 states or DC; 2 in Puerto Rico and islands; 3 abroad of American parents; 4-5 abroad.
BORN_IN_US = 1
COLUMNS = ("STATE", "PWGTP", "AGEP", "RAC1P", "HISP", "CIT")


def people(folder: Path, columns: tuple[str, ...] = (), *, minimum_age: int = 18) -> pd.DataFrame:
    """Weighted persons with state, age, ethnicity, born_in_us and, if SCHL is asked for, education_level.

    Args:
        folder: PUMS person files `psam_p*`, Parquet or CSV, with official column names.
        columns: further columns to read; SCHL is recoded to education_level.
        minimum_age: persons below this age are left out.

    Raises:
        SourceError: the folder has no person files, or one lacks a column.
    """
    files = sorted(file for file in folder.glob("psam_p*") if file.suffix in {".parquet", ".csv"})
    if not files:
        raise SourceError(f"{folder}: no psam_p<state>.parquet or .csv; unpack the PUMS person files there")
    parts = []
    for file in files:
        raw = _read(file, [*COLUMNS, *columns])
        raw = raw[raw["AGEP"] >= minimum_age]
        part = pd.DataFrame({"age": raw["AGEP"].astype(int), "weight": raw["PWGTP"].astype(float)})
        part["state"] = raw["STATE"].astype(str).str.zfill(2).map(STATE_FIPS)
        part["ethnicity"] = raw["RAC1P"].map(RACE).fillna("multiple").where(raw["HISP"] <= 1, "hispanic")
        part["born_in_us"] = raw["CIT"] == BORN_IN_US
        if "SCHL" in columns:
            bounds, levels = zip(*SCHOOLING, strict=True)
            place = np.searchsorted(bounds, raw["SCHL"].fillna(1).to_numpy())
            part["education_level"] = np.array(levels, dtype=object)[place]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _read(file: Path, columns: list[str]) -> pd.DataFrame:
    try:
        if file.suffix == ".csv":
            return pd.read_csv(file, usecols=columns)
        frame: pd.DataFrame = pq.read_table(file, columns=columns).to_pandas()
    except (ValueError, KeyError) as error:
        raise SourceError(f"{file}: needs the columns {', '.join(columns)} ({error})") from error
    return frame
