"""Report model: what a report says, typed; `report.json`, `report.html` and the dataset card show it.

Within one `format`, fields may be added and none is renamed, removed or given another meaning.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, WrapSerializer, field_serializer

from census_personas.generator.run.manifest import Manifest

# Left to the manifest, so that the same dataset has the same report.
_CLOCK = {"started", "finished", "seconds", "endpoint"}

# What a report has nothing to say about is an empty object in its JSON, and None here.
_OR_EMPTY = (
    BeforeValidator(lambda value: value or None),
    WrapSerializer(lambda value, serialize: {} if value is None else serialize(value)),
)
State = str | int


class _Values(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Family(_Values):
    """Everything tested together: how many tests share the `chance` of one mark, and what is marked, in words."""

    number: int
    chance: float
    marked: tuple[str, ...]


class Cell(_Values):
    """The cell of a table that departs most: people in it, and people expected in it."""

    states: tuple[State, ...]
    rows: int
    expected: float
    p: float


class TableFidelity(_Values):
    """One table of the dataset beside the model of the census, as `validators/dataset/fidelity.py` measures it.

    Attributes:
        source: `model`, or `names` for names held against their own tables.
        model: total variation distance of the model from the published table; None where there is none.
    """

    attributes: tuple[str, ...]
    rows: int
    tvd: float
    srmse: float
    tae: float
    floor: float
    spread: float
    unknown: float
    cell: Cell
    tests: int
    limit: float
    p: float
    passes: bool
    source: Literal["model", "names"]
    model: float | None


class Independence(_Values):
    """One independence that the model graph assumes, as `validators/dataset/assumption.py` tests it; bits."""

    one: str
    other: str
    given: tuple[str, ...]
    missing: tuple[str, ...]
    rows: int
    bits: float
    chance: float
    deviation: float
    p: float
    census: float | None
    tests: int
    excess: float
    verdict: str


class Chart(_Values):
    """Shares by group, one a band of age, of the dataset and of the census behind it."""

    dataset: dict[str, list[float]]
    census: dict[str, list[float]] | None


class Degrees(_Values):
    """Share of a bachelor's degree or higher among people of a state aged 25 and over, with its standard error."""

    state: str
    share: float
    error: float
    people: float
    census: float | None


class Occupation(_Values):
    """People of an occupation, and their ages in years."""

    occupation: str
    people: float
    mean_age: float
    median_age: float
    std_age: float


class Diversity(_Values):
    """Entropy of attributes in bits, what it would be at most, and the coefficient of variation of age."""

    entropy: dict[str, float]
    most: dict[str, float]
    age_variation: float | None


class GuideBias(_Values):
    """The three measures of bias that the guide to Nemotron-Personas names."""

    age_distance: float | None
    sex_balance: float | None
    education_gini: float | None


class Gap(_Values):
    """A group whose share differs from the census by more than chance makes."""

    attribute: str
    group: str
    share: float
    census: float
    error: float
    p: float
    tests: int
    ratio: float | None
    deviates: bool


class Bias(_Values):
    """Measures of bias."""

    guide: GuideBias
    gaps: tuple[Gap, ...]


class TextDiversity(_Values):
    """Diversity of one text field, as `validators/dataset/diversity.py` measures it."""

    field: str
    texts: int
    distinct: dict[str, float]
    openings: float
    commonest_opening: tuple[str, float]
    compression: float


class Duplication(_Values):
    """Duplicate uuids, and duplicate texts by field."""

    rows: int
    uuids: int
    texts: dict[str, int]
    none: bool


class SentenceSharing(_Values):
    """Rows that share a whole sentence with another one, and the sentence that most rows have."""

    rows: int
    sharing: int
    commonest: tuple[str, int] | None
    share: float


class Texts(_Values):
    """What the texts of the first `rows` rows are like."""

    rows: int
    diversity: tuple[TextDiversity, ...]
    duplication: Duplication
    sentences: SentenceSharing


class Swap(_Values):
    """What the run's narrator changes when a fact is swapped, as `validators/dataset/counterfactual.py` measures it."""

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


class Score(_Values):
    """One score of the judge: its mean, and records by score."""

    mean: float
    counts: dict[str, int]


class Verdicts(_Values):
    """What the judge said, with the records that it scored lowest."""

    rows: int = 0
    not_judged: int = 0
    scores: dict[str, Score] = {}
    lowest: tuple[dict[str, Any], ...] = ()


class Report(_Values):
    """What a dataset holds beside what it should follow.

    Attributes:
        format: version of this model.
        rows: people in the dataset.
        run: the run's manifest, without what a clock decides; None for a dataset that is no run.
        names_not_judged: why names were not held against their tables, by kind of name.
        bands: of age, for `age_pyramid` and `marital_by_age`.
        findings: accepted rows that a rule spoke about, by rule and severity.
        rejected: the commonest reasons of rejected rows.
    """

    format: Literal[1] = 1
    rows: int
    run: Manifest | None = None
    tests: Family
    fidelity: tuple[TableFidelity, ...] = ()
    names_not_judged: dict[str, str] = {}
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
    findings: dict[str, dict[str, int]] = {}
    judge: Verdicts = Verdicts()
    rejected: dict[str, int] = {}

    @field_serializer("run")
    def _without_clock(self, run: Manifest | None) -> dict[str, Any] | None:
        return run.model_dump(mode="json", exclude=_CLOCK) if run else None
