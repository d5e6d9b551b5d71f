"""The es_ES locale: builds every declared table from the files of the INE."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from census_personas.census_priors.build.atomic_folder import refuse_other_folder, whole_folder
from census_personas.census_priors.build.compiled import write_marginal
from census_personas.census_priors.build.es_ES import sources as sources_es_es
from census_personas.census_priors.build.es_ES.budget_survey import read_budget_survey
from census_personas.census_priors.build.es_ES.labour_force import Keep, read_labour_force
from census_personas.census_priors.build.es_ES.municipalities import build_municipalities
from census_personas.census_priors.build.es_ES.name_counts import build_names
from census_personas.census_priors.build.es_ES.reweighting import effective_size, reweighted
from census_personas.census_priors.build.es_ES.single_ages import spread
from census_personas.census_priors.build.provenance import (
    PAGE,
    lookup_facts,
    source_facts,
    table_facts,
    write_provenance,
)
from census_personas.census_priors.build.raking import count
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.build.source import missing
from census_personas.census_priors.lock import LOCK, write_lock
from census_personas.census_priors.marginal import Marginal
from census_personas.census_priors.priors import HERE, PROVENANCE, Priors
from census_personas.foundation.arrays import Floats, Integers

log = logging.getLogger(__name__)

MARGINS = (
    "The INE publishes no margins of error for these tables. Each table has the surveyed persons behind every cell "
    "(`samples`, fractions rounded up); with the design effect of its source in priors.yaml they give its standard "
    "error."
)
WRITTEN = (PROVENANCE, PAGE, LOCK)
ATTRIBUTES = (
    "province age sex marital_status cohabitation education_level labor_force_status occupation branch "
    "employment_status birth_region nationality".split()
)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Adults as records, a fraction of a surveyed person each.

    Attributes:
        records: codes and weights in persons.
        fraction: share of a surveyed person that each record is.
        dwelling: number of the dwelling of each record.
        persons: surveyed persons of 16 and over.
        effective: Kish's effective sample size of the raked survey.
    """

    records: Records
    fraction: Floats
    dwelling: Integers
    persons: int
    effective: float


@dataclass(frozen=True, slots=True)
class Built:
    """Summary of a build: surveyed persons, effective sample size and tables."""

    persons: int
    effective: float
    tables: int


def build(sources: Path, out: Path) -> Built:
    """Write a complete locale: look-ups, tables, provenance and lock; after an error, nothing is written.

    `out` keeps its `priors.yaml` and other files; without a `priors.yaml`, the shipped one is copied.

    Args:
        sources: folder of the official files.
        out: locale folder.

    Raises:
        DestinationError: `out` is not a locale.
        SourceError: a file is missing or differs from its documentation.
    """
    refuse_other_folder(out)
    missing(sources_es_es.EVERY, sources)
    with whole_folder(out) as work:
        for path in (out if (out / "priors.yaml").is_file() else HERE / "es_ES").iterdir():
            if path.is_file() and path.name not in WRITTEN:
                shutil.copy(path, work)
        log.info("places and names")
        members = read_budget_survey(sources / sources_es_es.BUDGET.file)
        build_municipalities(sources, work)
        build_names(sources, members, work)
        priors = Priors.load(work)
        adults = read_adults(sources, priors)
        tabulate(adults, priors, work)
        _write_origins(work, sources, adults.persons)
        write_lock(work)
    return Built(adults.persons, adults.effective, len(list(priors.tables)))


def _write_origins(out: Path, sources: Path, persons: int) -> None:
    priors = Priors.load(out)
    used = [source.name for source in sources_es_es.TABLES]
    module = "census_personas.census_priors.build.es_ES"
    lookups = {
        name: lookup_facts(
            out / "lookups" / f"{name}.parquet",
            [source.name for source in named],
            f"{module}.{'municipalities' if name == 'places' else 'name_counts'}",
        )
        for name, named in sources_es_es.LOOKUPS.items()
    }
    write_provenance(
        out,
        persons,
        {source.name: source_facts(source, source.paths(sources)) for source in sources_es_es.EVERY},
        {"-".join(names): table_facts(priors, names, used, f"{module}.locale") for _, names in priors.tables},
        lookups,
        MARGINS,
    )


def read_adults(sources: Path, priors: Priors, keep: Keep | None = None) -> Surveyed:
    """Read, rake and spread the labour force survey.

    Args:
        sources: folder of the official files.
        priors: the locale in whose states records are coded.
        keep: dwellings to read; all by default.

    Raises:
        SourceError: a file is missing or differs from its documentation.
    """
    persons = read_labour_force(sources / sources_es_es.LABOUR_FORCE.file, keep)
    members = read_budget_survey(sources / sources_es_es.BUDGET.file)
    weights, targets = reweighted(persons, members, sources / sources_es_es.PUBLISHED.file)
    effective = effective_size(weights)
    worst = max(targets, key=lambda target: target.miss(weights))
    log.info(
        "raked to %d margins: the farthest is %s, by %.5f; effective sample %s of %s persons",
        len(targets),
        worst.name,
        worst.miss(weights),
        f"{effective:,.0f}",
        f"{len(persons):,}",
    )
    adults = spread(persons.assign(weight=weights), members)
    codes = {name: _codes(priors, name, adults[name]) for name in ATTRIBUTES}
    records = Records(codes, adults["weight"].to_numpy(dtype=np.float64))
    fraction = adults["fraction"].to_numpy(dtype=np.float64)
    return Surveyed(records, fraction, adults["dwelling"].to_numpy(), len(persons), effective)


def tabulate(adults: Surveyed, priors: Priors, out: Path) -> None:
    """Count every declared table and write it to `out/tables/`."""
    coded = Codes(priors, adults.records)
    for source, attributes in priors.tables:
        domain = priors.domain.project(attributes)
        cells = coded.cells(attributes)
        weights = count(cells, adults.records.weight, domain.size)
        samples = np.ceil(count(cells, adults.fraction, domain.size))  # a cell with weight was surveyed
        name = "-".join(attributes)
        marginal = Marginal(
            domain, weights.reshape(domain.shape), samples.reshape(domain.shape), f"tables/{name}.parquet"
        )
        write_marginal(marginal, out / "tables" / f"{name}.parquet", {"source": source})


def _codes(priors: Priors, attribute: str, values: pd.Series[Any]) -> npt.NDArray[np.int16]:
    states = {state: code for code, state in enumerate(priors.domain[attribute])}
    codes: npt.NDArray[np.int16] = np.asarray(values.map(states).to_numpy(), dtype=np.int16)
    return codes
