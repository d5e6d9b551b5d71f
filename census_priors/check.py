"""Check: tests whether a locale's files are unchanged and agree with each other and with published figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from census_personas.census_priors import lock, published
from census_personas.census_priors.coverage import uncounted
from census_personas.census_priors.declaration import Lookup
from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.census_priors.places import UnknownPlaceError
from census_personas.census_priors.priors import PROVENANCE, Priors, view

HALF_UNIT = 0.005
"""Cells are written with two decimals, so that each is off by at most half a hundredth."""
DIFFERENCE = 1e-3
"""Total variation distance above which two sources count as different."""
SHOWN = 5
TABLES_READ = "tables can be read and have no bad cell"

_LOOKUP_FILES: Mapping[Lookup, str] = {
    "names": "lookups/names_last.parquet",
    "occupations": "lookups/occupations.parquet",
    "places": "lookups/places.parquet",
}

Tables = Mapping[tuple[str, ...], Marginal]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one check of a locale.

    Attributes:
        name: the checked statement.
        passed: whether the statement is true.
        found: the evidence, in words or numbers.
        expected: the expected value; '' if the name states it.
        source: publisher of the expected value.
    """

    name: str
    passed: bool
    found: str
    expected: str = ""
    source: str = ""


def check(priors: Priors) -> tuple[Verdict, ...]:
    """Run every check: digests, tables, shared margins, structural zeros, look-ups, published figures.

    Not covered: figures that nobody published.
    """
    tables, faults = _read(priors)
    verdicts = [_digests(priors), _faultless(TABLES_READ, len(tables), faults)]
    verdicts += [_margins(priors, tables), *_deciding(priors, tables), _counted(priors, tables, faults)]
    verdicts += [_zeros(priors, tables), _areas(priors), _lookups(priors)]
    return (*verdicts, *_published(priors))


def _faultless(name: str, asked: int, faults: list[str]) -> Verdict:
    more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    return Verdict(name, not faults, "; ".join(faults[:SHOWN]) + more if faults else f"{asked:,} checked")


def _read(priors: Priors) -> tuple[Tables, list[str]]:
    tables, faults = {}, []
    for _, attributes in priors.tables:
        try:
            tables[attributes] = priors.table(attributes)
        except TableError as error:
            faults.append(str(error))
    return tables, faults


def _digests(priors: Priors) -> Verdict:
    """Compare digests with the lock; only a locale written by hand may lack one."""
    name = f"files are those of {lock.LOCK}"
    try:
        locked = lock.read_lock(priors.folder)
    except TableError as error:
        return Verdict(name, False, str(error))
    if locked is None:
        compiled = bool(priors.declaration.lookups) or (priors.folder / PROVENANCE).is_file()
        return Verdict(
            name, not compiled, f"{lock.LOCK} is missing" if compiled else "the locale has no lock"
        )
    return _faultless(name, len(locked), lock.diff_lock(priors.folder))


def _margins(priors: Priors, tables: Tables) -> Verdict:
    """Compare every two tables of the same universe on their finest common attributes."""
    compared, worst, faults = 0, 0.0, []
    for one, other, shared in _overlaps(priors, tables):
        compared += 1
        distance = _distance(priors, tables[one], tables[other], shared)
        cells = np.count_nonzero(tables[one].weights) + np.count_nonzero(tables[other].weights)
        rounding = cells * HALF_UNIT / min(tables[one].total, tables[other].total)
        worst = max(worst, distance)
        if distance > priors.declaration.agreement + rounding:
            names = " and ".join("-".join(table) for table in (one, other))
            faults.append(
                f"{names} differ by {distance:.2g} on {', '.join(shared)}; correct them, or accept the difference by "
                f"`agreement: {distance:.2g}` or more"
            )
    expected = f"distance at most {priors.declaration.agreement:g} and rounding"
    verdict = _faultless("tables agree on the margins that they share", compared, faults)
    found = verdict.found if faults else f"{compared:,} compared, largest distance {worst:.1e}"
    return Verdict(verdict.name, not faults, found, expected)


