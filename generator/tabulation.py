"""Tabulation: a dataset counted by a few attributes at a time, block by block, in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from persona_engine.census_priors.domain import Domain
from persona_engine.census_priors.marginal import Array

Counts = pd.Series
"""Persons by one or more attributes: a MultiIndex whose levels are named after them; rows, or weights."""


@dataclass(slots=True)
class Tabulation:
    """Counts of a dataset for every table that was asked for and whose columns it has."""

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
        """Whether this table was counted."""
        return table in self.tables

    def counts(self, *table: str) -> Counts[Any]:
        """Counts of one table, which must have been counted; empty when the dataset has no rows."""
        return self.tables[table]

    def cells(self, table: Sequence[str], domain: Domain) -> tuple[Array, int]:
        """Counts of one table as an array over `domain`, and how many rows hold a state that it lacks."""
        part = domain.project(table)
        cells: Array = np.zeros(part.shape)
        known = {attribute: {str(s): i for i, s in enumerate(part[attribute])} for attribute in part}
        unknown = 0
        counts = self.counts(*table)
        for states, rows in zip(counts.index, counts.to_numpy(), strict=True):
            cell = _cell(states, table, known)
            if cell is None:
                unknown += int(rows)
            else:
                cells[cell] += rows
        return cells, unknown


def _cell(
    states: Sequence[Any], table: Sequence[str], known: Mapping[str, Mapping[str, int]]
) -> tuple[int, ...] | None:
    codes = [known[attribute].get(str(state)) for attribute, state in zip(table, states, strict=True)]
    return None if None in codes else tuple(code for code in codes if code is not None)
