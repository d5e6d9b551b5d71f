"""Municipalities: the look-up of places, from the municipal register of 1 January 2025."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from census_personas.census_priors.build.compiled import write_table
from census_personas.census_priors.build.es_ES.labour_force import PROVINCES
from census_personas.census_priors.build.es_ES.sources import MUNICIPALITIES
from census_personas.census_priors.build.source import SourceError

SIZES = (10_000, 20_000, 50_000, 100_000)
"""Bounds of the sizes of municipalities, as the budget survey has them (TAMAMU)."""
LABELS = ("under_10k", "10k_20k", "20k_50k", "50k_100k", "over_100k")


def build_municipalities(sources: Path, out: Path) -> None:
    """Write `places.parquet`: code of the INE, name, province, size and residents of every municipality.

    Raises:
        SourceError: the file cannot be read or lacks a column.
    """
    path = sources / MUNICIPALITIES.file
    try:
        rows = pd.read_parquet(path, columns=["cpro", "cmun", "name", "pob25"])
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"{path}: not the municipal register ({error}); fetch it again") from error
    places = pd.DataFrame(
        {"municipality_code": rows["cpro"] + rows["cmun"], "municipality": rows["name"].map(written)}
    )
    places["province"] = [PROVINCES[int(code) - 1] for code in rows["cpro"]]
    places["municipality_size"] = np.array(LABELS, dtype=object)[
        np.searchsorted(SIZES, rows["pob25"], "right")
    ]
    places["adults"] = 0.0  # not published by municipality; all residents are used
    places["residents"] = rows["pob25"].astype(np.float64)
    places = places[places["residents"] > 0].sort_values("municipality_code", kind="stable")
    write_table(places, out / "lookups" / "places.parquet")


def written(name: str) -> str:
    """Put the article first, as people write it: `Hospitalet de Llobregat, L'` -> `L'Hospitalet de Llobregat`."""
    noun, comma, article = name.partition(", ")
    if not comma:
        return name
    return f"{article}{noun}" if article.endswith("'") else f"{article} {noun}"
