"""Reference tables: the tables with which datasets of one selection are compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from census_personas.generator.report.expectation import Expectation
from census_personas.validators.dataset.assumption import TESTED
from census_personas.validators.dataset.duplication import Digests
from census_personas.validators.measure import Measures
from census_personas.validators.measured_dataset import MeasuredDataset, Tables, digests_of, some_of


class ReferenceTables:
    """Tables for datasets of one selection, computed once and used for any number of datasets."""

    def __init__(self, expected: Expectation, columns: Iterable[str]) -> None:
        """Take the expectation and the columns of the datasets."""
        self.expected = expected
        self.tables = expected.tables(tuple(columns))

    @cached_property
    def modelled(self) -> Tables:
        """Shares of the model for each table that it can compute, in the order of `tables`."""
        shares = self.expected.modelled_all(self.tables)
        return {table: shares[table] for table in self.tables if table in shares}

    def dataset(
        self,
        facts: pd.DataFrame,
        measures: Measures,
        records: Sequence[Mapping[str, Any]] = (),
        language: str | None = None,
    ) -> MeasuredDataset:
        """Prepare a dataset for its measures.

        Args:
            facts: its columns, one row per person.
            measures: measures by name, from `measures()`; they decide which texts are digested.
            records: some of its records, if they have texts.
            language: language of the texts; by default the locale's.
        """
        digests = Digests(digests_of(measures))
        for record in records:
            digests.add(record)
        rng = np.random.default_rng(0)  # the same dataset has the same report
        return MeasuredDataset(
            priors=self.expected.priors,
            expected=self.expected,
            rows=len(facts),
            facts=facts,
            people=self.expected.with_views(facts, {name for table in self.tables for name in table}),
            pairs=some_of(facts, TESTED, rng),
            rng=rng,
            records=records,
            digests=digests,
            tables=self.modelled if len(facts) else {},
            language=language,
        )
