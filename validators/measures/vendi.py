"""Vendi: the effective number of different personas in a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census_personas.validators.dataset.vendi import MOST, vendi_score
from census_personas.validators.measure import MeasureResult, Needs, NotMeasured

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

TITLE = "Vendi score"
COSTLY = True
NEEDS = Needs(sample=True)
COMPARED = 500  # texts that the score is computed on


class Result(MeasureResult):
    """The score of one field, with the number of texts that it is computed on."""

    field: str
    texts: int
    score: float


def measure(dataset: MeasuredDataset) -> Result | NotMeasured:
    """Compute the score of the first personas of the sample."""
    written = [
        record for record in dataset.records if isinstance(record.get("persona"), str) and record["persona"]
    ]
    chosen = written[: min(COMPARED, MOST)]
    if not chosen:
        return NotMeasured("no record that was read has a persona")
    return Result(field="persona", texts=len(chosen), score=vendi_score(chosen))
