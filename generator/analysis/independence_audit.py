"""Independence audit: what a dataset's declared independences cost, against the joints of the census."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.marginal import Marginal
from census_personas.foundation.arrays import Floats
from census_personas.generator.analysis.groups import (
    AnalysisError,
    Place,
    numbers,
    population_of,
    require_columns,
    require_rows,
)
from census_personas.generator.population.population import Population
from census_personas.generator.report.expectation import Expectation
from census_personas.validators.dataset.assumption import independence_test
from census_personas.validators.dataset.coded_columns import Coded
from census_personas.validators.dataset.fidelity import fidelity
from census_personas.validators.dataset.multiple_testing import FAMILY, counted_together

_TASK = "audit_independences"
_MOST_CELLS = 2_000_000
_WRITTEN = re.compile(r"\s*([^,|]+),([^,|]+)(?:\|(.*))?")


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared independence: `one` does not depend on `other`, given further attributes."""

    one: str
    other: str
    given: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Declared:
        """Read `occupation, marital_status | sex, age`.

        Raises:
            AnalysisError: the text is not of that form.
        """
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise AnalysisError(
                f"{_TASK}: {text!r} declares no independence; write 'ONE, OTHER' or 'ONE, OTHER | GIVEN, GIVEN'"
            )
        given = tuple(name.strip() for name in (found[3] or "").split(",") if name.strip())
        return cls(found[1].strip(), found[2].strip(), given)

    @property
    def table(self) -> tuple[str, ...]:
        """All attributes, the given ones first."""
        return (*self.given, self.one, self.other)

    def __str__(self) -> str:
        """Return the form that `read` takes."""
        return f"{self.one}, {self.other}" + (f" | {', '.join(self.given)}" if self.given else "")


def audit_independences(
    frame: pd.DataFrame, declared: Sequence[str | Declared], *, seed: int = 0, locale: Place = "en_US"
) -> pd.DataFrame:
    """Compare joints that a dataset's documentation declares independent with those of the census.

    Margins that agree do not say that joints do. Bae (2026, arXiv 2606.12433) audits a dataset where its own
    card says that attributes were treated as independent, against official joints; this does so for any dataset with
    the locale's columns.

    Args:
        frame: one row per person, with the locale's columns and states; coarser attributes follow from finer ones.
        declared: independences, such as `"occupation, marital_status | sex"`.
        seed: of the shuffles behind the test.
        locale: the population.

    Returns:
        One row per independence: `declared`; `rows`; `tvd`, `floor`, `limit` and `agrees`: the joint beside that of
        the census; `assumed`: the TVD between the census and the same margins made independent, which a dataset that
        follows the declaration cannot avoid; `p` of the test of independence in the dataset (corrected for all rows;
        states beyond the eight commonest merged) and `holds`: whether so many rows show no dependence, None if too
        few can tell; `source`: `table`, or `model` where no published table has all attributes and the model, which
        assumes independences of its own, stands in.

    Raises:
        AnalysisError: nothing is declared, an attribute is unknown or cannot be read from the columns, or a joint has
            too many cells.
    """
    require_rows(frame, _TASK)
    statements = [one if isinstance(one, Declared) else Declared.read(one) for one in declared]
    if not statements:
        raise AnalysisError(
            f"{_TASK}: nothing is declared; give independences such as 'occupation, marital_status | sex'"
        )
    population = population_of(locale)
    expected = Expectation(population)
    age = population.priors.roles.get("age") or "age"
    if age in frame:
        frame = frame.assign(**{age: numbers(frame, age, _TASK).round().astype("Int64")})
    people = expected.with_views(frame, {name for one in statements for name in one.table})
    coded = Coded(people, population.priors)
    rng = np.random.default_rng(seed)
    rows, tests = [], []
    for statement in statements:
        census, source = _census(statement, people, population, expected)
        complete = people.dropna(subset=list(statement.table))
        require_rows(complete, f"{_TASK}: {statement}")
        joint = fidelity(complete.astype({age: "int64"}) if age in statement.table else complete, census)
        tests.append(
            independence_test(coded, population.priors, statement.one, statement.other, statement.given, rng)
        )
        rows.append((statement, joint, census, source))
    found: list[dict[str, Any]] = []
    for (statement, joint, census, source), test in zip(
        rows, counted_together(tests, len(tests)), strict=True
    ):
        shares = census.probabilities()
        alone = _independent(shares)
        found.append(
            {
                "declared": str(statement),
                "rows": joint.rows,
                "tvd": joint.tvd,
                "floor": joint.floor,
                "limit": joint.limit,
                "agrees": joint.passes,
                "assumed": float(np.abs(shares - alone).sum() / 2),
                "p": min(1.0, test.p * len(tests)),
                "holds": None if not test.judged else test.p * len(tests) > FAMILY,
                "source": source,
            }
        )
    return pd.DataFrame(found)


def _census(
    statement: Declared, people: pd.DataFrame, population: Population, expected: Expectation
) -> tuple[Marginal, str]:
    domain = population.priors.domain
    for name in statement.table:
        if name not in domain:
            raise AnalysisError(
                f"{_TASK}: {name!r} is no attribute of locale {population.priors.locale}; known: {', '.join(domain)}"
            )
    require_columns(people, statement.table, _TASK)
    cells = domain.project(statement.table).size
    if cells > _MOST_CELLS:
        raise AnalysisError(
            f"{_TASK}: '{statement}' has {cells:,} cells; use coarser attributes, such as an age group"
        )
    published = expected.published(statement.table)
    if published is not None:
        return published, "table"
    return population.marginal(statement.table), "model"


def _independent(shares: Floats) -> Floats:
    """Make the last two axes independent, within the groups of the others."""
    groups = shares.sum(axis=(-2, -1), keepdims=True)
    product = shares.sum(axis=-1, keepdims=True) * shares.sum(axis=-2, keepdims=True)
    return np.asarray(np.divide(product, groups, out=np.zeros_like(product), where=groups > 0))
