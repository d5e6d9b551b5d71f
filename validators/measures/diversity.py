"""Diversity: entropies of the facts and the variation of age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from census_personas.validators.dataset.diversity import ENTROPIES, people_diversity
from census_personas.validators.measure import MeasureResult, Needs

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

NEEDS = Needs(roles=(*ENTROPIES, "age"))


class Result(MeasureResult):
    """Entropy of attributes in bits, its maximum, and the coefficient of variation of age."""

    entropy: dict[str, float] = Field(default_factory=dict)
    most: dict[str, float] = Field(default_factory=dict)
    age_variation: float | None = None


def measure(dataset: MeasuredDataset) -> Result:
    """Measure the diversity of the facts."""
    age = dataset.priors.roles.get("age") or "age"
    return Result.model_validate(people_diversity(dataset.people, dataset.columns(ENTROPIES), age).as_dict())
