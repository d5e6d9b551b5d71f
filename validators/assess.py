"""Assess a whole dataset: every measure over one file, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from census_personas.foundation.record_reader import read_records
from census_personas.validators.collected_facts import CollectedColumns
from census_personas.validators.measure import Measures, Values
from census_personas.validators.measure_registry import measures
from census_personas.validators.measured_dataset import (
    CensusTables,
    Expected,
    MeasuredDataset,
    digests_of,
    facts_of,
    numbers_of,
    some_of,
)
from census_personas.validators.measurement import Family, FurtherMeasure, Measurements, measure_dataset
from census_personas.validators.measures import (
    associations,
    assumptions,
    diversity,
    duplication,
    fidelity,
    guide,
    names,
    near_duplication,
    representation,
    sentences,
    texts,
    vendi,
    words,
)
from census_personas.validators.measures.associations import Association
from census_personas.validators.measures.assumptions import Independence
from census_personas.validators.measures.diversity import Result as Diversity
from census_personas.validators.measures.duplication import Result as Duplication
from census_personas.validators.measures.fidelity import TableFidelity
from census_personas.validators.measures.guide import Result as GuideBias
from census_personas.validators.measures.near_duplication import Result as NearDuplication
from census_personas.validators.measures.representation import Gap
from census_personas.validators.measures.sentences import Result as SentenceSharing
from census_personas.validators.measures.texts import TextDiversity
from census_personas.validators.measures.vendi import Result as Vendi
from census_personas.validators.measures.words import WordAssociation
from census_personas.validators.record_collection import RecordCollection

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

TABLES = (
    ("sex",),
    ("age",),
    ("origin",),
    ("marital",),
    ("schooling",),
    ("occupation",),
    ("region",),
    ("sex", "age"),
    ("marital", "age"),
    ("schooling", "age"),
    ("schooling", "marital"),
    ("sex", "schooling"),
    ("region", "schooling"),
    ("sex", "occupation"),
    ("schooling", "occupation"),
)
"""Roles whose tables are measured, where the locale fills them."""
SAMPLE = 5_000  # records whose texts are measured
ASSOCIATED = 50_000  # rows among which associations are measured
SHOWN = frozenset(
    module.__name__.rpartition(".")[2]
    for module in (
        associations, assumptions, diversity, duplication, fidelity, guide, names, near_duplication,
        representation, sentences, texts, vendi, words,
    )
)  # fmt: skip
"""Measures that have keys and sections of their own in reports."""


class AssessedBias(Values):
    """Measures of bias: the guide's, each group beside the census, and words by group."""

    guide: GuideBias
    representation: tuple[Gap, ...]
    words: tuple[WordAssociation, ...]


class Assessment(Values):
    """All measures of a dataset, as `validation.json` has them under `measures`.

    Attributes:
        version: version of this model. Within a version keys may be added; none is renamed, removed or redefined.
        names_not_judged: kind of name -> why names of that kind were not compared with their table.
        near_duplication: None where the package `datasketch` is not installed.
        further_measures: name -> measure, for measures without a key of their own, such as those of plug-ins.
        not_measured: name -> why there is no result, for the same measures.
    """

    version: Literal[1] = 1
    rows: int
    tests: Family
    fidelity: tuple[TableFidelity, ...]
    names_not_judged: dict[str, str]
    associations: tuple[Association, ...]
    assumptions: tuple[Independence, ...]
    people: Diversity
    texts: tuple[TextDiversity, ...]
    vendi: Vendi | None
    duplication: Duplication
    near_duplication: NearDuplication | None
    sentences: SentenceSharing
    bias: AssessedBias
    further_measures: dict[str, FurtherMeasure] = Field(default_factory=dict)
    not_measured: dict[str, str] = Field(default_factory=dict)


