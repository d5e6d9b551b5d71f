"""Assumptions: whether the independences that the model graph assumes hold in the dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census_personas.validators.dataset.assumption import TESTED, assumptions
from census_personas.validators.dataset.independence import PLACE, TRAIT_COLUMNS
from census_personas.validators.dataset.multiple_testing import counted_together
from census_personas.validators.dataset.name_fidelity import NAMES
from census_personas.validators.measure import DOMAIN, MeasureResult, Needs, NotMeasured, Tested, Values

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

TITLE = "Assumed independences"
NEEDS = Needs(optional=(DOMAIN, *TRAIT_COLUMNS), roles=(*PLACE, *NAMES))


class Independence(Values):
    """One independence that the graph assumes, in bits; `validators/dataset/assumption.py` defines the fields."""

    one: str
    other: str
    given: tuple[str, ...]
    missing: tuple[str, ...]
    rows: int
    bits: float
    chance: float
    deviation: float
    p: float
    census: float | None
    tests: int
    excess: float
    verdict: str


class Result(MeasureResult):
    """Every independence that the columns can test, smallest p first."""

    items: tuple[Independence, ...] = ()

    @property
    def marks(self) -> tuple[str, ...]:
        """Independences that fail."""
        return tuple(f"independence: {x.one} of {x.other}" for x in self.items if x.verdict == "fails")


def measure(dataset: MeasuredDataset) -> Tested | NotMeasured:
    """Test the independences on a sample of rows."""
    if not dataset.expected.independent:
        return NotMeasured("people were chosen by what depends on other attributes")
    tested = assumptions(dataset.pairs[:TESTED], dataset.priors, dataset.rng)

    def judge(tests: int) -> Result:
        items = (item.as_dict() for item in counted_together(tested, tests))
        return Result(items=tuple(map(Independence.model_validate, items)))

    return Tested(sum(item.judged for item in tested), judge)
