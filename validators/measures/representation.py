"""Representation: each group's share beside its share in the census."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census_personas.validators.dataset.bias import GROUPS, representation
from census_personas.validators.dataset.multiple_testing import counted_together
from census_personas.validators.measure import MeasureResult, Needs, Tested, Values

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

NEEDS = Needs(roles=GROUPS)


class Gap(Values):
    """A group's share beside the census, as `validators/dataset/bias.py` measures it."""

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
        """Groups whose share differs by more than chance makes."""
        return tuple(f"group: {gap.attribute} {gap.group}" for gap in self.gaps if gap.deviates)


def measure(dataset: MeasuredDataset) -> Tested:
    """Compare groups; all groups of an attribute are one test."""
    expected = (dataset.expected_table((name,)) for name in dataset.columns(GROUPS))
    found = [representation(dataset.people, shares) for shares in expected if shares is not None]

    def judge(tests: int) -> Result:
        items = (gap.as_dict() for group in found for gap in counted_together(group, tests))
        return Result(gaps=tuple(map(Gap.model_validate, items)))

    return Tested(len(found), judge)
