"""Frame: drawn codes as a table of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from persona_engine.census_priors.priors import Priors
from persona_engine.generator.leaves import TRAITS, Leaf
from persona_engine.generator.randomness import words

Codes = npt.NDArray[np.int32]

LABEL_EDGES = (35, 45, 56, 66)
LABELS = ("very_low", "low", "average", "high", "very_high")
"""T-scores below 35 are very low, below 45 low, to 55 average, to 65 high, above very high (nemotron recipe)."""
FIRST = (
    "row uuid first_name middle_name last_name sex age birth_year ethnicity nativity marital_status education_level "
    "bachelors_field labor_force_status occupation occupation_code state city zipcode county metro_area urbanicity "
    "country"
).split()
PLACE = ("city", "county", "metro_area", "urbanicity")


def frame_of(
    codes: Mapping[str, Codes], priors: Priors, leaves: Sequence[Leaf], seed: int, start: int, identity: str
) -> pd.DataFrame:
    """One row a person: every attribute that a reader may want, derived ones included.

    Args:
        codes: codes of every network child, core attribute and leaf, same length.
        priors: for states and look-ups.
        leaves: for the states of leaves.
        seed: decides the UUIDs, with `identity`.
        start: number of the first row.
        identity: digest of the model and its conditions.
    """
    count = len(next(iter(codes.values())))
    tables = {leaf.child: leaf.table.states for leaf in leaves}
    columns: dict[str, object] = {
        "row": np.arange(start, start + count, dtype=np.int64),
        "uuid": uuids(seed, start, count, identity),
        "country": pd.Categorical.from_codes(np.zeros(count, dtype=np.int8), [priors.country]),
    }
    for name, values in codes.items():
        if name in tables:
            columns[name] = _column(values, tables[name])
        elif name in _views(priors):
            continue
        else:
            columns[name] = _column(values, np.array(priors.domain[name], dtype=object))
    columns |= _derived(codes, priors)
    order = [name for name in FIRST if name in columns]
    traits = [part for name in TRAITS for part in (name, f"{name}_label")]
    rest = [name for name in columns if name not in order and name not in traits]
    return pd.DataFrame({name: columns[name] for name in (*order, *rest, *traits) if name in columns})


def _views(priors: Priors) -> frozenset[str]:
    """Attributes that serve the model alone: bands, groups, and education with its field in one."""
    helpers = {name for name, item in priors.declaration.attributes.items() if item.of is not None}
    return frozenset({*(helpers - {"education_level", "bachelors_field"}), "education"})


def _derived(codes: Mapping[str, Codes], priors: Priors) -> dict[str, object]:
    columns: dict[str, object] = {}
    hierarchy = priors.hierarchy
    for view in ("education_level", "bachelors_field"):
        if view in priors.domain and hierarchy.finer.get(view) in codes:
            mapped = hierarchy.codes(hierarchy.finer[view], view)[codes[hierarchy.finer[view]]]
            columns[view] = _column(mapped, np.array(priors.domain[view], dtype=object))
    if "age" in codes:
        ages = np.array(priors.domain["age"], dtype=np.int64)[codes["age"]]
        columns["birth_year"] = int(priors.declaration.vintage) - ages
    if "occupation" in codes:
        numbers = [priors.occupations.get(str(name)).code for name in priors.domain["occupation"]]
        columns["occupation_code"] = _column(codes["occupation"], np.array(numbers, dtype=object))
    if "zipcode" in codes:
        for name in PLACE:
            columns[name] = _column(codes["zipcode"], priors.places.column(name))
    for trait in TRAITS:
        if trait in codes:
            scores = codes[trait] + 20
            columns[f"{trait}_label"] = pd.Categorical.from_codes(np.digitize(scores, LABEL_EDGES), list(LABELS))
    return columns


def _column(codes: Codes, states: npt.NDArray[np.object_]) -> object:
    if isinstance(states[0], int):
        return states.astype(np.int64)[codes]
    categories, inverse = np.unique(states.astype(str), return_inverse=True)
    if len(categories) == len(states):
        return pd.Categorical.from_codes(codes, states.astype(str))
    return pd.Categorical.from_codes(inverse[codes], categories)


def uuids(seed: int, start: int, count: int, identity: str) -> npt.NDArray[np.object_]:
    """Version-8 UUIDs (RFC 9562: custom), a function of seed, model and row alone."""
    high = words(seed, f"uuid/high/{identity}", start, count)
    low = words(seed, f"uuid/low/{identity}", start, count)
    high = (high & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(0x8000)
    low = (low & np.uint64(0x3FFFFFFFFFFFFFFF)) | np.uint64(0x8000000000000000)
    raw = np.empty((count, 2), dtype=">u8")
    raw[:, 0], raw[:, 1] = high, low
    digits = raw.tobytes().hex()
    texts = [digits[i : i + 32] for i in range(0, 32 * count, 32)]
    return np.array([f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in texts], dtype=object)
