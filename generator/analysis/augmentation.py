"""Augmentation: finds the groups that a dataset has too few people of, and fills them with sampled people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from census_personas.foundation.arrays import Floats, Integers
from census_personas.generator.analysis.groups import (
    GUIDE_EDGES,
    AnalysisError,
    By,
    Place,
    columns_by,
    described,
    group_counts,
    group_labels,
    population_of,
    require_columns,
    require_rows,
)
from census_personas.generator.analysis.reference_shares import CENSUS, Target, read_shares
from census_personas.generator.population.population import Population

_TASK = "augment"
DEFAULT_ROLES = ("sex", "age", "schooling")
"""Roles whose columns are used if `by` is not given."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """People to add to a dataset.

    Attributes:
        added: one row per new person, with the columns of a sample; `pd.concat` joins those that the dataset has.
        reasons: one row per group: its columns, `base` (people in the dataset), `base_share`, `target_share`, `added`,
            `share` (afterwards) and `why`, in words. Groups with most added people come first.
    """

    added: pd.DataFrame
    reasons: pd.DataFrame


def augment(
    base: pd.DataFrame,
    by: By | None = None,
    *,
    n: int,
    target: Target = CENSUS,
    seed: int = 0,
    locale: Place = "en_US",
    edges: Sequence[int] = GUIDE_EDGES,
) -> Augmentation:
    """Add n people to a dataset where it has too few of a group.

    The groups that are furthest below their share are filled first, so that the smallest ratio of people to wanted
    people is as large as n allows. People are drawn from the model, exactly conditioned on their group; their other
    facts are those of such people in the population, not those of the dataset.

    ```python
    found = augment(survey, ["sex", "age"], n=200)
    found.reasons.head()
    more = pd.concat([survey, found.added[survey.columns]])
    ```

    Args:
        base: one row per person; values are states of the locale, ages are numbers.
        by: columns whose combinations are the groups; by default those of sex, age and schooling that the base has.
        n: number of people to add.
        target: the share that each group should have: `census` (the population's), or a table.
        seed: any non-negative integer.
        locale: the population.
        edges: first ages of the bands, if the target is the census; a table brings its own.

    Raises:
        AnalysisError: the base lacks a column, has values that the locale does not know, or n is not positive.
    """
    require_rows(base, _TASK)
    if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
        raise AnalysisError(f"{_TASK}: n={n!r}; give a whole number, at least 1")
    population = population_of(locale)
    age = population.priors.roles.get("age") or "age"
    names = _columns(base, by, population)
    shares, edges = read_shares(target, names, population, _TASK, age=age, edges=edges)
    labels = group_labels(base, names, _TASK, age=age, edges=edges)
    _refuse_unknown(labels, population, age)
    counts = group_counts(labels)
    counts.index = pd.MultiIndex.from_tuples(
        [key if isinstance(key, tuple) else (key,) for key in counts.index], names=list(names)
    )
    table = pd.DataFrame({"base": counts, "target_share": shares}).fillna(0.0)
    amounts = fill(table["base"].to_numpy(dtype=float), table["target_share"].to_numpy(dtype=float), int(n))
    added = _people(table.index[np.repeat(np.arange(len(table)), amounts)], names, population, seed)
    return Augmentation(added, _reasons(table.assign(added=amounts), names))


def fill(have: Floats, shares: Floats, n: int) -> Integers:
    """Divide n new people among groups so that the smallest ratio of people to shares becomes as large as possible.

    Each group is filled up to the same level L of people per share, where sum(max(0, L x share - have)) = n; fractions
    are rounded by largest remainder. Groups without a share get nobody.

    Args:
        have: people of each group.
        shares: wanted shares, at least one above 0.
        n: number of new people.
    """
    wanted = shares > 0
    ratio = np.divide(have, shares, out=np.full(len(have), np.inf), where=wanted)
    order = np.argsort(ratio, kind="stable")[: int(wanted.sum())]
    levels = (n + have[order].cumsum()) / shares[order].cumsum()
    following = np.append(ratio[order][1:], np.inf)
    level = levels[int(np.argmax(levels <= following))]
    exact = np.where(wanted, np.maximum(0.0, level * shares - have), 0.0)
    amounts = np.floor(exact).astype(np.int64)
    rest = n - int(amounts.sum())
    amounts[np.argsort(amounts - exact, kind="stable")[:rest]] += 1
    return amounts


def _columns(base: pd.DataFrame, by: By | None, population: Population) -> tuple[str, ...]:
    roles = population.priors.roles
    if by is not None:
        names = columns_by(by)
    elif not (names := roles.named(DEFAULT_ROLES, among=[str(name) for name in base.columns])):
        raise AnalysisError(
            f"{_TASK}: the base dataset has none of the columns {', '.join(roles.named(DEFAULT_ROLES))}; "
            "name some with by"
        )
    require_columns(base, names, _TASK)
    for name in names:
        if not population.knows(name):
            raise AnalysisError(
                f"{_TASK}: column {name!r} is no attribute of locale {population.priors.locale}; "
                "people can be sampled by its attributes only"
            )
    return names


def _refuse_unknown(labels: pd.DataFrame, population: Population, age: str) -> None:
    for name in labels:
        if name == age:
            continue
        known = {str(state) for state in population.marginal(str(name)).domain[str(name)]}
        if unknown := sorted(set(labels[name].dropna()) - known):
            shown = ", ".join(sorted(known)[:8]) + (", …" if len(known) > 8 else "")
            raise AnalysisError(
                f"{_TASK}: column {name!r} of the base dataset has {unknown[0]!r}; recode it, known: {shown}"
            )


def _people(groups: pd.Index[Any], names: Sequence[str], population: Population, seed: int) -> pd.DataFrame:
    facts = pd.DataFrame(groups.tolist(), columns=list(names))
    completion = population.complete(facts, seed=seed)
    if len(completion.impossible):
        group = facts.loc[completion.impossible.index[0], list(names)].tolist()
        raise AnalysisError(
            f"{_TASK}: nobody in {population.priors.locale} is {described(names, group)}; "
            "give this group no share in the target"
        )
    return completion.people.reset_index(drop=True)


def _reasons(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    before, after = table["base"].sum(), (table["base"] + table["added"]).sum()
    table = table.astype({"base": "int64", "added": "int64"}).assign(
        base_share=table["base"] / max(before, 1), share=(table["base"] + table["added"]) / max(after, 1)
    )
    table["why"] = [
        _why(base, wanted, added, before, after)
        for base, wanted, added in zip(table["base"], table["target_share"], table["added"], strict=True)
    ]
    ordered = table.sort_values(["added", "target_share"], ascending=False, kind="stable").reset_index()
    return ordered[[*names, "base", "base_share", "target_share", "added", "share", "why"]]


def _why(base: int, wanted: float, added: int, before: float, after: float) -> str:
    if not wanted:
        return "the target has no such people"
    asked = f"{100 * wanted:.1f} % of the target"
    if added:
        return f"{base} of {before:.0f} people, {asked} ({wanted * after:.0f} of {after:.0f}); added {added}"
    if base < wanted * after - 0.5:
        return f"{base} of {before:.0f} people, {asked}; other groups lack more"
    return f"has its share: {base} of {before:.0f} people, {asked}"
