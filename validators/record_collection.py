"""RecordCollection: collects what measures need in one pass over the records of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from census_personas.validators.collected_facts import CollectedColumns, CollectedFacts


class RecordCollection:
    """Facts of all records, and a random sample of whole records (reservoir)."""

    def __init__(self, columns: CollectedColumns, sample: int, rng: np.random.Generator) -> None:
        """Name what is kept of every record, and the size of the sample, which `rng` draws."""
        self.columns = columns
        self.rng = rng
        self.facts = CollectedFacts(columns)
        self.records: list[Mapping[str, Any]] = []
        self._sample = sample
        self._seen = 0

    @property
    def rows(self) -> int:
        """Records so far."""
        return self.facts.rows

    def add(self, record: Mapping[str, Any]) -> None:
        """Take a record."""
        self.facts.add(record)
        self._keep(record)

    def extend(self, facts: CollectedFacts, records: Sequence[Mapping[str, Any]]) -> None:
        """Take a block of records of which the facts were collected elsewhere; the same as to add each of them."""
        self.facts.extend(facts)
        for record in records:
            self._keep(record)

    def _keep(self, record: Mapping[str, Any]) -> None:
        self._seen += 1
        if len(self.records) < self._sample:
            self.records.append(record)
        elif (place := int(self.rng.integers(self._seen))) < self._sample:
            self.records[place] = record
