"""People: the two forms of a dataset that measures accept, a frame or records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

People = pd.DataFrame | Iterable[Mapping[str, Any]]
"""A frame with one row per person, or records; measures take `(people, fields)`, where fields are columns or keys."""


def records_of(people: People) -> Iterable[Mapping[str, Any]]:
    """Return the people as records; those of a frame in its order."""
    if not isinstance(people, pd.DataFrame):
        return people
    names = [str(name) for name in people.columns]
    return (dict(zip(names, row, strict=True)) for row in people.itertuples(index=False, name=None))


def frame_of(people: People, fields: Sequence[str]) -> pd.DataFrame:
    """Return the fields that the people have, as columns of a frame."""
    if not isinstance(people, pd.DataFrame):
        return pd.DataFrame([{f: record[f] for f in fields if f in record} for record in people])
    return people[[field for field in fields if field in people.columns]]
