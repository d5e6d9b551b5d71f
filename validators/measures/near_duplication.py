"""Near-duplication: personas that share most of their word n-grams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census_personas.validators.dataset.duplication import near_duplication
from census_personas.validators.measure import MeasureResult, Needs, NotMeasured

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

TITLE = "Near-duplicates"
COSTLY = True
NEEDS = Needs(sample=True)


class Result(MeasureResult):
    """Number of texts in the sample, number with a near-duplicate, and one pair as an example."""

    fields: tuple[str, ...]
    texts: int
    alike: int
    example: tuple[str, str] | None
    share: float


def measure(dataset: MeasuredDataset) -> Result | NotMeasured:
    """Find near-duplicates in the sample of texts."""
    try:
        return Result.model_validate(near_duplication(dataset.readings).as_dict())
    except ModuleNotFoundError:
        return NotMeasured("datasketch is not installed")
