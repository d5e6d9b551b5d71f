"""Associations: what goes together in the dataset, pair by pair, beside the census and the model graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census_personas.validators.dataset.association import WEAK, associations
from census_personas.validators.dataset.multiple_testing import counted_together
from census_personas.validators.measure import DOMAIN, MeasureResult, Needs, Tested, Values

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

TITLE = "What goes together"
COSTLY = True
NEEDS = Needs(optional=(DOMAIN,))


class Association(Values):
    """How strongly two attributes go together, as `validators/dataset/association.py` measures it; bits."""

    one: str
    other: str
    edge: bool
    rows: int
    bits: float
    chance: float
    deviation: float
    census: float | None
    tests: int
    excess: float
    verdict: str


class Result(MeasureResult):
    """Every pair of attributes, largest loss first."""

    pairs: tuple[Association, ...] = ()


def measure(dataset: MeasuredDataset) -> Tested:
    """Measure the pairs; those are tested that have a table in which they go together."""
    found = associations(dataset.pairs, dataset.priors, dataset.rng, dataset.expected.marginal)

    def judge(tests: int) -> Result:
        items = (item.as_dict() for item in counted_together(found, tests))
        return Result(pairs=tuple(map(Association.model_validate, items)))

    return Tested(sum((pair.census or 0.0) > WEAK for pair in found), judge)
