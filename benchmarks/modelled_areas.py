"""Error of modelled areas, measured on US states with complete records.

    python benchmarks/modelled_areas.py SOURCES [--states NY FL AZ] [--json]

The named states lose the columns that the person files of California and Texas lack. They are modelled from the other
states as `personas priors build` models those two, and compared with their own records: total variation distance of
each table, smaller is better. Two figures stand beside it: the floor (the mean distance of a simple random sample as
large as the state's own), and the distance with national conditionals, whose donors are reweighted only to the state's
ages, sexes, ethnicities and schooling.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from census_personas.census_priors.build.en_US.areas import MODELLED
from census_personas.census_priors.build.en_US.donor_weights import national_conditionals, reweight_for_state
from census_personas.census_priors.build.en_US.locale import ATTRIBUTES, residents_by_age, scaled
from census_personas.census_priors.build.en_US.pums import read_records
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.build.source import SourceError
from census_personas.census_priors.priors import Priors

HIDDEN = tuple("education" if name == "bachelors_field" else name for name in MODELLED)
TABLES = (
    ("marital_status",),
    ("age_group", "sex", "marital_status"),
    ("labor_force_status",),
    ("age_group", "sex", "labor_force_status"),
    ("bachelors_field",),
    ("sex", "bachelors_field"),
    ("occupation_group",),
    ("sex", "occupation_group"),
    ("education_level", "occupation_group"),
    ("ethnicity", "occupation_group"),
    ("occupation",),
    ("language_at_home",),
    ("ethnicity", "language_at_home"),
    ("income_band",),
    ("industry",),
    ("class_of_worker",),
    ("commute_mode",),
    ("veteran_status",),
)
DRAWS = 20


def shares(codes: Codes, weights: np.ndarray, table: tuple[str, ...]) -> np.ndarray:
    """The table as shares; records without one of its attributes are left out."""
    cells = codes.cells(table)
    size = codes.priors.domain.project(table).size
    counts = np.bincount(cells[cells >= 0], weights=weights[cells >= 0], minlength=size)
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Total variation distance."""
    return float(0.5 * np.abs(one - other).sum())


def floor(truth: np.ndarray, persons: int) -> float:
    """Mean distance of a random sample of this size to what it is drawn from."""
    rng = np.random.default_rng(0)
    return float(
        np.mean([distance(draw / persons, truth) for draw in rng.multinomial(persons, truth, size=DRAWS)])
    )


def hidden(records: Records) -> Records:
    """The same people without the columns that reduced files lack."""
    gone = np.full(len(records), -1, dtype=np.int16)
    return Records({**records.codes, **dict.fromkeys(HIDDEN, gone)}, records.weight)


def main() -> None:
    """Hide, model, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path)
    parser.add_argument("--pums", default="acs_pums_2024_1yr", help="folder of person files in SOURCES")
    parser.add_argument("--states", nargs="+", default=["NY", "FL", "AZ"])
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    asked = parser.parse_args()
    priors = Priors.load("en_US")
    records = read_records(asked.sources / asked.pums, priors, ATTRIBUTES)
    records = scaled(records, priors, residents_by_age(asked.sources))
    state = records.codes["state"]
    work = records.codes["labor_force_status"]
    asked_for = [priors.domain.code("state", name) for name in asked.states]
    reduced = [code for code in np.unique(state) if (work[state == code] < 0).all()]
    donors = records.take(~np.isin(state, [*asked_for, *reduced]))
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, code in zip(asked.states, asked_for, strict=True):
        truth = records.take(state == code)
        own = hidden(truth)
        weights = {
            "modelled": reweight_for_state(priors, donors, own, asked.sources, name),
            "national": national_conditionals(priors, donors, own),
        }
        found[name] = {}
        for table in TABLES:
            codes = Codes(priors, truth)
            real = shares(codes, truth.weight, table)
            row = {way: distance(shares(Codes(priors, donors), w, table), real) for way, w in weights.items()}
            row["floor"] = floor(real, int((codes.cells(table) >= 0).sum()))
            found[name]["-".join(table)] = row
    report(found, as_json=asked.json)


def report(found: dict[str, dict[str, dict[str, float]]], *, as_json: bool) -> None:
    """A line a table, then one JSON object if asked for."""
    out = sys.stdout
    for name, tables in found.items():
        out.write(f"{name:36s} modelled  national     floor\n")
        for table, row in tables.items():
            out.write(f"  {table:32s} {row['modelled']:10.4f}{row['national']:10.4f}{row['floor']:10.4f}\n")
    if as_json:
        pairs = [row for tables in found.values() for row in tables.values()]
        ratio = float(np.exp(np.mean([np.log(row["national"] / row["modelled"]) for row in pairs])))
        out.write(json.dumps({"states": found, "ratio_national_to_modelled_distance": ratio}) + "\n")


if __name__ == "__main__":
    try:
        main()
    except SourceError as error:
        sys.exit(f"modelled_areas.py: {error}")
