"""Limits of a report: how often it marks correct runs, and how often faulty ones.

    python benchmarks/report_limits.py [--tables N] [--runs N] [--faults N] [--rows N ...] [--json]

Draws honest runs from the fitted model of en_US and counts those with any mark, then runs with a fault:

- tables: every table of a report drawn separately as a multinomial, and tested; fast, and marked at least as often as
  tables of one sample. The full measurement is `--tables 1000`.
- runs: whole people, with names and independences, judged as a report judges them; 20 seconds each. The full
  measurement is `--runs 1000`.
- selections: runs under `where`, `target`, `quota` and `stratified`, without the independences.
- faults: the armed forces with occupations of civilians; marital status independent of education given age and sex;
  one table moved by twice its limit.

Rates come with 95 % Clopper-Pearson intervals.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv  # type: ignore[import-untyped]

from census_personas.census_priors.marginal import Marginal
from census_personas.generator.population.population import Population
from census_personas.generator.report.expectation import Expectation
from census_personas.generator.report.reference_tables import ReferenceTables
from census_personas.validators.dataset.chance import widest
from census_personas.validators.dataset.fidelity import Fidelity, company, compared
from census_personas.validators.measure_registry import measures
from census_personas.validators.measurement import Measurements, measure_dataset

ROWS = (1_000, 100_000)
TESTS = 390  # of a whole report: tables, names, independences and groups
SELECTIONS: dict[str, dict[str, Any]] = {
    "where": {"where": {"sex": "Female", "state": ["NY", "WY"]}},
    "target": {"target": {"sex": "uniform"}},
    "quota": {"quota": {"ethnicity": "uniform"}},
    "stratified": {"stratified": True},
}


def rate(marked: int, runs: int) -> dict[str, Any]:
    """A share with its interval."""
    low = float(betaincinv(marked, runs - marked + 1, 0.025)) if marked else 0.0
    high = float(betaincinv(marked + 1, runs - marked, 0.975)) if marked < runs else 1.0
    return {"marked": marked, "runs": runs, "rate": marked / runs, "from": low, "to": high}


def drawn_table(
    expected: Marginal, shares: np.ndarray, rows: int, rng: np.random.Generator, tests: int
) -> Fidelity:
    """One table of a sample drawn by `shares`, beside what is expected."""
    wanted = expected.probabilities().ravel()
    counts = rng.multinomial(rows, shares / shares.sum())
    names = expected.domain.attributes
    found = compared(
        names,
        counts,
        np.full(len(wanted), rows),
        wanted,
        rows,
        widest(wanted),
        lambda cell: (str(cell),),
        company(expected),
    )
    return with_tests(found, tests)


def with_tests(found: Fidelity, tests: int) -> Fidelity:
    """Return the same table as one of so many tests."""
    from census_personas.validators.dataset.multiple_testing import counted_together  # noqa: PLC0415

    return counted_together([found], tests)[0]


def moved(expected: Marginal, distance: float, rng: np.random.Generator) -> np.ndarray | None:
    """Move shares by a distance: cells with half of the people, chosen at random, lose to the others."""
    shares = expected.probabilities().ravel()
    order = rng.permutation(len(shares))
    losing = order[np.cumsum(shares[order]) <= 1 / 2]
    mass = shares[losing].sum()
    if not distance < mass:
        return None
    found = shares * (1 + distance / (1 - mass))
    found[losing] = shares[losing] * (1 - distance / mass)
    return found


def judged(judge: ReferenceTables, people: pd.DataFrame, *, independences: bool) -> Measurements:
    """A run's people, judged by tables, names and groups, and by the independences where they are asked for."""
    names = ("fidelity", "names", "representation", *(("assumptions",) if independences else ()))
    listed = {name: measures()[name] for name in names}
    return measure_dataset(judge.dataset(people, listed), listed)


def civilians(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The armed forces with the occupations of employed civilians."""
    serving = np.flatnonzero(people["labor_force_status"] == "armed_forces")
    employed = np.flatnonzero(people["labor_force_status"] == "employed")
    occupation = people["occupation"].to_numpy(dtype=object).copy()
    occupation[serving] = occupation[rng.choice(employed, len(serving))]
    return people.assign(occupation=pd.Categorical(occupation))


def unmarried(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Marital status shuffled among people of one age and sex."""
    status = people["marital_status"].to_numpy(dtype=object).copy()
    groups = people.groupby(["age", "sex"], observed=True).indices
    for rows in groups.values():
        status[rows] = status[rng.permutation(rows)]
    return people.assign(marital_status=pd.Categorical(status))


FAULTS: dict[str, Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]] = {
    "armed forces drawn as civilians": civilians,
    "marital status independent of education": unmarried,
}


