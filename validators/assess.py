"""Assess a whole dataset: every measure of `validators/dataset` over one file, in one pass."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.foundation.record_reader import read_records
from census_personas.validators.dataset.association import WEAK, associations
from census_personas.validators.dataset.assumption import TESTED, assumptions
from census_personas.validators.dataset.bias import (
    GROUPS,
    GUIDED,
    GuideBias,
    guide_bias,
    representation,
    word_associations,
)
from census_personas.validators.dataset.diversity import people_diversity, text_diversity
from census_personas.validators.dataset.duplication import duplication, near_duplication, sentence_sharing
from census_personas.validators.dataset.family import FAMILY, counted_together
from census_personas.validators.dataset.fidelity import fidelity
from census_personas.validators.dataset.independence import PLACE, TRAIT_COLUMNS
from census_personas.validators.dataset.naming import NAMES, name_fidelity, names_in_texts
from census_personas.validators.dataset.vendi import MOST, vendi_score

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors


class Expected(Protocol):
    """What a dataset should follow."""

    def modelled(self, table: Sequence[str]) -> Marginal | None:
        """Shares of what its rows are drawn from over some attributes; None where it has none."""
        ...

    def marginal(self, table: Sequence[str]) -> Marginal | None:
        """The census's table, or where it has none what `modelled` says."""
        ...


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
TOLD_APART = ("sex", "ethnicity")
SAMPLE = 5_000  # records whose texts are measured
ASSOCIATED = 50_000  # rows among which associations are measured
_ABSURD = 1000  # years; an age from here on is none
COMPARED = 500  # texts of which the Vendi score is taken


def assess_files(
    paths: Sequence[Path],
    priors: Priors,
    rng: np.random.Generator,
    *,
    sample: int = SAMPLE,
    tables: Sequence[Sequence[str]] = TABLES,
    expected: Expected | None = None,
    others: int = 0,
) -> dict[str, Any]:
    """Measure the files of a dataset; facts and duplicates over all rows, texts over a random sample.

    What is kept of a row are its coded facts and digests of its texts, some eighty bytes. All that is tested shares one
    chance of a mark, `family.FAMILY`.

    Args:
        paths: files of the dataset.
        priors: the locale.
        rng: draws samples.
        sample: records whose texts are measured.
        tables: attributes of the tables that are measured.
        expected: what the dataset should follow. Default: the census's tables, which a model meets nearly.
        others: further tests that are counted together with these.

    Returns:
        `{"rows", "tests", "fidelity", "names_not_judged", "associations", "assumptions", "people", "texts", "vendi",
        "duplication", "near_duplication", "sentences", "bias"}`, plain values for JSON; `names_not_judged` says why.
        `near_duplication` is None where the package `datasketch` is not installed.

    Raises:
        DatasetError: a file that cannot be read.
        ValueError: a file without rows.
    """
    collected = _Collected(sample, rng, priors)
    exact = duplication(collected.through(chain.from_iterable(map(read_records, paths))))
    frame, texts = collected.frame(), collected.texts
    if not exact.rows:
        raise ValueError(f"{', '.join(map(str, paths))}: no rows; nothing can be measured")
    part = frame if len(frame) <= ASSOCIATED else frame.take(rng.choice(len(frame), ASSOCIATED, False))
    expected = expected or _Published(priors)
    measured = [fidelity(frame, shares) for shares in _tables(expected, frame, tables)]
    named = frame if any(name in frame.columns for name in NAMES) else names_in_texts(texts)
    names = name_fidelity(named, priors)
    paired, assumed = (
        associations(part, priors, rng, expected.marginal),
        assumptions(part[:TESTED], priors, rng),
    )
    gaps = [
        representation(frame, shares) for shares in _tables(expected, frame, [(name,) for name in GROUPS])
    ]
    tests = others + len(measured) + len(names.measured) + len(gaps)
    tests += sum((pair.census or 0.0) > WEAK for pair in paired) + sum(item.judged for item in assumed)
    return {
        "rows": exact.rows,
        "tests": {"number": tests, "chance": FAMILY},
        "fidelity": [found.as_dict() for found in counted_together((*measured, *names.measured), tests)],
        "names_not_judged": dict(names.not_judged),
        "associations": [found.as_dict() for found in counted_together(paired, tests)],
        "assumptions": [found.as_dict() for found in counted_together(assumed, tests)],
        "people": people_diversity(frame).as_dict(),
        "texts": [found.as_dict() for found in text_diversity(texts)],
        "vendi": _vendi(texts),
        "duplication": exact.as_dict(),
        "near_duplication": _near(texts),
        "sentences": sentence_sharing(texts).as_dict(),
        "bias": {
            "guide": _guide(frame, expected).as_dict(),
            "representation": [gap.as_dict() for group in gaps for gap in counted_together(group, tests)],
            "words": [
                found.as_dict() for name in TOLD_APART for found in word_associations(texts, attribute=name)
            ],
        },
    }


class _Collected:
    """What one pass over the records leaves: coded facts of all, and a random sample with texts (reservoir)."""

    def __init__(self, sample: int, rng: np.random.Generator, priors: Priors) -> None:
        self.texts: list[Mapping[str, Any]] = []
        self._sample, self._rng, self._rows = sample, rng, 0
        fields = dict.fromkeys((*FACTS, *priors.domain, *PLACE, *NAMES, *TRAIT_COLUMNS))
        self._facts = {field: array("i") for field in fields if field != "age"}
        self._states: dict[str, dict[str, int]] = {field: {} for field in self._facts}
        self._ages = array("i")

    def through(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The same records, looked at as they pass."""
        for record in records:
            for field, values in self._facts.items():
                value = record.get(field)
                states = self._states[field]
                values.append(states.setdefault(value, len(states)) if isinstance(value, str) else -1)
            age = record.get("age")
            self._ages.append(int(age) if isinstance(age, int | float) and 0 <= age < _ABSURD else -1)
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
        known: dict[str, Any] = {
            field: pd.Categorical.from_codes(np.array(values), pd.Index(list(self._states[field])))
            for field, values in self._facts.items()
            if self._states[field]
        }
        ages = pd.Series(np.array(self._ages, dtype=np.int64))
        if (ages >= 0).any():
            known["age"] = ages if (ages >= 0).all() else ages.where(ages >= 0)
        return pd.DataFrame(known, index=range(self._rows))


@dataclass(frozen=True)
class _Published:
    """The census's own tables."""

    priors: Priors

    def marginal(self, table: Sequence[str]) -> Marginal | None:
        try:
            return self.priors.marginal(table)
        except (DomainError, TableError):
            return None

    modelled = marginal


def _tables(expected: Expected, frame: pd.DataFrame, tables: Sequence[Sequence[str]]) -> Iterator[Marginal]:
    """What is expected over the attributes that the dataset has."""
    for table in tables:
        if set(table) <= set(frame.columns) and (shares := expected.modelled(table)) is not None:
            yield shares


def _guide(frame: pd.DataFrame, expected: Expected) -> GuideBias:
    return guide_bias(frame, {name: next(_tables(expected, frame, [(name,)]), None) for name in GUIDED})


def _near(texts: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    try:
        return near_duplication(texts).as_dict()
    except ModuleNotFoundError:
        return None


def _vendi(texts: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Of the personas among the first texts of the sample, which is random only in what it leaves out."""
    written = [record for record in texts if isinstance(record.get("persona"), str) and record["persona"]]
    chosen = written[: min(COMPARED, MOST)]
    return {"field": "persona", "texts": len(chosen), "score": vendi_score(chosen)} if chosen else None
