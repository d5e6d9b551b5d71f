"""Fidelity: compares each table of the dataset with the expected table."""

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
    """The cell of a table that deviates most: its rows, and the expected rows."""

    states: tuple[str | int, ...]
    rows: int
    expected: float
    p: float


class TableFidelity(Values):
    """One table of the dataset compared with the model; `validators/dataset/fidelity.py` defines the other fields.

    Attributes:
        source: `model`, or `names` for names compared with the tables of names.
        model: TVD between the model and the published table; None if there is no published table.
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
    """Every table that was compared with its expected shares."""

    tables: tuple[TableFidelity, ...] = ()

    @property
    def marks(self) -> tuple[str, ...]:
        """Tables that chance does not explain."""
        return tuple(" x ".join(item.attributes) for item in self.tables if not item.passes)


def measure(dataset: MeasuredDataset) -> Tested:
    """Compare every table that has expected shares."""
    measured = [fidelity(dataset.people, shares) for shares in dataset.tables.values()]

    def judge(tests: int) -> Result:
        items = (
            {**item.as_dict(), "source": "model", "model": dataset.model_distance(item.attributes)}
            for item in counted_together(measured, tests)
        )
        return Result(tables=tuple(map(TableFidelity.model_validate, items)))

    return Tested(len(measured), judge)
