"""Tabulation: counts a dataset by a few attributes at a time, block by block, in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

Counts = pd.Series
"""Counts (rows or weights) by one or more attributes, which name the levels of a MultiIndex."""


@dataclass(slots=True)
class Tabulation:
    """Counts of a dataset for every requested table whose columns it has."""

    rows: int = 0
    tables: dict[tuple[str, ...], Counts[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, frames: Iterable[pd.DataFrame], tables: Iterable[Sequence[str]]) -> Tabulation:
        """Count frames; tables with a column that the frames lack are left out."""
        wanted = [tuple(table) for table in tables]
        counted = cls()
        for frame in frames:
            counted.rows += len(frame)
            for table in wanted:
                if set(table) <= set(frame.columns):
                    counted._add(table, frame)
        return counted

    def _add(self, table: tuple[str, ...], frame: pd.DataFrame) -> None:
        counts = frame.groupby(list(table), observed=True, dropna=False).size()
        if len(table) == 1:
            counts.index = pd.MultiIndex.from_arrays([counts.index], names=list(table))
        before = self.tables.get(table)
        total = counts if before is None else before.add(counts, fill_value=0).astype("int64")
        self.tables[table] = total

    def __contains__(self, table: object) -> bool:
        """Return whether this table was counted."""
        return table in self.tables

    def counts(self, *table: str) -> Counts[Any]:
        """Return the counts of a counted table; empty if the dataset has no rows."""
        return self.tables[table]


def distance(one: Counts[Any], other: Counts[Any]) -> float:
    """Compute the total variation distance of two tables over the same attributes: 0 equal, 1 disjoint."""
    first, second = (counts.rename(index=str) / counts.sum() for counts in (one, other))
    return float(first.sub(second, fill_value=0).abs().sum() / 2)
