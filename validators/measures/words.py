"""Words: the words that texts about one group use more than texts about the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census_personas.validators.dataset.bias import word_associations
from census_personas.validators.measure import MeasureResult, Needs, Values

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

TITLE = "Words by group"
COSTLY = True
NEEDS = Needs(sample=True)
COMPARED = ("sex", "origin")
"""Roles whose groups are compared."""


class WordAssociation(Values):
    """Words that texts about one group use more, with the z scores of their log-odds."""

    attribute: str
    group: str
    texts: int
    words: dict[str, float]


class Result(MeasureResult):
    """The groups of every attribute that is compared."""

    groups: tuple[WordAssociation, ...] = ()


def measure(dataset: MeasuredDataset) -> Result:
    """Compare the words of the sample of texts."""
    compared = dataset.columns(COMPARED)
    associations = (
        item
        for name in compared
        for item in word_associations(dataset.readings, attribute=name, language=dataset.text_language)
    )
    return Result(groups=tuple(WordAssociation.model_validate(item.as_dict()) for item in associations))
