"""Balanced sample: equally many people of every group."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from census_personas.generator.analysis.groups import (
    GUIDE_EDGES,
    AnalysisError,
    By,
    columns_by,
    described,
    group_labels,
    require_rows,
)
from census_personas.generator.report.figures import bands

_TASK = "balanced"


def balanced(
    frame: pd.DataFrame,
    by: By,
    n: int,
    seed: int = 0,
    *,
    age: str = "age",
    edges: Sequence[int] = GUIDE_EDGES,
) -> pd.DataFrame:
    """Draw n people without replacement, equally many of every group; the first groups get what is left over.

    Groups are all combinations of the columns' values; ages count in bands, by default those of the guide to
    Nemotron-Personas (18-29, 30-44, 45-59, 60-74, 75+). A person with a missing value is never drawn.

    ```python
    balanced(people, "age", 500)
    balanced(people, ["sex", "age"], 1000, seed=7, edges=(18, 35, 65))
    ```

    Args:
        frame: one row per person.
        by: one column, or several.
        n: number of people.
        seed: any non-negative integer; the same frame and seed give the same people.
        age: the column whose numbers become bands.
        edges: first ages of the bands.

    Returns:
        The drawn rows, in the frame's order and with its index.

    Raises:
        AnalysisError: a column is missing, a group is empty or has too few people, or n is less than the groups.
    """
    names = columns_by(by)
    require_rows(frame, _TASK)
    labels = group_labels(frame, names, _TASK, age=age, edges=edges)
    values = [
        bands(edges) if name == age else sorted(labels[name].dropna().unique().tolist()) for name in names
    ]
    groups = list(product(*values))
    if n < len(groups):
        raise AnalysisError(
            f"{_TASK}: n={n} is less than the {len(groups)} groups; raise n, or name fewer columns"
        )
    found = labels.reset_index(drop=True).groupby(list(names)).indices
    rows = {key if isinstance(key, tuple) else (key,): at for key, at in found.items()}
    members = [rows.get(group, np.array([], dtype=np.int64)) for group in groups]
    _refuse_small(names, groups, [len(one) for one in members], n)
    rng = np.random.default_rng(seed)
    share, more = divmod(n, len(groups))
    drawn = [rng.choice(one, share + (number < more), replace=False) for number, one in enumerate(members)]
    return frame.iloc[np.sort(np.concatenate(drawn))]


def _refuse_small(names: Sequence[str], groups: list[tuple[str, ...]], sizes: list[int], n: int) -> None:
    least = int(np.argmin(sizes))
    group = described(names, groups[least])
    remedy = "take a larger frame, or sample them with Population.sample(quota=...)"
    if not sizes[least]:
        raise AnalysisError(f"{_TASK}: nobody in the frame is {group}; {remedy}")
    if sizes[least] * len(groups) < n:
        raise AnalysisError(
            f"{_TASK}: n={n} is too large: {sizes[least]} people are {group}, {-(-n // len(groups))} are wanted; "
            f"take at most {sizes[least] * len(groups)}; or {remedy}"
        )
