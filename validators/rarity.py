"""Rarity: how much rarer a combination of states is than independence predicts, and what share of people have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import Marginal
from census_personas.foundation.arrays import Floats

PRIOR_PERSONS = 2.0  # strength of the shrinkage of a cell towards independence, in unweighted persons


@dataclass(frozen=True, slots=True)
class Rarity:
    """How rare a combination of states is.

    Attributes:
        lift: P(child, parents) / (P(child) P(parents)), shrunk; 1 under independence.
        tail: share of the population in cells with at most this lift. A rule that reports all combinations
            with `tail < t` reports a share t of real people, for any table.
        probability: P(child | parents), shrunk.
    """

    lift: float
    tail: float
    probability: float


class LiftTable:
    """Lift and tail of every cell of one census table.

    The lift is shrunk as a Gamma-Poisson rate, (observed + m) / (expected + m) in unweighted persons with
    m = 2 (DuMouchel 1999, The American Statistician 53:177, with a fixed prior), so that an empty cell of a
    thin table does not count as impossible.
    """

    def __init__(self, table: Marginal, child: str, parents: Sequence[str]) -> None:
        """Compute lift and tail from a table over the child and its parents."""
        ordered = table.project((*parents, child))
        self.child, self.parents, self.domain = child, tuple(parents), ordered.domain
        share = ordered.probabilities()
        persons = float(ordered.samples.sum()) if ordered.samples is not None else ordered.total
        of_parents = share.sum(axis=-1, keepdims=True)
        of_child = share.sum(axis=tuple(range(share.ndim - 1)), keepdims=True)
        independent = of_parents * of_child
        self.lift = (persons * share + PRIOR_PERSONS) / (persons * independent + PRIOR_PERSONS)
        self.probability = np.minimum(self.lift * of_child, 1.0)
        self.tail = _tail(self.lift, share)
        self._attributes = self.domain.attributes
        self._codes = [_codes(self.domain, attribute) for attribute in self._attributes]
        self._known: dict[tuple[Any, ...], Rarity | None] = {}

    def oddity(self, record: Mapping[str, Any]) -> Rarity | None:
        """Return the rarity of a record's cell; None if it lacks an attribute or has a state unknown to the table."""
        values = tuple(map(record.get, self._attributes))
        try:
            return self._known[values]
        except KeyError:
            rarity = self._oddity(values)
        except TypeError:
            return None
        if rarity is not None and len(self._known) < self.lift.size:  # a bound, for ages have none
            self._known[values] = rarity
        return rarity

    def _oddity(self, values: tuple[Any, ...]) -> Rarity | None:
        cell = tuple(
            codes.get(value) if isinstance(value, str) and oldest is None else _age_code(value, codes, oldest)
            for (codes, oldest), value in zip(self._codes, values, strict=True)
        )
        if None in cell:
            return None
        return Rarity(float(self.lift[cell]), float(self.tail[cell]), float(self.probability[cell]))


def _tail(lift: Floats, share: Floats) -> Floats:
    order = np.argsort(lift, axis=None, kind="stable")
    below = np.cumsum(share.ravel()[order])
    ranked = lift.ravel()[order]
    last = np.searchsorted(ranked, ranked, side="right") - 1
    tail = np.empty(lift.size)
    tail[order] = below[last]
    return tail.reshape(lift.shape)


def _codes(domain: Domain, attribute: str) -> tuple[Mapping[Any, int], int | None]:
    """Return state -> position, and the last state if states are ages."""
    states = domain[attribute]
    codes = {state: code for code, state in enumerate(states)}
    return codes, int(states[-1]) if isinstance(states[-1], int) else None


def _age_code(value: Any, codes: Mapping[Any, int], oldest: int | None) -> int | None:
    """Return the position of an age, where older ages count as the last one; None if the value is no age."""
    if oldest is None:
        return None
    try:
        return codes.get(min(int(value), oldest))
    except (TypeError, ValueError):
        return None
