"""Assess a whole dataset: every measure of `validators/dataset` over one file, in one pass."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from persona_engine.census_priors.domain import DomainError
from persona_engine.census_priors.marginal import Marginal, TableError
from persona_engine.validators.dataset.bias import guide_bias, representation, word_associations
from persona_engine.validators.dataset.diversity import people_diversity, text_diversity
from persona_engine.validators.dataset.duplication import duplication, near_duplication
from persona_engine.validators.dataset.fidelity import fidelity
from persona_engine.validators.reader import read_records

if TYPE_CHECKING:
    from persona_engine.census_priors.priors import Priors

FACTS = (
    "sex",
    "age",
    "ethnicity",
    "marital_status",
    "education_level",
    "labor_force_status",
    "occupation",
    "state",
)
TABLES = (
    ("sex",),
    ("age",),
    ("ethnicity",),
    ("marital_status",),
    ("education_level",),
    ("occupation",),
    ("state",),
    ("sex", "age"),
    ("marital_status", "age"),
    ("education_level", "age"),
    ("education_level", "marital_status"),
    ("sex", "education_level"),
    ("state", "education_level"),
    ("sex", "occupation"),
    ("education_level", "occupation"),
)
GROUPS = ("sex", "ethnicity", "marital_status", "education_level", "state")
TOLD_APART = ("sex", "ethnicity")
SAMPLE = 5_000  # records whose texts are measured


def assess_file(
    path: Path,
    priors: Priors,
    rng: np.random.Generator,
    *,
    sample: int = SAMPLE,
    tables: Sequence[Sequence[str]] = TABLES,
) -> dict[str, Any]:
    """Measure a dataset file; facts and duplicates over all rows, texts over a random sample.

    Returns:
        `{"rows", "fidelity", "people", "texts", "duplication", "near_duplication", "bias"}`, plain values for JSON.
        `near_duplication` is None where the package `datasketch` is not installed.

    Raises:
        ReaderError: a file that cannot be read.
        ValueError: a file without rows.
    """
    collected = _Collected(sample, rng)
    exact = duplication(collected.through(read_records(path)))
    frame, texts = collected.frame(), collected.texts
    if frame.empty:
        raise ValueError(f"{path}: no rows; nothing can be measured")
    measured = [fidelity(frame, census, rng) for census in _tables(priors, frame, tables)]
    return {
        "rows": exact.rows,
        "fidelity": [found.as_dict() for found in measured],
        "people": people_diversity(frame).as_dict(),
        "texts": [found.as_dict() for found in text_diversity(texts)],
        "duplication": exact.as_dict(),
        "near_duplication": _near(texts),
        "bias": _bias(frame, texts, priors),
    }


class _Collected:
    """What one pass over the records leaves: coded facts of all, and a random sample with texts (reservoir)."""

    def __init__(self, sample: int, rng: np.random.Generator) -> None:
        self.texts: list[Mapping[str, Any]] = []
        self._sample, self._rng, self._rows = sample, rng, 0
        self._facts: dict[str, list[str | None]] = {field: [] for field in FACTS if field != "age"}
        self._ages = array("i")

    def through(self, records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The same records, looked at as they pass."""
        for record in records:
            for field, values in self._facts.items():
                value = record.get(field)
                values.append(sys.intern(value) if isinstance(value, str) else None)
            age = record.get("age")
            self._ages.append(int(age) if isinstance(age, int | float) and age == age else -1)  # noqa: PLR0124 - NaN
            self._keep(record)
            yield record

    def _keep(self, record: dict[str, Any]) -> None:
        self._rows += 1
        if len(self.texts) < self._sample:
            self.texts.append(record)
        elif (place := int(self._rng.integers(self._rows))) < self._sample:
            self.texts[place] = record

    def frame(self) -> pd.DataFrame:
        """The facts that at least one record has."""
        known = {field: values for field, values in self._facts.items() if any(values)}
        ages = np.array(self._ages, dtype=np.int64)
        return pd.DataFrame({**known, **({"age": ages} if (ages >= 0).any() else {})})


def _tables(priors: Priors, frame: pd.DataFrame, tables: Sequence[Sequence[str]]) -> Iterator[Marginal]:
    """The census tables that the dataset has the attributes of."""
    for table in tables:
        if set(table) <= set(frame.columns):
            try:
                yield priors.marginal(table)
            except (DomainError, TableError):
                continue


def _bias(frame: pd.DataFrame, texts: list[Mapping[str, Any]], priors: Priors) -> dict[str, Any]:
    ages = next(_tables(priors, frame, [("age",)]), None)
    gaps = [
        gap
        for census in _tables(priors, frame, [(group,) for group in GROUPS])
        for gap in representation(frame, census)
    ]
    words = [found for attribute in TOLD_APART for found in word_associations(texts, attribute)]
    return {
        "guide": guide_bias(frame, ages).as_dict(),
        "representation": [gap.as_dict() for gap in gaps],
        "words": [found.as_dict() for found in words],
    }


def _near(texts: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    try:
        return near_duplication(texts).as_dict()
    except ModuleNotFoundError:
        return None
