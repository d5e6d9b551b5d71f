"""Judgement: everything that a report may mark about a dataset's people, tested together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.marginal import Marginal
from census_personas.generator.report.expectation import Expectation
from census_personas.validators.dataset.assumption import TESTED, Assumption, assumptions
from census_personas.validators.dataset.bias import GROUPS, Gap, representation
from census_personas.validators.dataset.family import counted_together
from census_personas.validators.dataset.fidelity import Fidelity, fidelity
from census_personas.validators.dataset.naming import NAMES, NameFidelity, name_fidelity


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was tested, each item as one of `tests` that share one chance of a mark.

    Attributes:
        tests: how many there are: tables, kinds of names, independences, attributes with groups, and what else the
            report marks.
        tables: tables beside the model.
        names: names beside their tables.
        assumptions: independences of the model graph.
        gaps: groups beside the model.
    """

    tests: int
    tables: tuple[Fidelity, ...]
    names: NameFidelity
    assumptions: tuple[Assumption, ...]
    gaps: tuple[Gap, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        """What is marked, in words."""
        return (
            *(f"{' x '.join(item.attributes)}" for item in self.tables if not item.passes),
            *(f"names: {' x '.join(item.attributes)}" for item in self.names.measured if not item.passes),
            *(f"independence: {x.one} of {x.other}" for x in self.assumptions if x.verdict == "fails"),
            *(f"group: {gap.attribute} {gap.group}" for gap in self.gaps if gap.deviates),
        )


class Judge:
    """What datasets of one selection are held against; asked for once, then used for any number of datasets."""

    def __init__(self, expected: Expectation, columns: Iterable[str], chosen: Iterable[str] = ()) -> None:
        """`columns` are those of the datasets, `chosen` the attributes by which their people were chosen."""
        self.expected, self.columns, self._chosen = expected, tuple(columns), set(chosen)
        self.tables = expected.tables(self.columns)

    @cached_property
    def modelled(self) -> dict[tuple[str, ...], Marginal]:
        """Shares of the model for each table."""
        return self.expected.modelled_all(self.tables)

    def model_distance(self, table: tuple[str, ...]) -> float | None:
        """Distance of the model from the published table, the same in every run; None where there is none."""
        published = self.expected.published(table)
        if published is None:
            return None
        return float(np.abs(self.modelled[table].probabilities() - published.probabilities()).sum() / 2)

    def judge(
        self, people: pd.DataFrame, named: pd.DataFrame, tested: pd.DataFrame | None, others: int = 0
    ) -> Judgement:
        """Test a dataset.

        Args:
            people: its facts, with the coarser views of them that tables need.
            named: people with names beside the facts on which names depend.
            tested: facts, places, names and traits of which independences are tested; None where they are not.
            others: further tests that the report marks.
        """
        modelled = self.modelled if len(people) else {}
        tables = [fidelity(people, modelled[table]) for table in self.tables if table in modelled]
        names = self._names(people, named)
        gaps = [representation(people, modelled[name,]) for name in GROUPS if (name,) in modelled]
        assumed = self._assumptions(tested)
        tests = others + len(tables) + len(names.measured) + sum(x.judged for x in assumed) + len(gaps)
        return Judgement(
            tests=tests,
            tables=tuple(counted_together(tables, tests)),
            names=replace(names, measured=tuple(counted_together(names.measured, tests))),
            assumptions=tuple(counted_together(assumed, tests)),
            gaps=tuple(gap for group in gaps for gap in counted_together(group, tests)),
        )

    def _names(self, people: pd.DataFrame, named: pd.DataFrame) -> NameFidelity:
        """Names beside their tables; not where people were chosen by their names."""
        if people.empty:
            return NameFidelity((), {})
        if chosen := sorted(self._chosen & set(NAMES)):
            return NameFidelity((), dict.fromkeys(chosen, "people were chosen by it"))
        return name_fidelity(named, self.expected.priors)

    def _assumptions(self, tested: pd.DataFrame | None) -> tuple[Assumption, ...]:
        if tested is None or not self.independent:
            return ()
        rng = np.random.default_rng(0)  # the same dataset has the same report
        rows = len(tested)
        part = tested if rows <= TESTED else tested.take(rng.choice(rows, TESTED, replace=False))
        return assumptions(part, self.expected.priors, rng)

    @property
    def independent(self) -> bool:
        """Whether the graph's independences hold: not where people were chosen by what depends on the core.

        Choosing by an effect makes its causes depend on each other; choosing by attributes of the core does not.
        """
        root, domain = self.expected.priors.hierarchy.root, self.expected.priors.domain
        core = {root(name) for name in self.expected.core}
        return all(name in domain and root(name) in core for name in self._chosen)


def chosen_by(where: Mapping[str, Any] | None, target: Mapping[str, Any] | None) -> set[str]:
    """Attributes by which people were chosen."""
    return {*(where or {}), *(target or {})}
