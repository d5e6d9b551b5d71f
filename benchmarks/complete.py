"""Speed of completing people with some known facts, compared with pgmpy's own inference in the same run.

    python benchmarks/complete.py [--rows 10000] [--json]

Rows come from the model's own sample, with cells taken out: all but age, sex and state; the same with ages in bands of
ten years; 20 and 40 per cent of twenty columns at random. Wall-clock and processor time (`cpu`) are measured, for the
first pattern after 100 rows that compile the draws. Peak memory is that of the process (on Linux), with the model.

pgmpy computes P(occupation group | a row's age band, sex and state) by variable elimination, one row at a time, on the
part of the model that this needs, which is less work than completing a row. `ratio_vs_pgmpy` compares rows per second.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from pgmpy.inference import VariableElimination

from census_personas.generator.population.population import Population

CORE = ("state", "age_band", "sex", "ethnicity", "marital_status", "education", "labor_force_status")
SCATTERED = (
    *("sex", "age", "ethnicity", "nativity", "marital_status", "education_level", "bachelors_field"),
    *("labor_force_status", "occupation", "state", "city", "zipcode", "language_at_home", "household_type"),
    *("veteran_status", "disability_status", "income_band", "class_of_worker", "industry", "commute_mode"),
)


def timed(work: Callable[[], object], rows: int) -> dict[str, float]:
    """Measure the speed of some work on rows, and the process's peak memory after it."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    seconds = time.perf_counter() - wall
    return {
        "rows_per_second": round(rows / seconds, 1),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def patterns(people: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Frames of people with facts taken out, by what is left."""
    few = people[["age", "sex", "state"]]
    bands = few.astype(object)
    bands["age"] = [f"{age // 10 * 10}-{age // 10 * 10 + 9}" if age < 80 else "80+" for age in people["age"]]
    random = np.random.default_rng(0)
    full = people[list(SCATTERED)].astype(object)
    gaps = {f"scattered_{share}": full.mask(random.random(full.shape) < share / 100) for share in (20, 40)}
    return {"age_sex_state": few, "age_in_bands": bands, **gaps}


def peer(population: Population, people: pd.DataFrame, rows: int) -> dict[str, float]:
    """Speed of pgmpy, a row at a time."""
    model = population.model_of("occupation_group")
    inference = VariableElimination(model)
    domain, hierarchy = population.priors.domain, population.priors.hierarchy
    bands = [domain["age_band"][code] for code in hierarchy.codes("age", "age_band")]
    band_of = dict(zip(domain["age"], bands, strict=True))
    evidence = [
        {"age_band": band_of[age], "sex": sex, "state": state}
        for age, sex, state in people[["age", "sex", "state"]].head(rows).itertuples(index=False)
    ]
    return timed(
        lambda: [
            inference.query(["occupation_group"], evidence=row, show_progress=False) for row in evidence
        ],
        rows,
    )


def main() -> None:
    """Time all patterns and the peer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--peer-rows", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    population = Population.load("en_US")
    people = population.sample(options.rows, seed=5)
    frames = patterns(people)
    population.complete(frames["age_sex_state"].head(100))
    found: dict[str, Any] = {"rows": options.rows}
    for name, frame in frames.items():
        found[name] = timed(lambda frame=frame: population.complete(frame, seed=1), options.rows)
    found["pgmpy"] = peer(population, people, options.peer_rows)
    found["ratio_vs_pgmpy"] = round(
        found["age_sex_state"]["rows_per_second"] / found["pgmpy"]["rows_per_second"], 1
    )
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
