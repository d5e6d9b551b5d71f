"""Measure: what a file in `validators/measures` must define, and the types that it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

DOMAIN = "*"
"""Among `Needs.optional`: every attribute of the locale."""


class Values(BaseModel):
    """Values of a report: frozen, without unknown fields, and without numbers that JSON cannot write."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class MeasureResult(Values):
    """The result of a measure; its fields are written to the reports unchanged."""

    @property
    def marks(self) -> tuple[str, ...]:
        """What departs from its expected value by more than chance, one phrase each."""
        return ()


@dataclass(frozen=True, slots=True)
class Tested:
    """The result of a measure that tests something; all tests of a report share one chance of a false mark.

    Attributes:
        tests: number of tests that the measure makes.
        judge: returns the result for the number of tests in the whole report.
    """

    tests: int
    judge: Callable[[int], MeasureResult]


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """Why a measure has no result for a dataset."""

    why: str


@dataclass(frozen=True, slots=True)
class Needs:
    """The data that a measure reads. Files are read once for all measures, and only what they need is kept.

    Attributes:
        columns: required facts, as categories over every row; without them the measure is not called.
        optional: facts to read where the dataset has them; `DOMAIN` stands for all attributes of the locale.
        roles: roles whose columns to read where the locale fills them and the dataset has them.
        numbers: required columns of numbers, as floats (NaN where a row has none).
        texts: text fields; the measure is called if a record of the sample has one of them.
        sample: whether the measure reads the sample of whole records, apart from `texts`.
        digests: text fields in which the measure counts repeated values, over all rows.
        tables: attributes of each required table; an expected table must exist, and its columns are read.
    """

    columns: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    sample: bool = False
    digests: tuple[str, ...] = ()
    tables: tuple[tuple[str, ...], ...] = ()

    @property
    def facts(self) -> tuple[str, ...]:
        """Text columns to read; `DOMAIN` may be one of them."""
        return (*self.columns, *self.optional, *(name for table in self.tables for name in table))


class MeasureModule(Protocol):
    """What a file in `validators/measures` must define.

    It may also define `TITLE`, the heading of its section, and `COSTLY = True`, which leaves it out of the report that
    every run writes.
    """

    NEEDS: Needs

    @staticmethod
    def measure(dataset: MeasuredDataset) -> MeasureResult | Tested | NotMeasured:
        """Measure a dataset of at least one row."""


Measures = Mapping[str, MeasureModule]


def title_of(name: str, module: MeasureModule) -> str:
    """Return the heading of a measure's section: its `TITLE`, else its name."""
    return str(getattr(module, "TITLE", name.replace("_", " ").capitalize()))
