"""Measurement: every measure of one dataset, with all their tests sharing one chance of a mark."""

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

# These draw on after the sample, one after the other, as they always have; any other measure has numbers of its own, so
# that none moves another's.
_AFTER_THE_SAMPLE = ("associations", "assumptions")
_MARKED_FIRST = ("fidelity", "names", "assumptions", "representation")


class Family(Values):
    """Everything tested together: how many tests share the `chance` of one mark, and what is marked, in words."""

    number: int
    chance: float
    marked: tuple[str, ...]


class FurtherMeasure(Values):
    """A measure that no report has a section for: its heading, and its fields as JSON has them."""

    title: str
    fields: dict[str, Any]


class Measurements(Values):
    """What the measures say of a dataset: of a run, of a file, or of rows from anywhere.

    Attributes:
        version: of this model; within one, fields may be added and none is renamed, removed or given another meaning.
        rows: of the dataset.
        records: of the sample of texts.
        tests: all tests, with what they mark.
        results: by name of the measure.
        titles: headings of the measures.
        not_measured: why a measure says nothing, by name.
    """

    version: Literal[1] = 1
    rows: int
    records: int
    tests: Family
    results: dict[str, SerializeAsAny[MeasureResult]]
    titles: dict[str, str]
    not_measured: dict[str, str]

    def of(self, kind: type[R]) -> R | None:
        """The result of this kind; None where its measure was not run or says nothing."""
        return next((result for result in self.results.values() if type(result) is kind), None)

    def or_empty(self, kind: type[R]) -> R:
        """The same, or a result of this kind that says nothing."""
        return self.of(kind) or kind()

    def further(self, shown: Collection[str]) -> dict[str, FurtherMeasure]:
        """The results of all measures but those that are shown elsewhere."""
        return {
            name: FurtherMeasure(title=self.titles[name], fields=result.model_dump(mode="json"))
            for name, result in self.results.items()
            if name not in shown
        }

    def silent(self, shown: Collection[str]) -> dict[str, str]:
        """Why measures say nothing, by name; but those that are shown elsewhere."""
        return {name: why for name, why in self.not_measured.items() if name not in shown}


def measure_dataset(dataset: MeasuredDataset, measures: Measures, *, others: int = 0) -> Measurements:
    """Run the measures that the dataset has everything for.

    Args:
        dataset: what was read of it.
        measures: by name, as `measures()` lists them.
        others: further tests that share the chance of a mark.

    Raises:
        PluginError: a measure of a plug-in that fails.
    """
    found: dict[str, MeasureResult | Tested] = {}
    silent: dict[str, str] = {}
    for name, module in measures.items():
        said = _measured(name, module, dataset)
        if isinstance(said, NotMeasured):
            silent[name] = said.why
        else:
            found[name] = said
    tests = others + sum(said.tests for said in found.values() if isinstance(said, Tested))
    results = {name: said.judge(tests) if isinstance(said, Tested) else said for name, said in found.items()}
    return Measurements(
        rows=dataset.rows,
        records=len(dataset.records),
        tests=Family(number=tests, chance=FAMILY, marked=tuple(_marks(results))),
        results=results,
        titles={name: title_of(name, module) for name, module in measures.items()},
        not_measured=silent,
    )


def _measured(
    name: str, module: MeasureModule, dataset: MeasuredDataset
) -> MeasureResult | Tested | NotMeasured:
    if lacking := dataset.lacks(module.NEEDS):
        return NotMeasured(lacking)
    if name not in _AFTER_THE_SAMPLE:
        dataset = replace(dataset, rng=np.random.default_rng(crc32(name.encode())))
    return module.measure(dataset)


def _marks(results: dict[str, MeasureResult]) -> Iterable[str]:
    """What is marked: tables, names, independences and groups first, as reports have always listed them."""
    for name in sorted(results, key=lambda name: (*_MARKED_FIRST, name).index(name)):
        yield from results[name].marks
