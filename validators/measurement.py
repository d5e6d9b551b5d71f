"""Measurement: runs every measure on one dataset; all their tests share one chance of a false mark."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Literal, TypeVar
from zlib import crc32

import numpy as np
from pydantic import SerializeAsAny

from census_personas.validators.dataset.multiple_testing import FAMILY
from census_personas.validators.measure import (
    MeasureModule,
    MeasureResult,
    Measures,
    NotMeasured,
    Tested,
    Values,
    title_of,
)
from census_personas.validators.measured_dataset import MeasuredDataset

R = TypeVar("R", bound=MeasureResult)

# These share the generator that drew the sample, in this order, so that reports stay comparable with earlier ones.
# Every other measure has a generator of its own and shifts nobody else's random numbers.
_AFTER_THE_SAMPLE = ("associations", "assumptions")
_MARKED_FIRST = ("fidelity", "names", "assumptions", "representation")


class Family(Values):
    """All tests of a report: their number, the `chance` of one false mark among them, and what is marked, in words."""

    number: int
    chance: float
    marked: tuple[str, ...]


class FurtherMeasure(Values):
    """A measure without a section of its own in reports: its heading, and its fields as JSON values."""

    title: str
    fields: dict[str, Any]


class Measurements(Values):
    """The results of all measures of a dataset: a run, a file, or any rows.

    Attributes:
        version: version of this model. Within a version fields may be added; none is renamed, removed or redefined.
        rows: number of rows.
        records: number of records in the sample of texts.
        tests: all tests, with what they mark.
        results: measure name -> result.
        titles: measure name -> heading.
        not_measured: measure name -> why it has no result.
    """

    version: Literal[1] = 1
    rows: int
    records: int
    tests: Family
    results: dict[str, SerializeAsAny[MeasureResult]]
    titles: dict[str, str]
    not_measured: dict[str, str]

    def of(self, kind: type[R]) -> R | None:
        """Return the result of this type; None if its measure has none."""
        return next((result for result in self.results.values() if type(result) is kind), None)

    def or_empty(self, kind: type[R]) -> R:
        """Return the result of this type, or an empty one."""
        return self.of(kind) or kind()

    def further(self, shown: Collection[str]) -> dict[str, FurtherMeasure]:
        """Return the results of measures that are not in `shown`."""
        return {
            name: FurtherMeasure(title=self.titles[name], fields=result.model_dump(mode="json"))
            for name, result in self.results.items()
            if name not in shown
        }

    def silent(self, shown: Collection[str]) -> dict[str, str]:
        """Return name -> why there is no result, for measures that are not in `shown`."""
        return {name: why for name, why in self.not_measured.items() if name not in shown}


def measure_dataset(dataset: MeasuredDataset, measures: Measures, *, others: int = 0) -> Measurements:
    """Run the measures whose needs the dataset meets.

    Args:
        dataset: the data to measure.
        measures: name -> measure, as `measures()` returns them.
        others: number of further tests that share the chance of a false mark.

    Raises:
        PluginError: a measure of a plug-in fails.
    """
    answers: dict[str, MeasureResult | Tested] = {}
    not_measured: dict[str, str] = {}
    for name, module in measures.items():
        answer = _run_measure(name, module, dataset)
        if isinstance(answer, NotMeasured):
            not_measured[name] = answer.why
        else:
            answers[name] = answer
    tests = others + sum(answer.tests for answer in answers.values() if isinstance(answer, Tested))
    results = {
        name: answer.judge(tests) if isinstance(answer, Tested) else answer
        for name, answer in answers.items()
    }
    return Measurements(
        rows=dataset.rows,
        records=len(dataset.records),
        tests=Family(number=tests, chance=FAMILY, marked=tuple(_marks(results))),
        results=results,
        titles={name: title_of(name, module) for name, module in measures.items()},
        not_measured=not_measured,
    )


def _run_measure(
    name: str, module: MeasureModule, dataset: MeasuredDataset
) -> MeasureResult | Tested | NotMeasured:
    if lacking := dataset.lacks(module.NEEDS):
        return NotMeasured(lacking)
    if name not in _AFTER_THE_SAMPLE:
        dataset = replace(dataset, rng=np.random.default_rng(crc32(name.encode())))
    return module.measure(dataset)


def _marks(results: dict[str, MeasureResult]) -> Iterable[str]:
    """Yield what is marked: tables, names, independences and groups first, then other measures by name."""
    for name in sorted(results, key=lambda name: (*_MARKED_FIRST, name).index(name)):
        yield from results[name].marks
