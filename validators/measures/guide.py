"""Guide: the three measures of bias that the guide to Nemotron-Personas names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census_personas.validators.dataset.bias import GUIDED, guide_bias
from census_personas.validators.measure import MeasureResult, Needs

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

TITLE = "Bias, as the guide measures it"
NEEDS = Needs(roles=GUIDED)


class Result(MeasureResult):
    """Distances of the mean age (years) and of the share of women (from one half), and the Gini of education."""

    age_distance: float | None = None
    sex_balance: float | None = None
    education_gini: float | None = None


def measure(dataset: MeasuredDataset) -> Result:
    """Compute the measures for which the dataset has columns."""
    guided = (name for name in dataset.columns(GUIDED) if name in dataset.people)
    expected = {name: dataset.expected.marginal((name,)) for name in guided}
    return Result.model_validate(guide_bias(dataset.people, dataset.priors, expected).as_dict())
