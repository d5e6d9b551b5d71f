"""The en_US locale: official files in, every look-up and every declared table out."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from persona_engine.census_priors.build.ages import spread_top_codes, top_codes, write_top_codes
from persona_engine.census_priors.build.areas import TERRITORIES, modelled_areas
from persona_engine.census_priors.build.compiled import write_table
from persona_engine.census_priors.build.geography import build_geography
from persona_engine.census_priors.build.names import build_names
from persona_engine.census_priors.build.occupations import build_occupations
from persona_engine.census_priors.build.pums import Keep, Records, read_records
from persona_engine.census_priors.build.source import SourceError
from persona_engine.census_priors.build.tabulation import ModelledArea, Tabulation
from persona_engine.census_priors.priors import Priors
from persona_engine.census_priors.table_file import write_marginal

log = logging.getLogger(__name__)

ATTRIBUTES = tuple(
    "state age sex ethnicity marital_status education_level education labor_force_status occupation nativity "
    "language_at_home household_type veteran_status disability_status income_band commute_mode industry "
    "class_of_worker birthplace household_language".split()
)
MINORS_FILE = Path("lookups") / "minors.parquet"
ESTIMATES = Path("census_pep_2024") / "nc-est2024-agesex-res.csv"


def build(pums: Path, sources: Path, out: Path) -> tuple[Records, dict[str, ModelledArea]]:
    """Write the look-ups and tables that `out/priors.yaml` declares.

    Args:
        pums: folder or file of PUMS person records.
        sources: folder of the other official files.
        out: locale folder with a `priors.yaml`.

    Returns:
        The records read and the areas that were modelled, for provenance.

    Raises:
        SourceError: a file is missing or not what its publisher documents.
    """
    log.info("occupations: code list and O*NET")
    build_occupations(sources, out)
    priors = Priors.load(out)
    records = read_records(pums, priors, ATTRIBUTES)
    log.info("geography: ZIP codes and counties")
    build_geography(sources, records, priors, out)
    log.info("names: births, voters, surnames")
    build_names(sources, records, priors, out)
    return records, tabulate(sources, records, Priors.load(out), out)


def build_tables(sources: Path, pums: Path, out: Path, keep: Keep | None = None) -> None:
    """Compute the tables alone, for a folder that has its look-ups.

    Args:
        sources: folder of official files.
        pums: folder or file of PUMS person records.
        out: locale folder with `priors.yaml` and look-ups.
        keep: which households to count, by SERIALNO; all if left out. For evaluation on the others.
    """
    priors = Priors.load(out)
    tabulate(sources, read_records(pums, priors, ATTRIBUTES, keep), priors, out)


def tabulate(sources: Path, records: Records, priors: Priors, out: Path) -> dict[str, ModelledArea]:
    """Count every declared table and write it to `out/tables/`; returns the areas that were modelled."""
    residents = residents_by_age(sources)
    write_minors(records, residents, out)
    records = scaled(records, priors, residents)
    areas = modelled_areas(priors, records, sources)
    tabulation = Tabulation(priors, records, areas)
    tops = top_codes(priors, records)
    write_top_codes(tops, out)
    tables = list(priors.tables)
    for number, (source, attributes) in enumerate(tables, 1):
        name = "-".join(attributes)
        marginal = tabulation.count(attributes, f"tables/{name}.parquet")
        if "age" in attributes:
            marginal = spread_top_codes(marginal, tops, residents)
        write_marginal(marginal, out / "tables" / f"{name}.parquet", {"source": source})
        if number % 20 == 0 or number == len(tables):
            log.info("tables: %d of %d", number, len(tables))
    return areas


def residents_by_age(sources: Path) -> pd.DataFrame:
    """Residents by single year of age (rows, 100 means 100 and over) and sex, July 2024 (Vintage 2024)."""
    path = sources / ESTIMATES
    if not path.exists():
        raise SourceError(
            f"{path}: no such file; the Vintage 2024 estimates give totals and the ages above top codes"
        )
    frame = pd.read_csv(path)
    frame = frame[(frame["AGE"] < 999) & (frame["SEX"] > 0)]
    table = frame.pivot_table(index="AGE", columns="SEX", values="POPESTIMATE2024", aggfunc="sum")
    return table.rename(columns={1: "Male", 2: "Female"})


def scaled(records: Records, priors: Priors, residents: pd.DataFrame) -> Records:
    """Records with weights that sum to the adults of the Vintage 2024 estimates; territories are not in those."""
    outside = [priors.domain.code("state", name) for name in TERRITORIES]
    inside = ~np.isin(records.codes["state"], outside)
    adults = float(residents.loc[residents.index >= 18].to_numpy().sum())
    factor = np.where(inside, adults / records.weight[inside].sum(), 1.0)
    return Records(records.codes, records.weight * factor, records.minors)


def write_minors(records: Records, residents: pd.DataFrame, out: Path) -> None:
    """Keep the residents under 18 by state, ethnicity and labour-force status, scaled to the estimates.

    The model does not use them; `personas priors check` adds them to compare with published figures of all ages.
    """
    if records.minors is None:
        return
    young = float(residents.loc[residents.index < 18].to_numpy().sum())
    inside = ~records.minors["state"].isin(TERRITORIES)
    scale = np.where(inside, young / records.minors.loc[inside, "weight"].sum(), 1.0)
    minors = records.minors.assign(weight=(records.minors["weight"] * scale).round(2))
    write_table(minors, out / MINORS_FILE)
