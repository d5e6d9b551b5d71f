"""Speed of drawing people, compared with pgmpy's own sampler in the same run.

    python benchmarks/sampling.py [--rows 1000000] [--json]

The model has 11 variables: state, age band, age, sex, ethnicity, marital status, education with field, labour-force
status, major occupation group, occupation, nativity. pgmpy samples a smaller one over the same variables and states:
its dense tables could not hold the parents that ours has, so each variable keeps only those that a graph published for
the United States gives it. `ratio_vs_pgmpy_same_cpds` is of our sampler on that smaller model, `ratio_vs_pgmpy_1m` on
the whole one. The faster of pgmpy's two methods counts; draws of both samplers take turns, and the best of each counts.
Times are wall-clock times; `cpu` is the processor time of the same draw. Conditioning is measured from the conditions
to the first row of the whole model, with names, as the best of three. A first draw takes longer than later ones,
because it computes rows of its tables on demand; the difference is `cpu_seconds_to_compile`. The rate under evidence is
again that of the 11 variables. A whole population is what `personas sample --schema full` writes: names, ZIP codes,
personality, UUIDs. Peak memory is that of a separate process (on Linux).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pgmpy import config as pgmpy_config
from pgmpy.sampling import BayesianModelSampling

from census_personas.generator.model.bayesian_network import to_pgmpy
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node
from census_personas.generator.population.population import Population
from census_personas.generator.sampling.conditioning import Conditioned, condition
from census_personas.generator.sampling.sampler import Sampler
from census_personas.generator.sampling.where_clause import masks

CHILDREN = ("age", "occupation_group", "occupation", "nativity")
PEER = {
    "age_band": ("state",),
    "age": ("age_band",),
    "sex": ("age_band",),
    "ethnicity": ("state", "sex"),
    "marital_status": ("age_band", "sex"),
    "education": ("age_band", "sex"),
    "labor_force_status": ("age_band", "sex"),
    "occupation_group": ("labor_force_status", "sex", "education"),
    "occupation": ("occupation_group", "sex"),
    "nativity": ("state", "ethnicity"),
}
EVIDENCE = {
    "a state": {"state": "CA"},
    "a small state": {"state": "WY"},
    "an occupation": {"occupation": "*engineer*"},
    "a ZIP prefix": {"zipcode": "902*"},
    "a city": {"city": "Boise City"},
    "a first name": {"first_name": "Maria"},
    "first names": {"first_name": "Mar*"},
    "a last name": {"last_name": "Nguyen"},
    "an income": {"income_band": "over_150k"},
    "incomes": {"income_band": ["50k_75k", "75k_100k", "100k_150k"]},
    "industries": {"industry": ["construction", "utilities", "retail"]},
    "an employer": {"class_of_worker": "self_employed"},
    "a language": {"language_at_home": ["spanish", "other"]},
    "many together": {
        "income_band": ["50k_75k", "75k_100k", "100k_150k"],
        "industry": ["construction", "utilities", "retail"],
        "commute_mode": ["bicycle", "car", "walked"],
        "language_at_home": ["spanish", "english"],
        "first_name": "M*",
    },
    "rare": {"state": ["CA", "OR"], "age": "30-45", "occupation": "*engineer*"},
    "very rare": {"state": "VT", "ethnicity": "asian", "age": "80-", "marital_status": "divorced"},
}
WHOLE = """
import json, re, resource, sys, time
begun = time.perf_counter()
from pathlib import Path
from census_personas.generator.config.config_file import parse
from census_personas.generator.population.population_file import PopulationFile
PopulationFile(parse("", "defaults", (f"rows={sys.argv[1]}", "output.schema=full"))).write(Path(sys.argv[2]), 100_000)
used = resource.getrusage(resource.RUSAGE_SELF)  # its ru_maxrss would count the process that started this one
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([time.perf_counter() - begun, used.ru_utime + used.ru_stime, peak / 2**20]))
"""


def timed(draw: Callable[[], Any], times: int = 3) -> tuple[float, float]:
    """Return wall-clock and processor seconds of the fastest run."""
    found = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        draw()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(found)


def peer(network: Network) -> Network:
    """The smaller network, with our model's own probabilities, and nothing else."""
    nodes = []
    for child, parents in PEER.items():
        joint = network.joint((*parents, child))
        totals = joint.sum(axis=-1, keepdims=True)
        table = np.divide(joint, totals, out=np.full_like(joint, 1 / joint.shape[-1]), where=totals > 0)
        nodes.append(Node(child, parents, table.astype(np.float32)))
    state = network.joint(("state",)).astype(np.float32)
    return replace(network, core_attributes=("state",), core=state, nodes=tuple(nodes))


