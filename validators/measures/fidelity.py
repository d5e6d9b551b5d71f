"""Fidelity: each table of the dataset beside what is expected of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from census_personas.validators.dataset.fidelity import fidelity
from census_personas.validators.dataset.multiple_testing import counted_together
from census_personas.validators.measure import DOMAIN, MeasureResult, Needs, Tested, Values

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

TITLE = "Fidelity to the census"
NEEDS = Needs(optional=(DOMAIN,))


class Cell(Values):
    """The cell of a table that departs most: people in it, and people expected in it."""

    states: tuple[str | int, ...]
    rows: int
    expected: float
    p: float


class TableFidelity(Values):
    """One table of the dataset beside the model of the census, as `validators/dataset/fidelity.py` measures it.

    Attributes:
        source: `model`, or `names` for names held against their own tables.
        model: total variation distance of the model from the published table; None where there is none.
    """

    attributes: tuple[str, ...]
    rows: int
    tvd: float
    srmse: float
    tae: float
    floor: float
    spread: float
    unknown: float
    cell: Cell
    tests: int
    limit: float
    p: float
    passes: bool
    source: Literal["model", "names"]
    model: float | None


class Result(MeasureResult):
    """Every table that was held against its expected shares."""

    tables: tuple[TableFidelity, ...] = ()

    @property
    def marks(self) -> tuple[str, ...]:
        """Tables that chance does not explain."""
        return tuple(" x ".join(item.attributes) for item in self.tables if not item.passes)


def measure(dataset: MeasuredDataset) -> Tested:
    """Compare the tables that are expected of the dataset."""
    measured = [fidelity(dataset.people, shares) for shares in dataset.tables.values()]

    def judge(tests: int) -> Result:
        items = (
            {**item.as_dict(), "source": "model", "model": dataset.model_distance(item.attributes)}
            for item in counted_together(measured, tests)
        )
        return Result(tables=tuple(map(TableFidelity.model_validate, items)))

    return Tested(len(measured), judge)
