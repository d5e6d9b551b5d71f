"""RecordCollection: collects what measures need in one pass over the records of a dataset."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from census_personas.validators.dataset.duplication import Digests

_ABSURD = 1000  # years; larger values are no ages


class RecordCollection:
    """Coded facts and digests of all records, and a random sample of whole records (reservoir)."""

    def __init__(
        self,
        facts: Iterable[str],
        numbers: Sequence[str],
        digests: Sequence[str],
        sample: int,
        rng: np.random.Generator,
        *,
        age: str = "age",
    ) -> None:
        """Set the text and number columns to keep, the fields to digest, the sample size and the column of ages."""
        self.rows = 0
        self.records: list[Mapping[str, Any]] = []
        self.digests = Digests(digests)
        self._sample, self._rng, self._age = sample, rng, age
        self._facts = {name: array("i") for name in facts if name != age}
        self._states: dict[str, dict[str, int]] = {name: {} for name in self._facts}
        self._numbers = {name: array("d") for name in numbers if name != age}
        self._ages = array("i")

    def add(self, record: Mapping[str, Any]) -> None:
        """Add a record."""
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
        self._keep(record)

    def _keep(self, record: Mapping[str, Any]) -> None:
        if len(self.records) < self._sample:
            self.records.append(record)
        elif (place := int(self._rng.integers(self.rows))) < self._sample:
            self.records[place] = record

    def frame(self) -> pd.DataFrame:
        """Return the columns that at least one record has."""
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
    """Convert a number, or its text in a CSV file, to a float; NaN for anything else."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return math.nan
    return number if math.isfinite(number) else math.nan
