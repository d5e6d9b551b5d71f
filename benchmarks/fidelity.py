"""Fidelity on households that the model has not seen, compared with simpler models.

    python benchmarks/fidelity.py SOURCES [--core-cells N] [--json]

Splits the PUMS households of SOURCES (a folder as `personas priors build` reads it) by hash of SERIALNO, builds every
table of en_US from nine tenths, fits, and scores the adults of the last tenth: our model, independent margins,
and the graph of NVIDIA's SDG-PGMs for the United States (occupation independent of place, ethnicity and
marital status), all from the same nine tenths. Scores are nats per adult; lower is better. With `--core-cells` the core
is fitted as a cascade of tables of at most so many cells, as it is when memory is short.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from census_personas.census_priors.build.en_US.locale import build_tables
from census_personas.census_priors.build.en_US.pums import read_records
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.build.source import SourceError
from census_personas.census_priors.priors import HERE, Priors
from census_personas.generator.model.core_factoring import cascaded
from census_personas.generator.model.likelihood import codes_of
from census_personas.generator.model.network_fit import fit_network
from census_personas.generator.population.population import Population
from census_personas.generator.population.scoring import SCORED, score

SDG_PGMS = {
    "state": (),
    "age": ("state",),
    "sex": ("age_band", "state"),
    "ethnicity": ("state", "sex"),
    "marital_status": ("age_band", "sex"),
    "education": ("age_band", "sex"),
    "labor_force_status": ("age_band", "sex", "education_level"),
    "occupation": ("labor_force_status", "age_group", "sex", "education_level"),
}
"""A graph like that of NVIDIA's SDG-PGMs: the parents that its US example gives each attribute."""


def held_out(serials: pd.Series[str]) -> npt.NDArray[np.bool_]:
    """A tenth of the households, by hash."""
    return (pd.util.hash_array(serials.to_numpy(dtype=object)) % np.uint64(10)) == 0


def chain_nats(graph: dict[str, tuple[str, ...]], train: Codes, test: Codes, smoothing: float = 0.5) -> float:
    """Weighted nats an adult of conditionals counted on `train`, add-`smoothing` (persons), on `test`."""
    weights, shares = train.records.weight / train.records.weight.mean(), test.records.weight
    total = np.zeros(len(shares))
    for child, parents in graph.items():
        states = len(train.priors.domain[child])
        size = int(np.prod([len(train.priors.domain[p]) for p in parents], dtype=np.int64))
        rows = train.cells(parents) if parents else np.zeros(len(weights), dtype=np.int64)
        counts = np.bincount(rows * states + train[child], weights=weights, minlength=size * states)
        table = counts.reshape(size, states)
        overall = table.sum(axis=0) / table.sum()
        table = (table + smoothing * states * overall) / (
            table.sum(axis=1, keepdims=True) + smoothing * states
        )
        at = test.cells(parents) if parents else np.zeros(len(shares), dtype=np.int64)
        total -= np.log(np.maximum(table[at, test[child]], 1e-12))
    return float(np.average(total, weights=shares))


def complete(records: Records) -> Records:
    """Records of areas with every column."""
    return records.take(np.all([records.codes[name] >= 0 for name in SCORED], axis=0))


AUDITS = (
    ("bachelors_field", "occupation", "sex"),
    ("education_level", "occupation", "sex"),
    ("ethnicity", "occupation", "sex"),
    ("age_group", "occupation", "sex"),
    ("state", "occupation", "sex"),
    ("marital_status", "occupation", "sex"),
    ("age_group", "education_level", "occupation"),
    ("ethnicity", "education_level", "occupation"),
    ("age", "sex", "marital_status"),
    ("age", "sex", "education_level"),
    ("age", "sex", "labor_force_status"),
    ("age", "sex", "ethnicity"),
    ("education_level", "bachelors_field", "sex", "age_group"),
    ("age_group", "sex", "ethnicity", "marital_status"),
    ("age_group", "sex", "ethnicity", "education_level"),
    ("age_group", "sex", "ethnicity", "labor_force_status"),
    ("age_group", "sex", "education_level", "labor_force_status"),
    ("age_group", "sex", "education_level", "occupation_group"),
    ("age_group", "sex", "marital_status", "occupation_group"),
    ("age_group", "sex", "ethnicity", "occupation_group"),
    ("age_band", "sex", "marital_status", "labor_force_status"),
    ("age_band", "sex", "marital_status", "education_level"),
    ("sex", "ethnicity", "marital_status", "education_level"),
    ("state", "age_group", "sex", "ethnicity"),
    ("state", "age_group", "sex", "marital_status"),
    ("state", "age_group", "sex", "labor_force_status"),
    ("state", "age_group", "ethnicity", "education_level"),
    ("state", "ethnicity", "sex", "education_level"),
    ("state", "sex", "marital_status", "labor_force_status"),
    ("state", "sex", "labor_force_status", "education_level"),
    ("age_group", "sex", "ethnicity", "marital_status", "education_level"),
)
"""Tables that published audits of persona datasets use, and others of three to five attributes."""
COARSE = (
    "state age_band sex ethnicity marital_status education_level bachelors_field labor_force_status occupation_group"
).split()
SINGLE = [*COARSE, "age", "occupation"]
JOB = ("commute_mode", "industry", "class_of_worker")
FURTHER = (
    "nativity",
    "language_at_home",
    "household_type",
    "veteran_status",
    "disability_status",
    "income_band",
    *JOB,
)
"""Attributes that depend on the scored ones."""


