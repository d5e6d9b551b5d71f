"""Fidelity on households that the model has not seen, beside what else one might use.

    python benchmarks/fidelity.py SOURCES [--json]

Splits the PUMS households of SOURCES (a folder as `personas priors build` reads it) by hash of SERIALNO, builds every
table of en_US from nine tenths, fits, and scores the adults of the last tenth: our model, independent margins,
and the graph of NVIDIA's SDG-PGMs for the United States (occupation independent of place, ethnicity and
marital status), all from the same nine tenths. Nats an adult; lower is better.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from persona_engine.census_priors.build.codes import Codes
from persona_engine.census_priors.build.locale_en_us import build_tables
from persona_engine.census_priors.build.pums import Records, read_records
from persona_engine.census_priors.priors import HERE, Priors
from persona_engine.generator.network_fit import fit_network
from persona_engine.generator.population import Population
from persona_engine.generator.scoring import SCORED, score

CHAIN = (
    "state",
    "age",
    "sex",
    "ethnicity",
    "marital_status",
    "education",
    "labor_force_status",
    "occupation",
)
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


def main() -> None:
    """Build, fit, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path)
    parser.add_argument("--pums", default="acs_pums_2024_1yr", help="folder of person files in SOURCES")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    asked = parser.parse_args()
    pums = asked.sources / asked.pums
    with tempfile.TemporaryDirectory() as folder:
        locale = Path(folder) / "en_US"
        shutil.copytree(HERE / "en_US", locale)
        begun = time.perf_counter()
        build_tables(asked.sources, pums, locale, keep=lambda serials: ~held_out(serials))
        built = time.perf_counter()
        priors = Priors.load(locale)
        population = Population(priors, fit_network(priors))
        fitted = time.perf_counter()
        test = complete(read_records(pums, priors, SCORED, held_out))
        train = complete(read_records(pums, priors, SCORED, lambda serials: ~held_out(serials)))
        ours = score(population, test)
        independent = chain_nats(dict.fromkeys(CHAIN, ()), Codes(priors, train), Codes(priors, test))
        peer = chain_nats(SDG_PGMS, Codes(priors, train), Codes(priors, test))
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
    if asked.json:
        result = asdict(ours) | {"independent": independent, "sdg_pgms_graph": peer}
        result["ratio_perplexity_vs_independent"] = float(np.exp(independent - ours.nats_per_person))
        result["ratio_perplexity_vs_sdg_pgms"] = float(np.exp(peer - ours.nats_per_person))
        out.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
