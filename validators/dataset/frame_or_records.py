"""People: a dataset as every measure of facts or texts takes it, as a frame or as records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

People = pd.DataFrame | Iterable[Mapping[str, Any]]
"""A frame with a row a person, or records; measures take `(people, fields)`, the fields being columns or keys."""


def records_of(people: People) -> Iterable[Mapping[str, Any]]:
    """The people one by one; a frame's rows in its order."""
    if not isinstance(people, pd.DataFrame):
        return people
    names = [str(name) for name in people.columns]
    return (dict(zip(names, row, strict=True)) for row in people.itertuples(index=False, name=None))


def frame_of(people: People, fields: Sequence[str]) -> pd.DataFrame:
    """Those of the fields that people have, as columns."""
    if not isinstance(people, pd.DataFrame):
        return pd.DataFrame([{f: record[f] for f in fields if f in record} for record in people])
    return people[[field for field in fields if field in people.columns]]
