"""Name counts: compiles given names and surnames from four sources into the tables that `names.py` reads.

- `names_given.parquet`: given names with their pooled voter-file counts as first and as middle name in five
  groups, the percentage of their bearers who are women, and their accented spelling.
- `names_births.parquet`: births by name, sex and five-year cohort (Social Security Administration).
- `names_population.parquet`: persons born in the US by cohort and group (PUMS), which turn the voters'
  ethnic shares into those of the cohort.
- `names_last.parquet`: surnames with their 2010 bearers in six groups.

Counts keep three significant digits; the sources are not more precise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from census_personas.census_priors.build.compiled import write_table
from census_personas.census_priors.build.en_US.pums import BORN_IN_US
from census_personas.census_priors.build.en_US.spelling import accents, surname
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.build.source import Source, SourceError
from census_personas.census_priors.cohorts import cohort_codes
from census_personas.census_priors.given_names import COHORTS
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats, Integers, Integers32

# Groups of Rosenman et al., and the group that includes each other ethnicity.
GROUPS = ("white", "black", "hispanic", "asian", "other")
GROUP_OF = {"native": "other", "multiple": "other", "pacific_islander": "asian"}
SURNAME_GROUPS = ("white", "black", "hispanic", "asian", "native", "multiple")
_ROSENMAN = "Rosenman, Olivella and Imai (2023), Race and ethnicity data for first, middle, and surnames"
SOURCES = (
    Source(
        "names/census2010_surname_counts.parquet",
        "US Census Bureau",
        "Frequently Occurring Surnames from the 2010 Census",
        "2010 Census",
        "surnames with 100 bearers or more",
        "https://www.census.gov/topics/population/genealogy/data/2010_surnames.html",
        released="December 2016",
    ),
    Source(
        "names/rosenman_first_counts.parquet",
        "Harvard Dataverse",
        f"{_ROSENMAN}: first names",
        "voter files of six southern states, published 2023",
        "registered voters by self-reported race, pooled; names with 25 bearers or more",
        "https://doi.org/10.7910/DVN/SGKW0K",
        "CC0 1.0",
        "May 2023",
    ),
    Source(
        "names/rosenman_mid_counts.parquet",
        "Harvard Dataverse",
        f"{_ROSENMAN}: middle names",
        "voter files of six southern states, published 2023",
        "registered voters by self-reported race, pooled; names with 25 bearers or more",
        "https://doi.org/10.7910/DVN/SGKW0K",
        "CC0 1.0",
        "May 2023",
    ),
    Source(
        "names/ssa_national_1910_2010.parquet",
        "Social Security Administration",
        "Baby names, national data by year of birth",
        "births 1910-2010, release of 2024",
        "births in the 50 states and DC with a Social Security card; 5 or more a name, sex and year",
        "https://www.ssa.gov/oact/babynames/limits.html",
        released="2024",
    ),
)
RESIDUAL = "ALL OTHER NAMES"
# Clerical entries, not names.
NOT_GIVEN = frozenset(
    """BABY BABYBOY BABYGIRL BOY FEMALE GIRL II III INFANT INFANTOF IV JR MALE MISS MR MRS NMI NMN NONE NOTNAMED
    SR UNKNOWN UNNAMED""".split()
)
NOT_MIDDLE = NOT_GIVEN | {"NO", "NULL"}
# Below 1 % of a name's births, the other sex is mostly a coding error (Mary, 0.4 % male).
MISCODED = 0.01
# One surname bearer in twenty counts as a middle name of either sex, because maiden names do not indicate sex.
SURNAME_WEIGHT = 0.05
# Names whose sex is a matter of custom and not in the birth register: Vietnamese middle names, Sikh second
# names, Indian and Malay ones (per cent women).
CUSTOM = {"Thi": 100, "Van": 0, "Kaur": 100, "Singh": 0, "Kumar": 0, "Bin": 0, "Binti": 100}
SUFFIX_PRIOR, LONGEST_SUFFIX = 5.0, 4
SURVEY_YEAR = 2024
DIGITS = 3


def build_names(sources: Path, records: Records, priors: Priors, out: Path) -> None:
    """Write the four `lookups/names_*.parquet` under `out`.

    Args:
        sources: folder that holds the files of `SOURCES`.
        records: PUMS persons with age, ethnicity and birthplace.
        priors: the locale that they are coded in.
        out: folder of the locale.

    Raises:
        SourceError: a file is missing.
    """
    last, first, middle, births = (_read(sources / source.file) for source in SOURCES)
    lookups = out / "lookups"
    write_table(_surnames(last), lookups / "names_last.parquet")
    born = _births(births)
    given = _given(first, middle, born, dict(zip(last["name"], last["count"], strict=True)))
    position = pd.Series(np.arange(len(given)), index=given["name"])
    born["name"] = born["name"].map(position).astype(np.int32)
    born["births"] = significant(born["births"].to_numpy())
    born = born.sort_values(["sex", "cohort", "name"], ignore_index=True)
    write_table(given, lookups / "names_given.parquet")
    write_table(born, lookups / "names_births.parquet")
    write_table(population(records, priors), lookups / "names_population.parquet")


def significant(counts: Integers) -> Integers32:
    """Round counts to three significant digits."""
    scale = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(counts, 1))) - (DIGITS - 1), 0)
    rounded: Floats = np.round(counts / scale) * scale
    return rounded.astype(np.int32)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise SourceError(f"{path}: no such file; SOURCES in build/names.py says where it is published")
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame.assign(name=frame["name"].astype(object))


def _surnames(last: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame({"name": [surname(name) for name in last["name"]]})
    for group in SURNAME_GROUPS:
        frame[group] = last[group]
    frame = frame.groupby("name", as_index=False, sort=True).sum()
    return frame.assign(**{group: significant(frame[group].to_numpy()) for group in SURNAME_GROUPS})


def _births(raw: pd.DataFrame) -> pd.DataFrame:
    """Count births by name, sex (0 male, 1 female) and cohort, without miscoded sexes."""
    frame = pd.DataFrame(
        {"sex": (raw["sex"] == "F").astype(np.int8), "cohort": cohort_codes(raw["year"].to_numpy())}
    )
    frame["cohort"], frame["name"], frame["births"] = frame["cohort"].astype(np.int8), raw["name"], raw["n"]
    frame = frame[~frame["name"].str.upper().isin(NOT_GIVEN)]
    keys = ["name", "sex", "cohort"]
    binned = frame.groupby(keys, observed=True)["births"].sum().reset_index()
    by_sex = binned.groupby(["name", "sex"])["births"].transform("sum")
    return binned[by_sex >= MISCODED * binned.groupby("name")["births"].transform("sum")]


def _given(
    first: pd.DataFrame, middle: pd.DataFrame, born: pd.DataFrame, bearers: dict[str, int]
) -> pd.DataFrame:
    spelled = {name.upper(): name for name in born["name"].unique()}
    parts = [_counts(first, NOT_GIVEN, "first", spelled), _counts(middle, NOT_MIDDLE, "middle", spelled)]
    births = born.pivot_table(index="name", columns="sex", values="births", aggfunc="sum", fill_value=0)
    frame = pd.concat([*parts, births.rename(columns={0: "male", 1: "female"})], axis=1, sort=True).fillna(0)
    frame.index.name = "name"
    frame = frame.reset_index()
    known = frame["male"] + frame["female"]
    share = (frame["female"] / known.where(known > 0)).astype(float)
    guessed = suffix_share(share[known > 0], frame.loc[known > 0, "name"], frame["name"])
    neutral = SURNAME_WEIGHT * frame["name"].str.upper().map(bearers).fillna(0) + 1
    frame["first_female"] = _percent(share.fillna(guessed))
    mixed = (frame["female"] + neutral / 2) / (known + neutral)
    frame["middle_female"] = _percent(mixed.where((known > 0) | (neutral > 1), guessed))
    custom = frame["name"].map(CUSTOM)
    frame["middle_female"] = custom.fillna(frame["middle_female"]).astype(np.int8)
    frame["accented"] = frame["name"].map(accents()).fillna("")
    for column in (f"{kind}_{group}" for kind in ("first", "middle") for group in GROUPS):
        frame[column] = significant(frame[column].to_numpy())
    return frame.drop(columns=["male", "female"]).sort_values("name", ignore_index=True)


def _counts(raw: pd.DataFrame, without: frozenset[str], kind: str, spelled: dict[str, str]) -> pd.DataFrame:
    """Count names by group, without blanks, single initials, the residual and clerical entries."""
    kept = raw[(raw["name"].str.len() > 1) & (raw["name"] != RESIDUAL) & ~raw["name"].isin(without)]
    names = [spelled.get(name, name.capitalize()) for name in kept["name"]]
    return pd.DataFrame({f"{kind}_{group}": kept[group].to_numpy() for group in GROUPS}, index=names)


def _percent(share: pd.Series) -> npt.NDArray[np.int8]:
    """Round to whole percentages; below 3 and above 97 count as one sex."""
    percent = (share * 100).round()
    return percent.where(percent >= 3, 0).where(percent <= 97, 100).to_numpy().astype(np.int8)


def suffix_share(share: pd.Series, known: pd.Series, names: pd.Series) -> pd.Series:
    """Estimate the share of women from the ending of a name that is in no birth register.

    Endings of four letters are shrunk towards those of three, and so on (by `SUFFIX_PRIOR` names).

    Args:
        share: share of women of each known name.
        known: the known names, same order.
        names: names to estimate.
    """
    expected = pd.Series(float(share.mean()), index=names.index)
    prior = pd.Series(float(share.mean()), index=known.index)
    for length in range(1, LONGEST_SUFFIX + 1):
        ending = known.str.lower().str[-length:]
        grouped = pd.DataFrame({"ending": ending, "share": share.to_numpy(), "prior": prior}).groupby(
            "ending"
        )
        summed = grouped["share"].sum() + SUFFIX_PRIOR * grouped["prior"].first()
        table = summed / (grouped.size() + SUFFIX_PRIOR)
        prior = ending.map(table)
        expected = names.str.lower().str[-length:].map(table).fillna(expected)
    return expected


def population(records: Records, priors: Priors) -> pd.DataFrame:
    """Count persons born in the 50 states or DC, by five-year cohort and group of the voter files."""
    born = records.take(records.codes["birthplace"] == BORN_IN_US)
    ages = np.array(priors.domain["age"], dtype=np.int64)[born.codes["age"]]
    groups = [GROUP_OF.get(str(state), str(state)) for state in priors.domain["ethnicity"]]
    persons = pd.DataFrame({"cohort": cohort_codes(SURVEY_YEAR - ages), "weight": born.weight})
    persons["group"] = np.array(groups, dtype=object)[born.codes["ethnicity"]]
    counts = persons.pivot_table(
        index="cohort", columns="group", values="weight", aggfunc="sum", fill_value=0.0
    )
    counts = (
        counts.reindex(index=range(COHORTS), columns=list(GROUPS))
        .ffill()
        .fillna(0.0)
        .round()
        .astype(np.int64)
    )
    return counts.rename_axis("cohort").rename_axis(None, axis=1).reset_index().astype({"cohort": np.int8})
