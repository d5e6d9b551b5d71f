"""Measure: what a file in `validators/measures` defines, and what it may answer."""

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
    """What a measure says of a dataset; its fields are written to the reports as they are."""

    @property
    def marks(self) -> tuple[str, ...]:
        """What of the dataset departs from what it should be by more than chance, in words."""
        return ()


@dataclass(frozen=True, slots=True)
class Tested:
    """The result of a measure that marks something: it shares the chance of a mark with all other tests of a report.

    Attributes:
        tests: tests that the measure made.
        judge: makes the result, told how many tests the whole report makes.
    """

    tests: int
    judge: Callable[[int], MeasureResult]


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """Why a measure says nothing of a dataset."""

    why: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What a measure reads; the dataset is read once for all measures, and holds what they ask for.

    Attributes:
        columns: facts without which the measure is not called; text as categories, of every row.
        optional: facts that it reads where the dataset has them; `DOMAIN` stands for the locale's attributes.
        roles: roles whose columns it reads where the locale fills them and the dataset has them.
        numbers: columns of numbers without which it is not called; floats, NaN where a row has none.
        texts: text fields; the measure is called if a record of the sample has one of them.
        sample: whether it reads the sample of whole records, `texts` aside.
        digests: text fields of which it counts repeated values, over the rows that are read.
        tables: attributes of tables that must be expected of the dataset; their columns are read.
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
        """Columns of text that are read, `DOMAIN` among them."""
        return (*self.columns, *self.optional, *(name for table in self.tables for name in table))


class MeasureModule(Protocol):
    """What a file in `validators/measures` must define.

    It may also define `TITLE`, the heading of its section, and `COSTLY = True`, by which the report that every run
    writes leaves it out.
    """

    NEEDS: Needs

    @staticmethod
    def measure(dataset: MeasuredDataset) -> MeasureResult | Tested | NotMeasured:
        """Measure a dataset of at least one row."""


Measures = Mapping[str, MeasureModule]


def title_of(name: str, module: MeasureModule) -> str:
    """Heading of a measure's section: its `TITLE`, else its name."""
    return str(getattr(module, "TITLE", name.replace("_", " ").capitalize()))
