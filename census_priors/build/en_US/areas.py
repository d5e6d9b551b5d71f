"""Areas: finds areas with incomplete or no person records, and their donors."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from census_personas.census_priors.build.area_tables import ModelledArea
from census_personas.census_priors.build.en_US.acs_table import AcsTable
from census_personas.census_priors.build.en_US.donor_weights import TABLES, reweight_for_state
from census_personas.census_priors.build.en_US.territories import (
    VIRGIN_ISLANDS_ETHNICITY,
    donors_of,
    weights_for,
)
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.priors import Priors

log = logging.getLogger(__name__)

TERRITORIES = ("PR", "VI")
MODELLED = tuple(
    "marital_status bachelors_field labor_force_status occupation language_at_home veteran_status income_band "
    "commute_mode industry class_of_worker".split()
)
"""Attributes missing in person files without columns on work, marriage and degree."""
NEEDED = ("marital_status", "labor_force_status", "occupation")


def modelled_areas(priors: Priors, records: Records, sources: Path) -> dict[str, ModelledArea]:
    """Build donors for every area whose records lack a column in `NEEDED`, and for territories without records.

    Args:
        priors: the locale with its look-ups.
        records: all person records, weights scaled to the population.
        sources: folder with the 2018 detailed tables and OEWS.
    """
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
        weights = reweight_for_state(priors, donors, own, sources, str(names[code]))
        areas[str(names[code])] = ModelledArea(donors, weights, MODELLED)
    present = {str(names[code]) for code in np.unique(state)}
    return areas | _territories(priors, donors, sources, present)


def _territories(
    priors: Priors, donors: Records, sources: Path, present: set[str]
) -> dict[str, ModelledArea]:
    areas = {}
    islanders = donors_of(donors)
    coarsenings = priors.hierarchy.finer
    everything = tuple(name for name in priors.domain if name != "state" and name not in coarsenings)
    for name, shares in (("PR", _puerto_rico(priors)), ("VI", VIRGIN_ISLANDS_ETHNICITY)):
        if name not in present:
            weights = weights_for(priors, islanders, donors, sources / TABLES, shares)
            weights *= _adults(priors, name, sources / TABLES) / weights.sum()
            areas[name] = ModelledArea(islanders, weights, everything)
            log.info("%s: %d donors born in Puerto Rico or the island areas", name, len(islanders))
    return areas


def _puerto_rico(priors: Priors) -> Mapping[str, float]:
    """Count adults of Puerto Rico by ethnicity, 2020 Census, from the ZIP table (islanders count as Asian)."""
    columns = {name: name for name in ("hispanic", "white", "black", "native", "multiple")}
    columns["asian"] = "asian_or_pacific_islander"
    return {group: _sum(priors, column, "PR") for group, column in columns.items()}


def _adults(priors: Priors, state: str, tables: Path) -> float:
    """Return adults of a territory in the 2020 Census; for the Virgin Islands, residents x Puerto Rico's share."""
    adults = _sum(priors, "adults", state)
    if adults > 0:
        return adults
    published = AcsTable.read(tables, "B01001").tally({"all": ("Male", "Female")}).loc["PR"]
    grown = np.array([first >= 18 for _, first, _, _ in published.index.to_list()])
    counts = published.to_numpy(dtype=np.float64)
    return _sum(priors, "residents", state) * float(counts[grown].sum() / counts.sum())


def _sum(priors: Priors, column: str, state: str) -> float:
    here = priors.places.column("state") == state
    return float(priors.places.column(column)[here].astype(float).sum())
