"""Texts: how different the texts of each field are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census_personas.validators.dataset.diversity import text_diversity
from census_personas.validators.measure import MeasureResult, Needs, Values

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

TITLE = "Diversity of texts"
NEEDS = Needs(sample=True)


class TextDiversity(Values):
    """Diversity of one text field; `validators/dataset/diversity.py` defines the fields."""

    field: str
    texts: int
    distinct: dict[str, float]
    openings: float
    commonest_opening: tuple[str, float]
    compression: float


class Result(MeasureResult):
    """Every text field that the sample has."""

    fields: tuple[TextDiversity, ...] = ()


def measure(dataset: MeasuredDataset) -> Result:
    """Measure the sample of texts."""
    items = (item.as_dict() for item in text_diversity(dataset.readings))
    return Result(fields=tuple(map(TextDiversity.model_validate, items)))
