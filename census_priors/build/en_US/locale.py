"""The en_US locale: builds every look-up and declared table from official files."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from census_personas.census_priors.build.area_tables import ModelledArea, Tabulation
from census_personas.census_priors.build.atomic_folder import refuse_other_folder, whole_folder
from census_personas.census_priors.build.compiled import write_marginal, write_table
from census_personas.census_priors.build.en_US import sources as sources_en_us
from census_personas.census_priors.build.en_US.ages import spread_top_codes, top_codes, write_top_codes
from census_personas.census_priors.build.en_US.areas import TERRITORIES, modelled_areas
from census_personas.census_priors.build.en_US.geography import build_geography
from census_personas.census_priors.build.en_US.name_counts import build_names
from census_personas.census_priors.build.en_US.occupations import build_occupations
from census_personas.census_priors.build.en_US.origins import write_origins
from census_personas.census_priors.build.en_US.pums import Keep, person_files, read_records
from census_personas.census_priors.build.provenance import PAGE, write_modelled
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.build.source import SourceError, missing
from census_personas.census_priors.lock import LOCK, write_lock
from census_personas.census_priors.priors import HERE, PROVENANCE, Priors

log = logging.getLogger(__name__)

ATTRIBUTES = tuple(
    "state age sex ethnicity marital_status education_level education labor_force_status occupation nativity "
    "language_at_home household_type veteran_status disability_status income_band commute_mode industry "
    "class_of_worker birthplace household_language".split()
)
MINORS_FILE = Path("lookups") / "minors.parquet"
WRITTEN = (PROVENANCE, PAGE, LOCK)


@dataclass(frozen=True, slots=True)
class Built:
    """Summary of a build: adults among the records, tables, and modelled attributes by area."""

    records: int
    tables: int
    modelled: Mapping[str, tuple[str, ...]]


def build(pums: Path, sources: Path, out: Path) -> Built:
    """Write a complete locale: look-ups, tables, provenance and lock; after an error, nothing is written.

    `out` keeps its `priors.yaml` and other files; without a `priors.yaml`, the shipped one is copied.

    Args:
        pums: folder or file of PUMS person records.
        sources: folder of the other official files.
        out: locale folder.

    Raises:
        DestinationError: `out` is not a locale.
        SourceError: a file is missing or differs from its documentation.
    """
    refuse_other_folder(out)
    person_files(pums)
    missing(sources_en_us.EVERY, sources)
    with whole_folder(out) as work:
        for path in (out if (out / "priors.yaml").is_file() else HERE / "en_US").iterdir():
            if path.is_file() and path.name not in WRITTEN:
                shutil.copy(path, work)
        log.info("occupations: code list and O*NET")
        build_occupations(sources, work)
        priors = Priors.load(work)
        records = read_records(pums, priors, ATTRIBUTES)
        log.info("geography: ZIP codes and counties")
        build_geography(sources, records, priors, work)
        log.info("names: births, voters, surnames")
        build_names(sources, records, priors, work)
        areas = tabulate(sources, records, Priors.load(work), work)
        modelled = {area: found.modelled for area, found in areas.items()}
        write_modelled(work / "priors.yaml", modelled)
        log.info("provenance: digests of every input")
        write_origins(work, pums, sources, len(records))
        write_lock(work)
    return Built(len(records), len(list(priors.tables)), modelled)


def build_tables(sources: Path, pums: Path, out: Path, keep: Keep | None = None) -> None:
    """Compute the tables alone, for a folder that has its look-ups.

    Args:
        sources: folder of official files.
        pums: folder or file of PUMS person records.
        out: locale folder with `priors.yaml` and look-ups.
        keep: households to count, by SERIALNO, for evaluation on the others; all by default.
    """
    priors = Priors.load(out)
    tabulate(sources, read_records(pums, priors, ATTRIBUTES, keep), priors, out)


def tabulate(sources: Path, records: Records, priors: Priors, out: Path) -> dict[str, ModelledArea]:
    """Count every declared table and write it to `out/tables/`; return the modelled areas."""
    residents = residents_by_age(sources)
    records = scaled(records, priors, residents)
    write_minors(records.minors, out)
    areas = modelled_areas(priors, records, sources)
    tabulation = Tabulation(priors, records, areas)
    tops = top_codes(priors, records)
    write_top_codes(tops, out)
    tables = list(priors.tables)
    for number, (source, attributes) in enumerate(tables, 1):
        name = "-".join(attributes)
        place = f"tables/{name}.parquet"
        if "age" in attributes:
            whole = tuple(dict.fromkeys(("state", "sex", *attributes)))  # top codes differ by state
            marginal = spread_top_codes(tabulation.count(whole, place), tops, residents).project(attributes)
        else:
            marginal = tabulation.count(attributes, place)
        write_marginal(marginal, out / "tables" / f"{name}.parquet", {"source": source})
        if number % 20 == 0 or number == len(tables):
            log.info("tables: %d of %d", number, len(tables))
    return areas


def residents_by_age(sources: Path) -> pd.DataFrame:
    """Read residents by single year of age (rows; 100 is 100 and over) and sex, July 2024 (Vintage 2024)."""
    path = sources / sources_en_us.ESTIMATES.file
    if not path.exists():
        raise SourceError(
            f"{path}: no such file; the Vintage 2024 estimates give totals and the ages above top codes"
        )
    frame = pd.read_csv(path)
    frame = frame[(frame["AGE"] < 999) & (frame["SEX"] > 0)]
    table = frame.pivot_table(index="AGE", columns="SEX", values="POPESTIMATE2024", aggfunc="sum")
    return table.rename(columns={1: "Male", 2: "Female"})


def scaled(records: Records, priors: Priors, residents: pd.DataFrame) -> Records:
    """Scale records so that weights, with those of minors, sum to the residents of the Vintage 2024 estimates.

    Territories are not in the estimates and keep their weights.
    """
    outside = [priors.domain.code("state", name) for name in TERRITORIES]
    inside = ~np.isin(records.codes["state"], outside)
    minors = records.minors.assign(inside=~records.minors["state"].isin(TERRITORIES))
    persons = records.weight[inside].sum() + minors.loc[minors["inside"], "weight"].sum()
    factor = float(residents.to_numpy().sum()) / persons
    weight = np.where(minors["inside"], minors["weight"] * factor, minors["weight"])
    minors = minors.drop(columns="inside").assign(weight=weight)
    return Records(records.codes, records.weight * np.where(inside, factor, 1.0), minors)


def write_minors(minors: pd.DataFrame, out: Path) -> None:
    """Write the residents under 18 by state, ethnicity and labour-force status.

    The model does not use them; `personas priors check` adds them to compare with published figures of all ages.
    """
    write_table(minors.assign(weight=minors["weight"].round(2)), out / MINORS_FILE)
