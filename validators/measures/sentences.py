"""Sentences: rows that share a whole sentence with another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census_personas.validators.dataset.duplication import sentence_sharing
from census_personas.validators.measure import MeasureResult, Needs

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

TITLE = "Shared sentences"
NEEDS = Needs(sample=True)


class Result(MeasureResult):
    """Rows that share a whole sentence with another row, and the sentence that most rows have."""

    rows: int = 0
    sharing: int = 0
    commonest: tuple[str, int] | None = None
    share: float = 0.0


def measure(dataset: MeasuredDataset) -> Result:
    """Find shared sentences in the sample of texts."""
    return Result.model_validate(sentence_sharing(dataset.readings).as_dict())
