"""Duplication: repeated UUIDs and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from census_personas.foundation.schema import NARRATIVES
from census_personas.validators.measure import MeasureResult, Needs

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

TITLE = "Duplicates"
NEEDS = Needs(digests=("uuid", *NARRATIVES))


class Result(MeasureResult):
    """Number of repeated UUIDs, and of repeated texts by field."""

    rows: int = 0
    uuids: int = 0
    texts: dict[str, int] = Field(default_factory=dict)
    none: bool = True


def measure(dataset: MeasuredDataset) -> Result:
    """Count repeated digests."""
    return Result.model_validate(dataset.digests.duplication().as_dict())
