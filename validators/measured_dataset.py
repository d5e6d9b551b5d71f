"""Measured dataset: what measures are shown of a dataset, and what it should follow."""

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
    """What a dataset should follow."""

    @property
    def chosen(self) -> frozenset[str]:
        """Attributes by which the people were chosen."""
        ...

    @property
    def independent(self) -> bool:
        """Whether the independences of the model graph hold of the people in spite of that."""
        ...

    def modelled(self, table: Sequence[str]) -> Marginal | None:
        """Shares of what its rows are drawn from over some attributes; None where it has none."""
        ...

    def published(self, table: Sequence[str]) -> Marginal | None:
        """A census table that the model stands for; None where there is none."""
        ...

    def marginal(self, table: Sequence[str]) -> Marginal | None:
        """The published table, or where there is none what `modelled` says."""
        ...


@dataclass(frozen=True)
class CensusTables:
    """The census's own tables, for a dataset that is held against no model."""

    priors: Priors
    chosen: frozenset[str] = frozenset()
    independent: bool = True

    def modelled(self, table: Sequence[str]) -> Marginal | None:
        """The table itself."""
        try:
            return self.priors.marginal(table)
        except (DomainError, TableError):
            return None

    def published(self, table: Sequence[str]) -> Marginal | None:
        """None: there is no model whose distance from the table could be told."""

    marginal = modelled


@dataclass(frozen=True)
class Readings(Sequence[RecordView]):
    """Records as rules read them. No reading is kept: it has every text twice and all its words."""

    records: Sequence[Mapping[str, Any]]
    roles: Mapping[str, str]
    recipe: Sequence[str]

    @overload
    def __getitem__(self, at: int) -> RecordView: ...
    @overload
    def __getitem__(self, at: slice) -> Readings: ...
    def __getitem__(self, at: int | slice) -> RecordView | Readings:
        """One record, read anew; of a slice, as many."""
        if isinstance(at, slice):
            return Readings(self.records[at], self.roles, self.recipe)
        return RecordView(self.records[at], self.roles, self.recipe)

    def __len__(self) -> int:
        """How many records there are."""
        return len(self.records)


@dataclass(frozen=True)
class MeasuredDataset:
    """A dataset as measures see it; nothing grows with it but the coded facts and digests, some eighty bytes a row.

    Attributes:
        priors: the locale.
        expected: what the dataset should follow.
        rows: of the dataset.
        facts: columns that at least one row has, with a row a person: text as categories, ages as numbers.
        people: the same with the coarser views of them that `tables` are about.
        pairs: random rows of `facts`, some ten thousand, among which pairs of attributes are measured.
        rng: for what a measure draws, of its own; the same for the same dataset.
        records: a sample of whole records.
        digests: digests of texts, for exact duplicates.
        tables: what is expected of the tables that are held against the dataset, by their attributes.
        language: of the texts; None where it is the locale's own.
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
        """The language that the texts are written in (ISO 639)."""
        return self.language or self.priors.conventions.language

    @property
    def readings(self) -> Sequence[RecordView]:
        """The records, each read anew under the locale's roles whenever it is asked for."""
        return Readings(self.records, self.priors.roles.columns, self.priors.conventions.names.recipe)

    def expected_table(self, table: Sequence[str]) -> Marginal | None:
        """Shares expected over some attributes; None where the dataset lacks one, or nothing is known of them."""
        if not set(table) <= set(self.people.columns):
            return None
        known = self.tables.get(tuple(table))
        return self.expected.modelled(table) if known is None else known

    def model_distance(self, table: Sequence[str]) -> float | None:
        """Distance (total variation) of what is expected from the published table; None where there is none."""
        shares, published = self.expected_table(table), self.expected.published(table)
        if shares is None or published is None:
            return None
        return float(np.abs(shares.probabilities() - published.probabilities()).sum() / 2)

    def columns(self, roles: Iterable[str]) -> tuple[str, ...]:
        """The columns that play some roles, of those that the locale fills."""
        return self.priors.roles.named(roles)

    def lacks(self, needs: Needs) -> str:
        """What a measure needs and the dataset lacks, in words; empty if it has all."""
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
    """Columns of text, and the age, that measures read."""
    wanted = (
        name
        for module in measures.values()
        for name in (*module.NEEDS.facts, *priors.roles.named(module.NEEDS.roles))
    )
    return tuple(dict.fromkeys(_spelled_out(wanted, priors)))


def numbers_of(measures: Measures, priors: Priors) -> tuple[str, ...]:
    """Columns of numbers that measures read; those that others read as text stay text."""
    text = {*facts_of(measures, priors)}
    wanted = (name for module in measures.values() for name in module.NEEDS.numbers)
    return tuple(dict.fromkeys(name for name in wanted if name not in text))


def digests_of(measures: Measures) -> tuple[str, ...]:
    """Text fields of which measures count repeated values."""
    return tuple(dict.fromkeys(name for module in measures.values() for name in module.NEEDS.digests))


def some_of(frame: pd.DataFrame, most: int, rng: np.random.Generator) -> pd.DataFrame:
    """So many random rows at most; all of them where there are no more."""
    return frame if len(frame) <= most else frame.take(rng.choice(len(frame), most, replace=False))


def _spelled_out(names: Iterable[str], priors: Priors) -> Iterable[str]:
    for name in names:
        yield from priors.domain if name == DOMAIN else (name,)
