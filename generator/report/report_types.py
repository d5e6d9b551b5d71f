"""Report types: the typed content of a report, shown in `report.json`, `report.html` and the dataset card.

Within one `format`, fields may be added, but not renamed, removed or changed in meaning.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    WrapSerializer,
    field_serializer,
)

from census_personas.generator.run.manifest import Manifest
from census_personas.validators.measure import Values
from census_personas.validators.measurement import Family, FurtherMeasure
from census_personas.validators.measures.assumptions import Independence
from census_personas.validators.measures.diversity import Result as Diversity
from census_personas.validators.measures.duplication import Result as Duplication
from census_personas.validators.measures.fidelity import TableFidelity
from census_personas.validators.measures.guide import Result as GuideBias
from census_personas.validators.measures.representation import Gap
from census_personas.validators.measures.sentences import Result as SentenceSharing
from census_personas.validators.measures.texts import TextDiversity

# Left out, so that the same dataset has the same report.
_CLOCK = {"started", "finished", "seconds", "endpoint"}

# A missing part of a report is an empty object in JSON, and None here.
_OR_EMPTY = (
    BeforeValidator(lambda value: value or None),
    WrapSerializer(lambda value, serialize: {} if value is None else serialize(value)),
)


class Chart(Values):
    """Shares by group and age band, of the dataset and of the census."""

    dataset: dict[str, list[float]]
    census: dict[str, list[float]] | None


class Degrees(Values):
    """Share of a bachelor's degree or higher among people of a state aged 25 and over, with its standard error."""

    state: str
    share: float
    error: float
    people: float
    census: float | None


class Occupation(Values):
    """People with an occupation, and their ages in years."""

    occupation: str
    people: float
    mean_age: float
    median_age: float
    std_age: float


class Bias(Values):
    """Measures of bias."""

    guide: GuideBias
    gaps: tuple[Gap, ...]


class Texts(Values):
    """Measures of the texts of the first `rows` rows."""

    rows: int
    diversity: tuple[TextDiversity, ...]
    duplication: Duplication
    sentences: SentenceSharing


class Swap(Values):
    """Effect of one swapped fact on the run's narrator (see `validators/dataset/swap_effect.py`)."""

    attribute: str
    records: int
    fields: dict[str, float]
    again: dict[str, float]
    effect: float
    error: float | None
    words: dict[str, dict[str, float]]
    word_floor: float
    distance: float
    chance: float
    exceeds: bool | None


class Score(Values):
    """One score of the judge: its mean, and records by score."""

    mean: float
    counts: dict[str, int]


class Verdicts(Values):
    """Scores of the judge, with the records that it scored lowest."""

    rows: int = 0
    not_judged: int = 0
    scores: dict[str, Score] = Field(default_factory=dict)
    lowest: tuple[dict[str, Any], ...] = ()


class Completed(Values):
    """How the people of an input file were completed.

    Attributes:
        drawn: accepted people with a fact that the file does not state, by fact.
        impossible: rejected rows that nobody in the locale can be.
    """

    drawn: dict[str, int]
    impossible: int


class Report(Values):
    """A dataset compared with what it should follow.

    Attributes:
        format: version of this model.
        rows: people in the dataset.
        run: the run's manifest, without what a clock decides; None for a dataset that is no run.
        names_not_judged: why names were not held against their tables, by kind of name.
        bands: of age, for `age_pyramid` and `marital_by_age`.
        findings: accepted rows that a rule spoke about, by rule and severity.
        rejected: the commonest reasons of rejected rows.
        completed: facts drawn for the people of an input; left out for any other dataset.
        further_measures: measures without a key of their own, such as those of plug-ins, by name.
        not_measured: why one of these says nothing, by name.
        tests: number of tests, the chance of a mark that they share, and what is marked.
        fidelity: distance of each table, with floor and limit.
        assumptions: test of each independence that the model graph assumes.
        age_pyramid: shares by sex and age band.
        marital_by_age: shares by marital status and age band.
        bachelors_by_state: share with a bachelor's degree by US state, or other region.
        occupations: people and their ages by occupation.
        diversity: entropies of facts, and the variation of age.
        bias: measures of bias, and each group's share beside the census.
        texts: diversity, duplicates and shared sentences of the texts.
        swaps: what the narrator changes when a fact is swapped (`--counterfactual`).
        judge: scores of the judge.
    """

    format: Literal[1] = 1
    rows: int
    run: Manifest | None = None
    tests: Family
    fidelity: tuple[TableFidelity, ...] = ()
    names_not_judged: dict[str, str] = Field(default_factory=dict)
    assumptions: tuple[Independence, ...] = ()
    bands: tuple[str, ...] = ()
    age_pyramid: Chart | None = None
    marital_by_age: Chart | None = None
    bachelors_by_state: tuple[Degrees, ...] = ()
    occupations: tuple[Occupation, ...] = ()
    diversity: Annotated[Diversity | None, *_OR_EMPTY] = None
    bias: Annotated[Bias | None, *_OR_EMPTY] = None
    texts: Annotated[Texts | None, *_OR_EMPTY] = None
    swaps: tuple[Swap, ...] = ()
    findings: dict[str, dict[str, int]] = Field(default_factory=dict)
    judge: Verdicts = Verdicts()
    rejected: dict[str, int] = Field(default_factory=dict)
    completed: Completed | None = Field(default=None, exclude_if=lambda value: value is None)
    further_measures: dict[str, FurtherMeasure] = Field(default_factory=dict)
    not_measured: dict[str, str] = Field(default_factory=dict)

    @field_serializer("run")
    def _without_clock(self, run: Manifest | None) -> dict[str, Any] | None:
        return run.model_dump(mode="json", exclude=_CLOCK) if run else None