def tables() -> list[tuple[str, ...]]:
    """Return every attribute, every pair, every three coarse attributes, and the audits."""
    wanted = [*((name,) for name in SINGLE), *combinations(SINGLE, 2), *combinations(COARSE, 3), *AUDITS]
    return [table for table in wanted if _is_informative(table)]


def pairs() -> list[tuple[str, ...]]:
    """Return every pair of output attributes with at least one that depends on the scored ones."""
    wanted = combinations([*SINGLE, *FURTHER], 2)
    return [table for table in wanted if _is_informative(table) and set(table) & set(FURTHER)]


def _is_informative(table: tuple[str, ...]) -> bool:
    return not {"age", "age_band"} <= set(table) and not {"occupation", "occupation_group"} <= set(table)


def shares(
    cells: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], size: int
) -> npt.NDArray[np.float64]:
    """Compute the weighted shares of a table's cells, among people with all of its attributes known."""
    known = cells >= 0
    counts = np.bincount(cells[known], weights=weights[known], minlength=size)
    return counts / counts.sum()


def asked(priors: Priors, records: Records) -> Records:
    """Blank what the ACS does not ask: the job of people without one, the language of people in group quarters."""
    domain, codes = priors.domain, dict(records.codes)
    idle = [domain.code("labor_force_status", state) for state in ("unemployed", "not_in_workforce")]
    shared = codes["household_type"] == domain.code("household_type", "group_quarters")
    unasked = dict.fromkeys(JOB, np.isin(codes["labor_force_status"], idle)) | {"language_at_home": shared}
    for name, nobody in unasked.items():
        codes[name] = np.where(nobody, -1, codes[name]).astype(np.int16)
    return Records(codes, records.weight)


def audit(
    population: Population, train: Codes, test: Codes, rows: int, wanted_tables: list[tuple[str, ...]]
) -> pd.DataFrame:
    """Compute the total variation distance of a sample to the unseen households, with the noise floor.

    The floor is the distance of as many rows drawn from the training households (mean of three draws); its 95 % point
    is mean + 1.645 standard deviations. A table passes at max(1.15 floor, 95 % point) + 0.002. Ages from 90 on, which
    PUMS top-codes, count as one.
    """
    rng = np.random.default_rng(0)
    weight = train.records.weight / train.records.weight.sum()
    areas = [population.priors.domain["state"][c] for c in np.unique(train.records.codes["state"])]
    drawn = population.sample(rows, seed=1, where={"state": areas})
    sample = Codes(
        population.priors, asked(population.priors, Records(_coded(population, drawn), np.ones(rows)))
    )
    bootstraps = [rng.multinomial(rows, weight).astype(np.float64) for _ in range(3)]
    found = []
    for table in wanted_tables:
        size = population.priors.domain.project(table).size
        seen = train.cells(table)
        wanted = _old_as_one(population, table, shares(test.cells(table), test.records.weight, size))
        have = _old_as_one(population, table, shares(sample.cells(table), sample.records.weight, size))
        floors = [
            0.5 * np.abs(_old_as_one(population, table, shares(seen, b, size)) - wanted).sum()
            for b in bootstraps
        ]
        floor, spread = float(np.mean(floors)), float(np.std(floors, ddof=1))
        distance = 0.5 * float(np.abs(have - wanted).sum())
        bound = max(1.15 * floor, floor + 1.645 * spread) + 0.002
        found.append(("-".join(table), distance, floor, bound, distance <= bound))
    return pd.DataFrame(found, columns=["table", "tvd", "floor", "bound", "passes"])