def faulty(judge: ReferenceTables, population: Population, fault: str, rows: int, seed: int) -> Measurements:
    """A run with a fault, judged without the independences."""
    people = FAULTS[fault](population.sample(rows, seed=seed), np.random.default_rng(seed))
    return judged(judge, people, independences=False)


def counted(kind: str, judgements: Iterable[Measurements]) -> dict[str, Any]:
    """The rate of marked judgements, with the marks."""
    marks: Counter[str] = Counter()
    marked = runs = 0
    for judgement in judgements:
        runs += 1
        marked += bool(judgement.tests.marked)
        marks.update(judgement.tests.marked)
    said = rate(marked, runs)
    sys.stderr.write(f"{kind}: {said}\n")
    return {**said, "marks": dict(marks.most_common(5))}


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Every rate that was asked for."""
    population = Population.load()
    columns = tuple(population.sample(1).columns)
    judge, found = ReferenceTables(Expectation(population), columns), {}
    for rows in options.rows:
        if options.tables:
            found[f"honest tables, {rows} rows"] = _tables(judge, rows, options.tables, twice=False)
            found[f"one table moved by twice its limit, {rows} rows"] = _tables(
                judge, rows, options.tables, twice=True
            )
        if options.runs:
            people = (population.sample(rows, seed=seed) for seed in range(options.runs))
            found[f"honest runs, {rows} rows"] = counted(
                f"honest runs, {rows} rows", (judged(judge, frame, independences=True) for frame in people)
            )
    for fault in FAULTS if options.faults else ():
        name = f"{fault}, {options.rows[-1]} rows"
        found[name] = counted(
            name, (faulty(judge, population, fault, options.rows[-1], s) for s in range(options.faults))
        )
    for kind, selection in SELECTIONS.items() if options.selections else ():
        where, target = selection.get("where"), selection.get("target") or selection.get("quota")
        other = ReferenceTables(Expectation(population, where, target), columns)
        for rows in options.rows:
            name = f"honest runs, {kind}, {rows} rows"
            people = (population.sample(rows, seed=s, **selection) for s in range(options.selections))
            found[name] = counted(name, (judged(other, frame, independences=False) for frame in people))
    return found


def _tables(judge: ReferenceTables, rows: int, runs: int, *, twice: bool) -> dict[str, Any]:
    """Runs in which every table is drawn by itself: marked ones, or those of one table that was moved."""
    rng, marked, tried = np.random.default_rng(rows + twice), 0, 0
    tables = list(judge.modelled.values())
    for _ in range(runs):
        if not twice:
            tried += 1
            marked += any(
                not drawn_table(t, t.probabilities().ravel(), rows, rng, TESTS).passes for t in tables
            )
            continue
        table = tables[int(rng.integers(len(tables)))]
        limit = drawn_table(table, table.probabilities().ravel(), rows, rng, TESTS).limit
        shares = moved(table, 2 * limit, rng)
        if shares is not None:
            tried += 1
            marked += not drawn_table(table, shares, rows, rng, TESTS).passes
    said = rate(marked, tried) if tried else {"runs": 0}
    sys.stderr.write(f"tables, {rows} rows, {'moved' if twice else 'honest'}: {said}\n")
    return said


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=50, help="honest runs table by table")
    parser.add_argument("--runs", type=int, default=2, help="honest runs of whole people")
    parser.add_argument("--selections", type=int, default=2, help="honest runs of each selection")
    parser.add_argument("--faults", type=int, default=2, help="runs of each fault")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="rows of a run")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = measured(options)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return
    for name, said in found.items():
        if said["runs"]:
            interval = f"{100 * said['from']:.2f} to {100 * said['to']:.2f} %"
            sys.stdout.write(f"{name}: {100 * said['rate']:.2f} % of {said['runs']} marked ({interval})\n")


if __name__ == "__main__":
    main()
