"""Measure: what a file in `validators/measures` defines, and the list of all of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Protocol, cast

from pydantic import BaseModel, ConfigDict

from census_personas.foundation.errors import PersonasError
from census_personas.validators import measures as shipped

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

DOMAIN = "*"
"""Among `Needs.optional`: every attribute of the locale."""
DEFINED = ("NEEDS", "measure")
"""What a module must define to be a measure."""


class MeasureError(PersonasError, ValueError):
    """A measure that cannot be listed, or whose result cannot be used; the message names it."""


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
        numbers: columns of numbers without which it is not called; floats, NaN where a row has none.
        texts: text fields; the measure is called if a record of the sample has one of them.
        sample: whether it reads the sample of whole records, `texts` aside.
        digests: text fields of which it counts repeated values, over the rows that are read.
        tables: attributes of tables that must be expected of the dataset; their columns are read.
    """

    columns: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
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


def measures(others: Mapping[str, ModuleType] = MappingProxyType({}), *, costly: bool = True) -> Measures:
    """Measure name -> module: one for each file in `validators/measures`, in alphabetical order, then the others.

    Args:
        others: modules that stand elsewhere, such as those of plug-ins, by name.
        costly: whether those that take seconds are listed.

    Raises:
        MeasureError: a module that does not define what a measure must, or one named like a shipped measure.
    """
    for name, module in others.items():
        place = getattr(module, "__file__", None) or name
        if name in _shipped():
            raise MeasureError(f"{place}: {name!r} is the name of a shipped measure; rename yours")
        if lacking := [wanted for wanted in DEFINED if not hasattr(module, wanted)]:
            raise MeasureError(f"{place}: does not define {', '.join(lacking)}, as a measure must")
    listed = {**_shipped(), **cast("dict[str, MeasureModule]", dict(sorted(others.items())))}
    return MappingProxyType(
        {name: module for name, module in listed.items() if costly or not _costly(module)}
    )


def title_of(name: str, module: MeasureModule) -> str:
    """Heading of a measure's section: its `TITLE`, else its name."""
    return str(getattr(module, "TITLE", name.replace("_", " ").capitalize()))


def _costly(module: MeasureModule) -> bool:
    return bool(getattr(module, "COSTLY", False))


@cache
def _shipped() -> Measures:
    names = sorted(module.name for module in pkgutil.iter_modules(shipped.__path__))
    found = {name: importlib.import_module(f"{shipped.__name__}.{name}") for name in names}
    return MappingProxyType(cast("dict[str, MeasureModule]", found))
