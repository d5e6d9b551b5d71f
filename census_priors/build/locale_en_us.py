"""The en_US locale: official files in, every declared table out."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from persona_engine.census_priors.build.ages import spread_top_codes, top_codes, write_top_codes
from persona_engine.census_priors.build.modelled import reweight_for_state
from persona_engine.census_priors.build.pums import Keep, Records, read_records
from persona_engine.census_priors.build.source import SourceError
from persona_engine.census_priors.build.tabulation import ModelledArea, Tabulation
from persona_engine.census_priors.build.territories import VIRGIN_ISLANDS_ETHNICITY, donors_of, weights_for
from persona_engine.census_priors.priors import Priors
from persona_engine.census_priors.table_file import write_marginal

log = logging.getLogger(__name__)

ATTRIBUTES = (
    "state age sex ethnicity marital_status education_level education labor_force_status occupation nativity "
    "language_at_home household_type veteran_status disability_status income_band commute_mode industry "
    "class_of_worker territory_born"
).split()
DIRECT_EVERYWHERE = frozenset({"state", "age", "sex", "ethnicity", "education_level", "nativity", "disability_status"})
"""What the reduced person files of California and Texas still have."""
NEEDED = ("education", "labor_force_status", "occupation")


def build_tables(sources: Path, pums: Path, out: Path, keep: Keep | None = None) -> None:
    """Compute every table that `out/priors.yaml` declares and write it to `out/tables/`.

    Args:
        sources: folder with `acs_2018_1yr_tables/` and `census_pep_2024/`.
        pums: folder or file of PUMS person records.
        out: locale folder with `priors.yaml` and compiled look-ups.
        keep: which households to count, by SERIALNO; all if left out. For evaluation on the others.
    """
    priors = Priors.load(out)
    records = read_records(pums, priors, tuple(ATTRIBUTES), keep)
    pep = _pep(sources)
    adults = float(pep.loc[pep.index >= 18].to_numpy().sum())
    records = Records(records.codes, records.weight * adults / records.weight.sum())
    tabulation = Tabulation(priors, records, _areas(priors, records, sources / "acs_2018_1yr_tables"))
    tops = top_codes(priors, records)
    write_top_codes(tops, out)
    for source, attributes in priors.tables:
        name = "-".join(attributes)
        marginal = tabulation.count(attributes, f"tables/{name}.parquet")
        if "age" in attributes:
            marginal = spread_top_codes(marginal, tops, pep)
        write_marginal(marginal, out / "tables" / f"{name}.parquet", {"source": source})
    log.info("wrote %d tables to %s", len(list(priors.tables)), out / "tables")


def _pep(sources: Path) -> pd.DataFrame:
    """Residents by single year of age (rows, 100 means 100 and over) and sex, July 2024 (Vintage 2024)."""
    path = sources / "census_pep_2024" / "nc-est2024-agesex-res.csv"
    if not path.exists():
        raise SourceError(f"{path}: missing; the Vintage 2024 estimates give totals and the ages above top codes")
    frame = pd.read_csv(path)
    frame = frame[(frame["AGE"] < 999) & (frame["SEX"] > 0)]
    table = frame.pivot(index="AGE", columns="SEX", values="POPESTIMATE2024")
    return table.rename(columns={1: "Male", 2: "Female"})


def _areas(priors: Priors, records: Records, tables: Path) -> dict[str, ModelledArea]:
    state = records.codes["state"]
    names = priors.domain["state"]
    complete = np.ones(len(records), dtype=bool)
    reduced = []
    for code in np.unique(state):
        here = state == code
        if any((records.codes[name][here] < 0).all() for name in NEEDED):
            reduced.append(int(code))
            complete &= ~here
    donors = records.take(complete)
    areas = {}
    for code in reduced:
        own = records.take(state == code)
        weights = reweight_for_state(priors, donors, own, tables, str(names[code]))
        areas[str(names[code])] = ModelledArea(donors, weights, DIRECT_EVERYWHERE)
    present = {str(names[code]) for code in np.unique(state)}
    islanders = donors_of(donors)
    for name, shares in (("PR", _puerto_rico(priors)), ("VI", VIRGIN_ISLANDS_ETHNICITY)):
        if name not in present:
            weights = weights_for(priors, islanders, donors, tables, shares)
            weights *= _adults(priors, name) / weights.sum()
            areas[name] = ModelledArea(islanders, weights)
    return areas


def _puerto_rico(priors: Priors) -> dict[str, float]:
    """Adults of Puerto Rico by ethnicity, 2020 Census, from the ZIP table."""
    places = priors.places
    here = places.column("state") == "PR"
    groups = {"hispanic": "hispanic", "white": "white", "black": "black", "native": "native", "multiple": "multiple"}
    shares = {group: float(places.column(column)[here].astype(float).sum()) for group, column in groups.items()}
    shares["asian"] = float(places.column("asian_or_pacific_islander")[here].astype(float).sum())
    return shares


def _adults(priors: Priors, state: str) -> float:
    """Adults of a territory: 2020 Census; for the Virgin Islands residents times Puerto Rico's adult share."""
    places = priors.places
    here = places.column("state") == state
    adults = float(places.column("adults")[here].astype(float).sum())
    if adults > 0:
        return adults
    return float(places.column("residents")[here].astype(float).sum()) * 0.8
