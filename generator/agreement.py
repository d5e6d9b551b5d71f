"""Agreement: whether a locale's tables are sound, and tell the same wherever they tell of the same people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from persona_engine.census_priors.marginal import Array, Marginal, TableError
from persona_engine.census_priors.priors import Priors, view

# Tables whose totals differ by more count other people: adults, those who work, those past some age.
_SAME_PEOPLE = 1e-3
# Single years above a survey's top code are spread by another source, which moves a few in a thousand.
_TOLERANCE = 2e-3


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was found in a locale's tables; sound when `faults` is empty.

    Attributes:
        tables: read and found whole.
        margins: single attributes compared between two tables of the same people.
        faults: one line each: place, value and what should hold.
    """

    tables: int
    margins: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    source: str
    total: float
    shares: Array


def agreement(priors: Priors) -> Agreement:
    """Read every declared table and compare each single attribute between all that count the same people.

    Not covered: whether a table is true. Sums, signs, shapes and finite values are checked as tables are read.
    """
    seen: dict[str, list[_Seen]] = {}
    faults: list[str] = []
    tables = margins = 0
    for _, attributes in priors.tables:
        try:
            marginal = priors.table(attributes)
        except TableError as error:
            faults.append(str(error))
            continue
        tables += 1
        for name, found in _singles(priors, marginal):
            before = next((s for s in seen.get(name, ()) if _same_people(s, found)), None)
            if before is None:
                seen.setdefault(name, []).append(found)
                continue
            margins += 1
            distance = float(np.abs(before.shares - found.shares).sum() / 2)
            if distance > _TOLERANCE:
                faults.append(
                    f"{found.source}: {name} differs from {before.source} by {distance:.4f} (total variation); "
                    f"tables of the same people must agree within {_TOLERANCE}: rebuild both from one source"
                )
    return Agreement(tables, margins, tuple(faults))


def _singles(priors: Priors, marginal: Marginal) -> Iterator[tuple[str, _Seen]]:
    for name in priors.domain:
        if any(priors.hierarchy.refines(fine, name) for fine in marginal.domain):
            single = view(marginal, priors.hierarchy, (name,))
            yield name, _Seen(marginal.source, marginal.total, single.probabilities())


def _same_people(one: _Seen, other: _Seen) -> bool:
    return abs(one.total / other.total - 1) <= _SAME_PEOPLE
