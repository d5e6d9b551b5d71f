"""Name counts: given names by sex and cohort, and surnames, from the INE's names of residents on 1 January 2015.

The INE publishes how many residents bear a name and their mean age, not their ages. A name's bearers are spread over
ages by a normal kernel around its mean age, and the table of names by cohorts is then raked (Deming and Stephan 1940)
to the bearers of each name and the residents of each cohort and sex. The kernel's width is the one whose cohorts,
before raking, are nearest to the residents'; names with a fashion shorter than that come out too widely spread.

Names of people born abroad are in the same counts and cannot be told apart: everybody draws from all residents' names.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from census_personas.census_priors.build.compiled import write_table
from census_personas.census_priors.build.es_ES.budget_survey import OPEN_AGE
from census_personas.census_priors.build.es_ES.sources import FIRST_NAMES, SURNAMES
from census_personas.census_priors.build.es_ES.spelling import COMMON, given_name, surname
from census_personas.census_priors.build.source import SourceError
from census_personas.census_priors.cohorts import BIRTH_COHORTS, cohort_codes
from census_personas.foundation.arrays import Floats

COUNTED = 2015
WIDTHS = range(6, 31)
"""Standard deviations of the kernel that are tried, in years."""
ROUNDS = 50
FEWEST = 100
"""Names with fewer bearers are left out: most are spellings of other names, and rare names point to real people."""
SEX = {"M": "Male", "F": "Female"}
GROUP = "residents"
"""The only group of the counts."""


def build_names(sources: Path, members: pd.DataFrame, out: Path) -> None:
    """Write the look-ups of names.

    Args:
        sources: folder of the official files.
        members: as `read_budget_survey` returns them, for residents by cohort.
        out: locale folder.

    Raises:
        SourceError: a file cannot be read or lacks a column.
    """
    given = _read(sources / FIRST_NAMES.file, ["name", "frequency", "mean_age", "sex"])
    given = given[(given["frequency"] >= FEWEST) & given["sex"].isin(SEX)]
    given = given.assign(written=given["name"].map(given_name), sex=given["sex"].map(SEX))
    counts = given.pivot_table(
        index="written", columns="sex", values="frequency", aggfunc="sum", fill_value=0
    ).sort_index()
    residents = _residents(members)
    births = []
    for code, sex in enumerate(SEX.values()):
        own = given[given["sex"] == sex]
        bearers = own["frequency"].to_numpy(dtype=np.float64)
        table = by_cohort(bearers, own["mean_age"].to_numpy(dtype=np.float64), residents[:, code])
        rows = pd.DataFrame(table, index=counts.index.get_indexer(pd.Index(own["written"])))
        rows = rows.groupby(level=0).sum().rename_axis("name").reset_index()
        rows = rows.melt("name", var_name="cohort", value_name="births")
        births.append(rows.assign(sex=code, births=rows["births"].round(2)))
    whole = pd.concat(births)[["sex", "cohort", "name", "births"]].sort_values(
        ["sex", "cohort", "name"], kind="stable"
    )
    whole = whole[whole["births"] > 0].astype({"sex": np.int8, "cohort": np.int8, "name": np.int32})
    folder = out / "lookups"
    write_table(whole, folder / "names_births.parquet")
    total = counts.sum(axis=1)
    frame = pd.DataFrame({"name": counts.index, "accented": "", f"first_{GROUP}": total.to_numpy()})
    frame["first_female"] = (100 * counts["Female"] / total).round(3).to_numpy()
    write_table(frame, folder / "names_given.parquet")
    write_table(pd.DataFrame({GROUP: residents.sum(axis=1).round()}), folder / "names_population.parquet")
    write_table(_surnames(sources), folder / "names_last.parquet")


def by_cohort(bearers: Floats, mean_age: Floats, residents: Floats) -> Floats:
    """Spread the bearers of names over cohorts of birth.

    Args:
        bearers: persons of each name.
        mean_age: their mean age in years.
        residents: persons of each cohort; scaled to the bearers of all names.

    Returns:
        Persons, names x cohorts.
    """
    target = residents / residents.sum() * bearers.sum()
    tables = (_kernel(mean_age, width) * bearers[:, None] for width in WIDTHS)
    table = min(tables, key=lambda t: float(np.abs(t.sum(axis=0) - target).sum()))
    for _ in range(ROUNDS):
        table = table * (target / table.sum(axis=0))
        table = table * (bearers / table.sum(axis=1))[:, None]
    return table


def _kernel(mean_age: Floats, width: float) -> Floats:
    """Shares of the cohorts under a normal distribution of ages, cut at the youngest and the oldest."""
    ages = np.arange(0, 106)
    density = np.exp(-0.5 * ((ages - mean_age[:, None]) / width) ** 2)
    shares = np.zeros((len(mean_age), len(BIRTH_COHORTS)))
    for column, cohort in enumerate(cohort_codes(COUNTED - 1 - ages)):
        shares[:, cohort] += density[:, column]
    result: Floats = shares / shares.sum(axis=1, keepdims=True)
    return result


def _residents(members: pd.DataFrame) -> Floats:
    """Persons by cohort of birth and sex in the first year of the budget survey."""
    first = members[members["year"] == members["year"].min()]
    born = first["year"] - first["age"].clip(upper=OPEN_AGE)
    persons = np.zeros((len(BIRTH_COHORTS), len(SEX)))
    sexes = first["sex"].map({sex: code for code, sex in enumerate(SEX.values())})
    np.add.at(persons, (cohort_codes(born.to_numpy()), sexes.to_numpy()), first["weight"].to_numpy())
    oldest = cohort_codes([int(born.min())])[
        0
    ]  # 85 and over: half to each earlier cohort, as deaths leave them
    for cohort in range(oldest, 0, -1):
        persons[cohort - 1] += persons[cohort] / 2
        persons[cohort] /= 2
    return persons


def _surnames(sources: Path) -> pd.DataFrame:
    names = _read(sources / SURNAMES.file, ["surname", "frequency_first"])
    names = names.sort_values("frequency_first", ascending=False, kind="stable").reset_index(drop=True)
    names = names[names["frequency_first"] >= FEWEST]
    common = frozenset(names["surname"].head(COMMON))
    written = [surname(name, common) for name in names["surname"]]
    counted = pd.Series(names["frequency_first"].to_numpy(dtype=np.float64), index=written)
    whole = counted.groupby(level=0).sum().sort_index()
    return pd.DataFrame({"name": whole.index, GROUP: whole.to_numpy()})


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        return pd.read_parquet(path, columns=columns).dropna()
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"{path}: not the INE's names ({error}); fetch it again") from error