def beside_pgmpy(network: Network, rows: int) -> dict[str, Any]:
    """Time draws of this package and of pgmpy in turn."""
    small = peer(network)
    pgmpy_config.set_backend("numpy")
    model = to_pgmpy(small)
    forward = BayesianModelSampling(model).forward_sample
    sampler, same = (Sampler.compile(each, ()).ready() for each in (network, small))
    ours, ours_same, theirs = [], [], []
    for number in range(4):
        ours.append(timed(lambda: sampler.draw(0, 0, rows), times=5))
        ours_same.append(timed(lambda: same.draw(0, 0, rows), times=5))
        if number % 2:
            theirs.append(timed(lambda: forward(rows, seed=0, show_progress=False), times=1))
        else:
            theirs.append(timed(lambda: model.simulate(rows, seed=0, show_progress=False), times=1))
    plain, plain_same, simulated = min(ours), min(ours_same), min(theirs)
    return {
        "rows_per_second": rows / plain[0],
        "cpu_seconds": plain[1],
        "pgmpy_rows_per_second": rows / simulated[0],
        "pgmpy_cpu_seconds": simulated[1],
        "ratio_vs_pgmpy_1m": simulated[0] / plain[0],
        "ratio_cpu_vs_pgmpy_1m": simulated[1] / plain[1],
        "ratio_vs_pgmpy_same_cpds": simulated[0] / plain_same[0],
        "ratio_cpu_vs_pgmpy_same_cpds": simulated[1] / plain_same[1],
    }


def whole(rows: int, folder: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak GiB of a process that writes a whole population."""
    command = [sys.executable, "-c", WHOLE, str(rows), str(folder / f"{rows}.parquet")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  our own code
    seconds, cpu, peak = json.loads(done.stdout)
    return seconds, cpu, peak


def under_evidence(population: Population, sampler: Sampler, rows: int) -> dict[str, Any]:
    """For each condition: seconds to the first row, and to draw; beside them, those of a draw without condition."""
    leaves = population.leaves  # loaded once a process, whatever is asked
    whole = Sampler.compile(population.network, leaves).ready()
    found = {}
    for name, where in EVIDENCE.items():

        def first_row(where: dict[str, Any] = where) -> tuple[Conditioned, Sampler]:
            given = condition(population.network, leaves, masks(where, population.priors, leaves))
            conditioned = whole.given(given, leaves)
            conditioned.draw(0, 0, 1)
            return given, conditioned

        first = timed(first_row)
        given, whole_given = first_row()
        begun = timed(lambda drawn=whole_given: drawn.draw(0, 0, rows), times=1)
        again = timed(lambda drawn=whole_given: drawn.draw(0, 0, rows))
        ready = {
            "seconds_to_condition": first[0],
            "cpu_seconds_to_condition": first[1],
            "cpu_seconds_to_compile": begun[1] - again[1],
        }
        conditioned = sampler.given(given, leaves)
        plain = timed(lambda: sampler.draw(0, 0, rows))
        drawn = timed(lambda drawn=conditioned: drawn.draw(0, 0, rows))
        found[name] = ready | {
            "rows_per_second": rows / drawn[0],
            "cpu_seconds": drawn[1],
            "ratio_to_plain": drawn[0] / plain[0],
            "probability": given.probability,
        }
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--large", type=int, default=10_000_000, help="rows of the large population; 0 for none"
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    asked = parser.parse_args()
    rows = asked.rows
    population = Population.load("en_US")
    kept = tuple(node for node in population.network.nodes if node.child in CHILDREN)
    network = replace(population.network, nodes=kept)
    result: dict[str, Any] = {"rows": rows} | beside_pgmpy(network, rows)
    sampler = Sampler.compile(network, ()).ready()
    conditions = under_evidence(population, sampler, rows)
    result["evidence"] = conditions
    result["ratio_evidence_vs_plain"] = max(found["ratio_to_plain"] for found in conditions.values())
    result["seconds_to_condition"] = max(found["seconds_to_condition"] for found in conditions.values())
    result["cpu_seconds_to_condition"] = max(
        found["cpu_seconds_to_condition"] for found in conditions.values()
    )
    result["cpu_seconds_to_compile"] = max(found["cpu_seconds_to_compile"] for found in conditions.values())
    with tempfile.TemporaryDirectory() as folder:
        seconds, cpu, peak = whole(rows, Path(folder))
        result |= {"whole_seconds": seconds, "whole_cpu_seconds": cpu, "whole_peak_gib": peak}
        if asked.large:
            seconds, cpu, most = whole(asked.large, Path(folder))
            result |= {"large_rows": asked.large, "large_seconds": seconds, "large_peak_gib": most}
            result["ratio_memory_large_vs_whole"] = most / peak
    for name, value in result.items():
        sys.stdout.write(f"{name:32s}{value if isinstance(value, dict | int) else round(value, 4)}\n")
    if asked.json:
        sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
