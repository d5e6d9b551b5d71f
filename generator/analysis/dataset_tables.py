"""Dataset tables: what `personas analyze` says about the people of a file or run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from census_personas.census_priors.priors import Priors
from census_personas.foundation.dataset_reader import columns_of, read_frames
from census_personas.generator.analysis.groups import (
    GUIDE_EDGES,
    AnalysisError,
    By,
    columns_by,
    group_labels,
    require_columns,
    require_rows,
)
from census_personas.generator.analysis.people_statistics import (
    degrees_by_region,
    diversity,
    occupation_ages,
    wilson,
)
from census_personas.generator.analysis.persona_search import find_personas
from census_personas.validators.dataset.diversity import ENTROPIES

_TASK = "analyze"


def analyze_dataset(
    dataset: Path,
    priors: Priors,
    by: Sequence[By] = (),
    criteria: Mapping[str, Any] | None = None,
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Read a dataset block by block, and compute its tables.

    Args:
        dataset: a file or a run folder.
        priors: the locale.
        by: columns, or several columns together, to count people by.
        criteria: see `find_personas`; without them only the columns of facts are read, and everybody counts.

    Returns:
        The people, and name -> table. A table whose columns the dataset lacks is left out.

    Raises:
        DatasetError: the dataset cannot be read.
        AnalysisError: a column is missing, there are no rows, or nobody meets the criteria.
    """
    roles = priors.roles
    known = columns_of(dataset)
    named = [columns_by(one) for one in by]
    wanted = {*roles.named(("age", *ENTROPIES)), *(name for names in named for name in names)}
    empty = pd.DataFrame(columns=list(known))
    for names in (*named, tuple(criteria or ())):
        require_columns(empty, names, _TASK)
    codes = roles.named(("postcode",))
    columns = None if criteria else [name for name in known if name in wanted]
    if columns == []:
        raise AnalysisError(
            f"{_TASK}: {dataset} has none of the columns {', '.join(sorted(wanted))}; name some with --by"
        )
    frames = [find_personas(frame, **(criteria or {})) for frame in read_frames(dataset, columns, codes)]
    people = pd.concat(frames, ignore_index=True) if frames else empty
    if criteria and people.empty:
        raise AnalysisError(f"{_TASK}: nobody in {dataset} meets the criteria; widen them")
    require_rows(people, _TASK)
    return people, _tables(people, priors, named)


def _tables(people: pd.DataFrame, priors: Priors, by: Sequence[tuple[str, ...]]) -> dict[str, pd.DataFrame]:
    named = priors.roles.named
    age = priors.roles.get("age") or "age"
    tables = {f"by_{'_'.join(names)}": _counts(people, names, age) for names in by}
    held = set(people.columns)
    if len(named(("occupation", "age"), among=held)) == 2:
        tables["occupation_ages"] = occupation_ages(people, locale=priors)
    if len(named(("age", "schooling", "region"), among=held)) == 3:
        tables["degrees_by_region"] = degrees_by_region(people, locale=priors)
    if named(("age", *ENTROPIES), among=held):
        tables["diversity"] = diversity(people, locale=priors)
    return {name: table for name, table in tables.items() if len(table)}


def _counts(people: pd.DataFrame, names: tuple[str, ...], age: str) -> pd.DataFrame:
    """Count groups, with shares and Wilson's intervals."""
    labels = group_labels(people, names, _TASK, age=age, edges=GUIDE_EDGES)
    table = labels.value_counts(sort=False, dropna=False).sort_index().rename("people").reset_index()
    if age not in names:
        table = table.sort_values("people", ascending=False, kind="stable", ignore_index=True)
    numbers = table["people"].to_numpy(dtype=float)
    share = numbers / numbers.sum()
    low, high = wilson(share, share * 0 + numbers.sum())
    return table.assign(share=share, low=low, high=high)
