"""Collected facts: what measures ask of every row, kept in eighty bytes or so and joined block by block."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from census_personas.validators.dataset.duplication import Digests

_ABSURD = 1000  # years; an age from here on is none


@dataclass(frozen=True, slots=True)
class CollectedColumns:
    """Columns of which something is kept: texts, numbers, the age, and texts that are digested."""

    facts: tuple[str, ...]
    numbers: tuple[str, ...]
    digests: tuple[str, ...]
    age: str = "age"


class CollectedFacts:
    """Coded facts and digests of rows. Blocks that are joined in their order are what one pass would have kept."""

    def __init__(self, columns: CollectedColumns) -> None:
        """No rows yet."""
        self.rows = 0
        self.digests = Digests(columns.digests)
        self._age = columns.age
        self._facts = {name: array("i") for name in columns.facts if name != columns.age}
        self._states: dict[str, dict[str, int]] = {name: {} for name in self._facts}
        self._numbers = {name: array("d") for name in columns.numbers if name != columns.age}
        self._ages = array("i")

    def add(self, record: Mapping[str, Any]) -> None:
        """Take what is kept of a record."""
        self.digests.add(record)
        for name, values in self._facts.items():
            value = record.get(name)
            states = self._states[name]
            values.append(states.setdefault(value, len(states)) if isinstance(value, str) else -1)
        for name, numbers in self._numbers.items():
            numbers.append(_number(record.get(name)))
        age = record.get(self._age)
        self._ages.append(int(age) if isinstance(age, int | float) and 0 <= age < _ABSURD else -1)
        self.rows += 1

    def extend(self, later: CollectedFacts) -> None:
        """Take the rows of a later block, of the same columns."""
        self.digests.extend(later.digests)
        for name, values in self._facts.items():
            states = self._states[name]
            codes = [states.setdefault(state, len(states)) for state in later._states[name]]
            # The last place stands for -1, which a row without the fact has.
            values.frombytes(np.array([*codes, -1], dtype=np.intc)[later._facts[name]].tobytes())
        for name, numbers in self._numbers.items():
            numbers.extend(later._numbers[name])
        self._ages.extend(later._ages)
        self.rows += later.rows

    def frame(self) -> pd.DataFrame:
        """The facts that at least one record has."""
        known: dict[str, Any] = {
            name: pd.Categorical.from_codes(np.array(values), pd.Index(list(self._states[name])))
            for name, values in self._facts.items()
            if self._states[name]
        }
        for name, values in self._numbers.items():
            column = np.array(values)
            if not np.isnan(column).all():
                known[name] = column
        ages = pd.Series(np.array(self._ages, dtype=np.int64))
        if (ages >= 0).any():
            known[self._age] = ages if (ages >= 0).all() else ages.where(ages >= 0)
        return pd.DataFrame(known, index=range(self.rows))


def _number(value: object) -> float:
    """A number, or what a CSV file makes of one; NaN where it is none."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return math.nan
    return number if math.isfinite(number) else math.nan
