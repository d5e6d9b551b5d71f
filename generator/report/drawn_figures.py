"""Drawn figures: the figures of a dataset, each beside that of the census."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd

from census_personas.census_priors.domain import State
from census_personas.census_priors.roles import Roles
from census_personas.generator.report import figures
from census_personas.generator.report.expectation import Expectation
from census_personas.generator.report.tabulation import Counts, Tabulation

PYRAMID = ("age", "sex")
MARITAL = ("age", "marital")
DEGREES = ("age", "schooling", "region")
OCCUPATIONS = ("occupation", "age")
"""Roles of the tables behind the figures."""

# Fewest people of a region for which a share is shown.
_LEAST = 30


def drawn_figures(people: pd.DataFrame, expected: Expectation) -> dict[str, Any]:
    """Return the figures of a report by key, for roles that the locale fills and the dataset has."""
    roles = expected.priors.roles
    drawn = [table for table in (PYRAMID, MARITAL, DEGREES, OCCUPATIONS) if not roles.missing(table)]
    counted = Tabulation.of([_aged(people, roles)], [roles.named(table) for table in drawn])
    edges = figures.edges_from(expected.priors.conventions.adult)
    bands, (pyramid, marital) = figures.within_ends(
        [
            _pair(counted, expected, PYRAMID, partial(figures.age_pyramid, edges=edges)),
            _pair(
                counted,
                expected,
                MARITAL,
                partial(figures.marital_by_age, order=_statuses(expected), edges=edges),
            ),
        ],
        edges,
    )
    return {
        "bands": bands,
        "age_pyramid": pyramid,
        "marital_by_age": marital,
        "bachelors_by_state": _degrees(counted, expected),
        "occupations": _occupations(counted, expected),
    }


def _aged(people: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Select people with a known age for figures by age; everybody if the dataset has no ages."""
    age = roles.get("age")
    if age is None or age not in people or people[age].dtype.kind == "i":
        return people
    return people.dropna(subset=age).astype({age: "int64"})


def _statuses(expected: Expectation) -> Sequence[State]:
    """Return marital statuses in the locale's order."""
    priors = expected.priors
    marital = priors.roles.get("marital")
    return priors.domain[marital] if marital is not None and marital in priors.domain else ()


def _pair(
    counted: Tabulation, expected: Expectation, roles: tuple[str, ...], figure: Callable[[Counts[Any]], Any]
) -> dict[str, Any] | None:
    """Draw a figure of the dataset and of the census; None if the dataset lacks one of the roles."""
    found = _counted(counted, expected, roles)
    if found is None:
        return None
    census = _expected(expected, roles)
    return {"dataset": figure(found), "census": None if census is None else figure(census)}


def _degrees(counted: Tabulation, expected: Expectation) -> list[dict[str, Any]]:
    found, said = _counted(counted, expected, DEGREES), expected.priors.conventions.schooling
    if found is None:
        return []
    census = _expected(expected, DEGREES)
    everywhere = [] if census is None else figures.degrees_by_region(census, said, top=99)
    shares = {item["state"]: item["share"] for item in everywhere}
    here = figures.degrees_by_region(found, said, least=_LEAST)
    return [{**item, "census": shares.get(item["state"])} for item in here]


def _occupations(counted: Tabulation, expected: Expectation) -> list[dict[str, Any]]:
    found = _counted(counted, expected, OCCUPATIONS)
    return (
        []
        if found is None
        else figures.top_occupations(found, expected.priors.conventions.without_occupation)
    )


def _counted(counted: Tabulation, expected: Expectation, roles: tuple[str, ...]) -> Counts[Any] | None:
    """Count people of the dataset by roles; None if it is empty, or lacks one of the roles."""
    columns = expected.priors.roles.named(roles)
    if not counted.rows or len(columns) < len(roles) or columns not in counted:
        return None
    return counted.counts(*columns).rename_axis(list(roles))


def _expected(expected: Expectation, roles: tuple[str, ...]) -> Counts[Any] | None:
    """Return the expected counts by roles; None if there are none."""
    marginal = expected.marginal(expected.priors.roles.named(roles))
    if marginal is None:
        return None
    index = pd.MultiIndex.from_product([marginal.domain[name] for name in marginal.domain], names=list(roles))
    return pd.Series(marginal.weights.ravel(), index=index)
