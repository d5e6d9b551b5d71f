"""MeasuredDataset: the data that measures read, and the distributions that it should follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np
import pandas as pd

from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.validators.dataset.duplication import Digests
from census_personas.validators.measure import DOMAIN, Measures, Needs
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

Tables = Mapping[tuple[str, ...], Marginal]


class Expected(Protocol):
    """The distributions that a dataset should follow."""

    @property
    def chosen(self) -> frozenset[str]:
        """Attributes by which rows were selected (condition, target, quotas)."""
        ...

    @property
    def independent(self) -> bool:
        """Whether the independences of the model graph still hold after that selection."""
        ...

    def modelled(self, table: Sequence[str]) -> Marginal | None:
        """Return the joint of some attributes in the distribution that rows are drawn from; None if it has none."""
        ...

    def published(self, table: Sequence[str]) -> Marginal | None:
        """Return the census table that the model approximates; None if there is none."""
        ...

    def marginal(self, table: Sequence[str]) -> Marginal | None:
        """Return the published table; without one, the table of `modelled`."""
        ...


@dataclass(frozen=True)
class CensusTables:
    """The census tables themselves, for a dataset that is compared with no model."""

    priors: Priors
    chosen: frozenset[str] = frozenset()
    independent: bool = True

    def modelled(self, table: Sequence[str]) -> Marginal | None:
        """Return the census table; None if the locale has none."""
        try:
            return self.priors.marginal(table)
        except (DomainError, TableError):
            return None

    def published(self, table: Sequence[str]) -> Marginal | None:
        """Return None: no model stands between the dataset and the table."""

    marginal = modelled


@dataclass(frozen=True)
class Readings(Sequence[RecordView]):
    """Records as rules read them. Each access builds a new view, because views take several times the memory."""

    records: Sequence[Mapping[str, Any]]
    roles: Mapping[str, str]
    recipe: Sequence[str]

    @overload
    def __getitem__(self, at: int) -> RecordView: ...
    @overload
    def __getitem__(self, at: slice) -> Readings: ...
    def __getitem__(self, at: int | slice) -> RecordView | Readings:
        """Return a new view of one record, or the `Readings` of a slice."""
        if isinstance(at, slice):
            return Readings(self.records[at], self.roles, self.recipe)
        return RecordView(self.records[at], self.roles, self.recipe)

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.records)


@dataclass(frozen=True)
class MeasuredDataset:
    """A dataset as measures read it. Only coded facts and digests grow with it, by about 80 bytes a row.

    Attributes:
        priors: the locale.
        expected: the distributions that the dataset should follow.
        rows: number of rows.
        facts: columns that at least one row has, over all rows: text as categories, ages as numbers.
        people: `facts` with the coarser attributes that `tables` use.
        pairs: a random sample of `facts`, in which associations of attributes are measured.
        rng: the measure's own random generator; the same for the same dataset.
        records: a sample of whole records.
        digests: digests of texts, for exact duplicates.
        tables: attributes -> expected table, for the tables that are compared with the dataset.
        language: language of the texts; None for the locale's.
    """

    priors: Priors
    expected: Expected
    rows: int
    facts: pd.DataFrame
    people: pd.DataFrame
    pairs: pd.DataFrame
    rng: np.random.Generator
    records: Sequence[Mapping[str, Any]] = ()
    digests: Digests = field(default_factory=Digests)
    tables: Tables = field(default_factory=dict)
    language: str | None = None

    @property
    def text_language(self) -> str:
        """Language of the texts (ISO 639)."""
        return self.language or self.priors.conventions.language

    @property
    def readings(self) -> Sequence[RecordView]:
        """The records as rules read them, under the locale's roles; each access builds a new view."""
        return Readings(self.records, self.priors.roles.columns, self.priors.conventions.names.recipe)

    def expected_table(self, table: Sequence[str]) -> Marginal | None:
        """Return the expected joint of some attributes; None if the dataset lacks one of them or no table has them."""
        if not set(table) <= set(self.people.columns):
            return None
        known = self.tables.get(tuple(table))
        return self.expected.modelled(table) if known is None else known

    def model_distance(self, table: Sequence[str]) -> float | None:
        """Return the TVD between the expected and the published table; None if either is missing."""
        shares, published = self.expected_table(table), self.expected.published(table)
        if shares is None or published is None:
            return None
        return float(np.abs(shares.probabilities() - published.probabilities()).sum() / 2)

    def columns(self, roles: Iterable[str]) -> tuple[str, ...]:
        """Return the columns of those roles that the locale fills."""
        return self.priors.roles.named(roles)

    def lacks(self, needs: Needs) -> str:
        """Say what a measure needs and the dataset lacks; empty if nothing is missing."""
        if not self.rows:
            return "there are no rows"
        if missing := [name for name in (*needs.columns, *needs.numbers) if name not in self.facts.columns]:
            return f"the dataset has no {', '.join(missing)}"
        if needs.texts and not any(record.get(name) for record in self.records for name in needs.texts):
            return f"no record that was read has {' or '.join(needs.texts)}"
        if needs.sample and not self.records:
            return "the dataset has no texts"
        if needs.digests and not self.digests.rows:
            return "the dataset has no texts"
        unknown = [" by ".join(table) for table in needs.tables if self.expected_table(table) is None]
        return f"there is no table of {', '.join(unknown)} to hold it against" if unknown else ""


def facts_of(measures: Measures, priors: Priors) -> tuple[str, ...]:
    """Return the text columns, and the age, that measures read."""
    wanted = (
        name
        for module in measures.values()
        for name in (*module.NEEDS.facts, *priors.roles.named(module.NEEDS.roles))
    )
    return tuple(dict.fromkeys(_spelled_out(wanted, priors)))


def numbers_of(measures: Measures, priors: Priors) -> tuple[str, ...]:
    """Return the columns that measures read as numbers, without those that another measure reads as text."""
    text = {*facts_of(measures, priors)}
    wanted = (name for module in measures.values() for name in module.NEEDS.numbers)
    return tuple(dict.fromkeys(name for name in wanted if name not in text))


def digests_of(measures: Measures) -> tuple[str, ...]:
    """Return the text fields in which measures count repeated values."""
    return tuple(dict.fromkeys(name for module in measures.values() for name in module.NEEDS.digests))


def some_of(frame: pd.DataFrame, most: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return at most `most` random rows."""
    return frame if len(frame) <= most else frame.take(rng.choice(len(frame), most, replace=False))


def _spelled_out(names: Iterable[str], priors: Priors) -> Iterable[str]:
    for name in names:
        yield from priors.domain if name == DOMAIN else (name,)
