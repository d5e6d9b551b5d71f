"""Associations: how strongly each pair of attributes is associated in the dataset, compared with the census."""

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
    """The association of two attributes in bits; `validators/dataset/association.py` defines the fields."""

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
    """Measure every pair; a pair is tested if a census table shows an association."""
    measured = associations(dataset.pairs, dataset.priors, dataset.rng, dataset.expected.marginal)

    def judge(tests: int) -> Result:
        items = (item.as_dict() for item in counted_together(measured, tests))
        return Result(pairs=tuple(map(Association.model_validate, items)))

    return Tested(sum((pair.census or 0.0) > WEAK for pair in measured), judge)
