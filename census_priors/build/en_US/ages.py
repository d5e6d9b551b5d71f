"""Ages: spreads ages above the PUMS top code over single years, by the population estimates.

PUMS replaces the ages of the oldest people in each state by their mean, so that one value stands for an open-ended
range, which starts one year above the oldest other age in the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from census_personas.census_priors.build.compiled import write_table
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.marginal import Marginal
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats

TOP_CODES = Path("lookups") / "age_top_codes.parquet"
OLDEST_SHOWN = 89
"""No state is top-coded below 90: ACS 2024 PUMS shows single years up to 89."""


@dataclass(frozen=True, slots=True)
class TopCode:
    """Ages from `first` on appear in the records as `value`."""

    value: int
    first: int


def top_codes(priors: Priors, records: Records) -> Mapping[str, TopCode]:
    """Find the top code of every state in the records."""
    ages = np.array(priors.domain["age"], dtype=np.int64)
    found = {}
    for code in np.unique(records.codes["state"]):
        shown = np.unique(ages[records.codes["age"][records.codes["state"] == code]])
        value = int(shown[-1])
        first = max(int(shown[-2]), OLDEST_SHOWN) + 1 if len(shown) > 1 else value
        found[str(priors.domain["state"][int(code)])] = TopCode(value, min(first, value))
    return found


def write_top_codes(tops: Mapping[str, TopCode], out: Path) -> None:
    """Write the top codes into the locale; scoring records needs them."""
    rows = [(state, top.value, top.first) for state, top in sorted(tops.items())]
    write_table(pd.DataFrame(rows, columns=["state", "value", "first"]), out / TOP_CODES)


def read_top_codes(priors: Priors) -> Mapping[str, TopCode]:
    """Read the top codes of a locale; none if it has no such file."""
    path = priors.folder / TOP_CODES
    if not path.exists():
        return {}
    frame = pd.read_parquet(path)
    columns = (frame[name].to_list() for name in ("state", "value", "first"))
    return {str(state): TopCode(int(value), int(first)) for state, value, first in zip(*columns, strict=True)}


def spread_top_codes(marginal: Marginal, tops: Mapping[str, TopCode], residents: pd.DataFrame) -> Marginal:
    """Move the weight of top codes to single years, by the residents' ages of each sex.

    Areas without a top code, and tables without state, are spread from the lowest top-coded age on; tables without sex
    by both sexes together. Counts of persons move in the same shares.
    """
    names = marginal.domain.attributes
    age_axis = names.index("age")
    ages = np.array(marginal.domain["age"], dtype=np.int64)

    def spread(values: Floats) -> Floats:
        moved = np.moveaxis(values.copy(), age_axis, -1)
        rest = [name for name in names if name != "age"]
        for cell in np.ndindex(*moved.shape[:-1]):
            here = {name: str(marginal.domain[name][code]) for name, code in zip(rest, cell, strict=True)}
            top = tops.get(here["state"]) if "state" in here else None
            first = top.first if top else min(t.first for t in tops.values())
            tail = ages >= first
            people = residents[here["sex"]] if "sex" in here else residents.sum(axis=1)
            shares = people.reindex(ages[tail]).to_numpy(dtype=np.float64)
            row = moved[cell]
            row[tail] = row[tail].sum() * shares / shares.sum()
        return np.moveaxis(moved, -1, age_axis)

    samples = None if marginal.samples is None else spread(marginal.samples)
    return replace(marginal, weights=spread(marginal.weights), samples=samples)