def _old_as_one(
    population: Population, table: tuple[str, ...], cells: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    if "age" not in table:
        return cells
    domain = population.priors.domain
    array = np.moveaxis(cells.reshape(domain.project(table).shape), table.index("age"), 0)
    ninety = domain.code("age", 90)
    return np.concatenate([array[:ninety], array[ninety:].sum(axis=0, keepdims=True)]).ravel()


def _coded(population: Population, frame: pd.DataFrame) -> dict[str, npt.NDArray[np.int16]]:
    codes = codes_of(population.priors, frame, population.network)
    names = (
        "state",
        "sex",
        "ethnicity",
        "marital_status",
        "education",
        "age",
        "labor_force_status",
        "occupation",
    )
    return {name: codes[name].astype(np.int16) for name in (*names, *FURTHER)}


def main() -> None:
    """Build, fit, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path)
    parser.add_argument("--pums", default="acs_pums_2024_1yr", help="folder of person files in SOURCES")
    parser.add_argument("--rows", type=int, default=1_000_000, help="sample size of the audit")
    parser.add_argument(
        "--core-cells", type=int, help="fit the core as a cascade of tables of at most so many cells"
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    options = parser.parse_args()
    pums = options.sources / options.pums
    with tempfile.TemporaryDirectory() as folder:
        locale = Path(folder) / "en_US"
        shutil.copytree(HERE / "en_US", locale)
        begun = time.perf_counter()
        build_tables(options.sources, pums, locale, keep=lambda serials: ~held_out(serials))
        built = time.perf_counter()
        priors = Priors.load(locale)
        if options.core_cells:
            priors = cascaded(priors, options.core_cells)
        population = Population(priors, fit_network(priors))
        fitted = time.perf_counter()
        names = (*SCORED, *FURTHER)
        test = complete(read_records(pums, priors, names, held_out))
        train = complete(read_records(pums, priors, names, lambda serials: ~held_out(serials)))
        ours = score(population, test)
        independent = chain_nats(dict.fromkeys(SCORED, ()), Codes(priors, train), Codes(priors, test))
        peer = chain_nats(SDG_PGMS, Codes(priors, train), Codes(priors, test))
        seen, unseen = (Codes(priors, asked(priors, records)) for records in (train, test))
        audits = audit(population, seen, unseen, options.rows, tables())
        others = audit(population, seen, unseen, options.rows, pairs())
    out = sys.stdout
    out.write(
        f"held-out adults: {ours.adults:,} in {ours.areas} areas; standard error {ours.standard_error:.3f}\n"
    )
    out.write(f"tables {built - begun:.0f} s, fit {fitted - built:.0f} s\n")
    for name, value in (
        ("independent margins", independent),
        ("SDG-PGMs graph", peer),
        ("this model", ours.nats_per_person),
    ):
        out.write(f"{name:24s}{value:9.3f} nats an adult\n")
    for name, value in ours.by_attribute.items():
        out.write(f"  {name:22s}{value:9.3f}\n")
    out.write(f"{int(audits['passes'].sum())} of {len(audits)} tables pass at {options.rows:,} rows\n")
    out.write(audits.sort_values("passes").to_string(index=False, float_format=lambda x: f"{x:.4f}") + "\n")
    others["beyond"] = others["tvd"] - others["floor"]
    worst = others.sort_values("beyond", ascending=False)[["table", "tvd", "floor"]].head(10)
    out.write(
        f"pairs that the graph leaves out: {int((~others['passes']).sum())} of {len(others)} beyond the bound\n"
    )
    out.write(worst.to_string(index=False, float_format=lambda x: f"{x:.4f}") + "\n")
    if options.json:
        result = asdict(ours) | {"tables": len(audits), "tables_passed": int(audits["passes"].sum())}
        result |= {"independent": independent, "sdg_pgms_graph": peer}
        result["ratio_perplexity_vs_independent"] = float(np.exp(independent - ours.nats_per_person))
        result["ratio_perplexity_vs_sdg_pgms"] = float(np.exp(peer - ours.nats_per_person))
        out.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    try:
        main()
    except SourceError as error:
        sys.exit(f"fidelity.py: {error}")