def _overlaps(
    priors: Priors, tables: Tables
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    for one, other in combinations(tables, 2):
        if priors.universe(one) == priors.universe(other) and (shared := _shared(priors, one, other)):
            yield one, other, shared


def _deciding(priors: Priors, tables: Tables) -> Iterator[Verdict]:
    """Report which source decides where two sources differ; only if the locale declares priorities."""
    sources = priors.declaration.sources
    if not any(source.priority for source in sources.values()):
        return
    of = {names: source for source, names in priors.tables}
    faults = [
        f"{name} has a priority but no table"
        for name in sources
        if sources[name].priority and name not in of.values()
    ]
    decided: dict[str, None] = {}
    for one, other, shared in _overlaps(priors, tables):
        if _distance(priors, tables[one], tables[other], shared) > DIFFERENCE:
            first, second = sorted((of[one], of[other]), key=lambda name: -sources[name].priority)
            equal = sources[first].priority == sources[second].priority
            if first != second:
                decided[
                    f"{first} and {second} have equal priority" if equal else f"{first} decides over {second}"
                ] = None
    shown = "; ".join(decided) or "no two sources differ"
    yield Verdict(
        "where sources differ, priorities say which decides", not faults, "; ".join(faults) or shown
    )


def _counted(priors: Priors, tables: Tables, unread: list[str]) -> Verdict:
    name = "every state of the model is counted by a table"
    if unread:
        return Verdict(name, False, "not every table can be read")
    model = priors.declaration.model
    asked = sum(
        len(priors.domain[part]) for part in (*model.core, *(node.child for node in model.conditionals))
    )
    return _faultless(name, asked, list(uncounted(priors, tables.values())))


def _shared(priors: Priors, one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    refines = priors.hierarchy.refines
    both = (
        n for n in priors.domain if all(any(refines(fine, n) for fine in table) for table in (one, other))
    )
    return priors.hierarchy.finest(both)


def _distance(priors: Priors, one: Marginal, other: Marginal, shared: tuple[str, ...]) -> float:
    """Compute the distance in persons over the smaller total, so that totals must agree too."""
    weights = [view(marginal, priors.hierarchy, shared).weights for marginal in (one, other)]
    return float(np.abs(weights[0] - weights[1]).sum() / 2 / min(one.total, other.total))


def _zeros(priors: Priors, tables: Tables) -> Verdict:
    asked, faults = 0, []
    for zero in priors.declaration.model.zeros:
        for attributes, marginal in tables.items():
            if all(any(priors.hierarchy.refines(fine, name) for fine in attributes) for name in zero):
                asked += 1
                weights = view(marginal, priors.hierarchy, tuple(zero)).weights
                codes = [
                    [priors.domain.code(name, state) for state in states] for name, states in zero.items()
                ]
                persons = float(weights[np.ix_(*codes)].sum())
                if persons > HALF_UNIT * marginal.total * 1e-2:
                    faults.append(f"{'-'.join(attributes)}: {persons:,.0f} persons in {dict(zero)}")
    return _faultless("structural zeros have no persons", asked, faults)


def _areas(priors: Priors) -> Verdict:
    name = "areas declared as modelled exist"
    region = priors.roles.get("region")
    if region is None or region not in priors.domain:
        return Verdict(name, not priors.declaration.modelled, "the locale has no areas")
    unknown = [area for area in priors.declaration.modelled if area not in priors.domain[region]]
    return _faultless(name, len(priors.declaration.modelled), unknown)


def _lookups(priors: Priors) -> Verdict:
    """Read every declared look-up as a population does."""
    declared, faults = priors.declaration.lookups, []
    for name in declared:
        try:
            _open(priors, name)
        except (TableError, DomainError, UnknownPlaceError) as error:
            faults.append(str(error))
    for name, file in _LOOKUP_FILES.items():
        if name not in declared and (priors.folder / file).exists():
            faults.append(f"{file}: is not used; add {name} to `lookups` of priors.yaml")
    return _faultless("look-ups are declared and can be read", len(declared), faults)


def _open(priors: Priors, name: Lookup) -> None:
    if name == "names":
        _ = (
            priors.names.first,
            priors.names.last,
            priors.names.middle if "middle_name" in priors.roles else (),
        )
    elif name == "places":
        priors.residence.table()
    else:
        _ = priors.occupations.names


def _published(priors: Priors) -> Iterator[Verdict]:
    for fact in published.read_facts(priors.folder):
        try:
            value = published.table_value(fact, priors)
        except (TableError, DomainError) as error:
            yield Verdict(fact.name, False, str(error), _number(fact.value), fact.source)
            continue
        passed = abs(value - fact.value) <= fact.margin
        expected = f"{_number(fact.value)} ± {_number(fact.margin)}"
        yield Verdict(fact.name, bool(passed), _number(value), expected, fact.source)


def _number(value: float) -> str:
    return f"{value:.4f}" if 0 < value < 1 else f"{value:,.0f}"