def assess_files(  # noqa: PLR0913 - what is measured, against what, and how much of it
    paths: Sequence[Path],
    priors: Priors,
    rng: np.random.Generator,
    *,
    sample: int = SAMPLE,
    tables: Sequence[Sequence[str]] | None = None,
    expected: Expected | None = None,
    others: int = 0,
    listed: Measures | None = None,
    language: str | None = None,
) -> Assessment:
    """Measure the files of a dataset: facts and duplicates over all rows, texts over a random sample.

    Each row takes about 80 bytes of memory: its coded facts and digests of its texts. All tests together have one
    chance of a false mark, `multiple_testing.FAMILY`.

    Args:
        paths: files of the dataset.
        priors: the locale.
        rng: generator for samples.
        sample: number of records whose texts are measured.
        tables: attributes of each table to measure. Default: those that play the roles of `TABLES`.
        expected: distributions that the dataset should follow. Default: the census tables, which a model meets closely.
        others: number of further tests that share the chance of a false mark.
        listed: the measures, as `measures()` returns them. Default: those of this package.
        language: language of the texts. Default: the locale's.

    Raises:
        DatasetError: a file cannot be read.
        ValueError: the files have no rows.
        PluginError: a measure of a plug-in fails.
    """
    listed = measures() if listed is None else listed
    collection = collection_of(priors, listed, rng, sample)
    for record in chain.from_iterable(map(partial(read_records, age=collection.columns.age), paths)):
        collection.add(record)
    if not collection.rows:
        raise ValueError(f"{', '.join(map(str, paths))}: no rows; nothing can be measured")
    return assess_collection(
        collection, priors, listed, tables=tables, expected=expected, others=others, language=language
    )


def collection_of(
    priors: Priors, listed: Measures, rng: np.random.Generator, sample: int = SAMPLE
) -> RecordCollection:
    """An empty collection of what these measures ask of a dataset; `rng` draws the sample of texts."""
    columns = CollectedColumns(
        facts_of(listed, priors),
        numbers_of(listed, priors),
        digests_of(listed),
        priors.roles.get("age") or "age",
    )
    return RecordCollection(columns, sample, rng)


def assess_collection(
    collection: RecordCollection,
    priors: Priors,
    listed: Measures,
    *,
    tables: Sequence[Sequence[str]] | None = None,
    expected: Expected | None = None,
    others: int = 0,
    language: str | None = None,
) -> Assessment:
    """Measure a dataset of which every row was collected, one at least; arguments are those of `assess_files`.

    Raises:
        PluginError: a measure of a plug-in that fails.
    """
    if tables is None:
        tables = [priors.roles.named(roles) for roles in TABLES if not priors.roles.missing(roles)]
    expected = expected or CensusTables(priors)
    frame = collection.facts.frame()
    shares = {tuple(table): expected.modelled(table) for table in tables if set(table) <= set(frame.columns)}
    dataset = MeasuredDataset(
        priors=priors,
        expected=expected,
        rows=collection.rows,
        facts=frame,
        people=frame,
        pairs=some_of(frame, ASSOCIATED, collection.rng),
        rng=collection.rng,
        records=collection.records,
        digests=collection.facts.digests,
        tables={table: marginal for table, marginal in shares.items() if marginal is not None},
        language=language,
    )
    return _assessment(measure_dataset(dataset, listed, others=others))


def _assessment(measured: Measurements) -> Assessment:
    """Arrange the measurements under the keys of `validation.json`."""
    named = measured.or_empty(names.Result)
    return Assessment(
        rows=measured.rows,
        tests=measured.tests,
        fidelity=(*measured.or_empty(fidelity.Result).tables, *named.tables),
        names_not_judged=named.not_judged,
        associations=measured.or_empty(associations.Result).pairs,
        assumptions=measured.or_empty(assumptions.Result).items,
        people=measured.or_empty(diversity.Result),
        texts=measured.or_empty(texts.Result).fields,
        vendi=measured.of(vendi.Result),
        duplication=measured.or_empty(duplication.Result),
        near_duplication=measured.of(near_duplication.Result),
        sentences=measured.or_empty(sentences.Result),
        bias=AssessedBias(
            guide=measured.or_empty(guide.Result),
            representation=measured.or_empty(representation.Result).gaps,
            words=measured.or_empty(words.Result).groups,
        ),
        further_measures=measured.further(SHOWN),
        not_measured=measured.silent(SHOWN),
    )
