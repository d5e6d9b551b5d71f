"""Representation: compares each group's share with its share in the census."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census_personas.validators.dataset.bias import GROUPS, representation
from census_personas.validators.dataset.multiple_testing import counted_together
from census_personas.validators.measure import MeasureResult, Needs, Tested, Values

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

NEEDS = Needs(roles=GROUPS)


class Gap(Values):
    """A group's share compared with the census; `validators/dataset/bias.py` defines the fields."""

    attribute: str
    group: str
    share: float
    census: float
    error: float
    p: float
    tests: int
    ratio: float | None
    deviates: bool


class Result(MeasureResult):
    """Every group, attribute by attribute, largest gap first."""

    gaps: tuple[Gap, ...] = ()

    @property
    def marks(self) -> tuple[str, ...]:
        """Groups whose share differs by more than chance."""
        return tuple(f"group: {gap.attribute} {gap.group}" for gap in self.gaps if gap.deviates)


def measure(dataset: MeasuredDataset) -> Tested:
    """Compare groups; the groups of an attribute together are one test."""
    expected = (dataset.expected_table((name,)) for name in dataset.columns(GROUPS))
    by_attribute = [representation(dataset.people, shares) for shares in expected if shares is not None]

    def judge(tests: int) -> Result:
        items = (gap.as_dict() for gaps in by_attribute for gap in counted_together(gaps, tests))
        return Result(gaps=tuple(map(Gap.model_validate, items)))

    return Tested(len(by_attribute), judge)
