"""Plausibility: how rare each fact of a record is given its other facts, by the fitted model."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from census_personas.foundation.arrays import Codes, Floats
from census_personas.foundation.randomness import generator_of
from census_personas.generator.model.network import Network
from census_personas.generator.model.posterior import Posterior
from census_personas.generator.model.pruning import reduced
from census_personas.validators.rarity import Rarity

if TYPE_CHECKING:
    from census_personas.generator.population.population import Population

JUDGED = ("schooling", "marital", "sex", "work", "military")
"""Roles of facts that are judged given the others; age and occupation are only used as evidence."""
ASIDE = ("origin", "birth", "language")
"""Roles that, with their views, are summed over as if unknown: rarity that depends on them is not a fault."""
PEOPLE = 10_000  # sampled people whose conditional distributions define what is rare
SEED = 20_240_701
_CELLS = 100_000  # most hidden cells; beyond, nearly nothing is known and no fact is judged
_KINDS = 8  # most sets of columns that are calibrated; records with further ones are not judged
_BLOCK = 2048  # rows drawn at a time


@dataclass(frozen=True, slots=True)
class Tail:
    """Distribution of one fact's lift over the modelled population.

    Attributes:
        lifts: in ascending order.
        below: share of the modelled population with at most each lift.
        shares: P(fact), by state.
    """

    lifts: Floats
    below: Floats
    shares: Floats

    def of(self, lifts: Floats) -> Floats:
        """Return the share of the population that is as rare or rarer; 0 where the model gives probability 0."""
        return np.where(lifts > 0, np.interp(lifts, self.lifts, self.below), 0.0)


class Plausibility:
    """Compares P(fact | all other facts of the record), see `Posterior`, with its distribution in the model.

    The lift of a fact is that probability divided by the fact's share among all adults. `Rarity.tail` is the share of
    the modelled population with a lift at most that small. It is computed from sampled people, using the whole
    conditional distribution of each and not one drawn value (Rao-Blackwell), so that shares far below one in `PEOPLE`
    are resolved.
    """

    def __init__(
        self,
        network: Network,
        judged: Sequence[str],
        aside: Container[str] = (),
        *,
        people: int = PEOPLE,
        seed: int = SEED,
    ) -> None:
        """Compute nothing yet; facts that the model does not have are not judged."""
        self._network = network
        self._aside = aside
        self._facts = tuple(name for name in judged if name in network.hierarchy.domain)
        self._hierarchy = network.hierarchy
        self._posterior = Posterior(network)
        self._people, self._seed = people, seed
        self._tails: dict[tuple[str, ...], dict[str, Tail]] = {}

    @classmethod
    def of(cls, population: Population) -> Plausibility:
        """Judge the facts of a locale with the roles of `JUDGED`, without using those of `ASIDE`."""
        roles, hierarchy = population.priors.roles, population.priors.hierarchy
        aside = {
            name for name in hierarchy.domain if not {*roles.named(ASIDE)}.isdisjoint(hierarchy.chain(name))
        }
        return cls(population.network, roles.named(JUDGED), aside)

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """The facts that are used."""
        in_network = {*self._network.core_attributes, *(node.child for node in self._network.nodes)}
        return tuple(
            name
            for name in self._hierarchy.domain
            if name not in self._aside and in_network.intersection(self._hierarchy.chain(name))
        )

    def oddities(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Rarity]]:
        """Return the rarity of each judged fact of each record; missing and unknown facts are not used."""
        codes = self._codes(records, self.attributes)
        known = np.stack([codes[name] >= 0 for name in self.attributes], axis=1)
        found: list[dict[str, Rarity]] = [{} for _ in records]
        kinds, kind_of = np.unique(known, axis=0, return_inverse=True)
        for kind, present in enumerate(kinds):
            rows = np.flatnonzero(kind_of.ravel() == kind)
            names = tuple(name for name, there in zip(self.attributes, present, strict=True) if there)
            for fact, tail in self._tails_of(names).items():
                here = {name: codes[name][rows] for name in names}
                probabilities, own = self._posterior.given(here, fact), self._hierarchy.view(fact, here)
                chosen = probabilities[np.arange(len(rows)), own]
                lifts = chosen / tail.shares[own]
                for row, lift, share, probability in zip(rows, lifts, tail.of(lifts), chosen, strict=True):
                    if probability == probability:  # noqa: PLR0124 - NaN: the other facts exclude each other
                        found[row][fact] = Rarity(float(lift), float(share), float(probability))
        return found

    def _codes(self, records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Codes]:
        """Return codes of the facts, -1 for a missing or unknown value; ages beyond the last state belong to it."""
        domain = self._hierarchy.domain
        found = {}
        for name in names:
            states: dict[Any, int] = {state: code for code, state in enumerate(domain[name])}
            last = domain[name][-1]
            values = [record.get(name) for record in records]
            if isinstance(last, int):
                found[name] = np.array([_age(value, states, last) for value in values], dtype=np.int64)
            else:
                kept = (states.get(value, -1) if isinstance(value, str) else -1 for value in values)
                found[name] = np.fromiter(kept, dtype=np.int64, count=len(values))
        return found

    def _tails_of(self, names: tuple[str, ...]) -> dict[str, Tail]:
        """Return the tail of each fact among people with these known facts."""
        if names not in self._tails:
            if len(self._tails) >= _KINDS:
                return {}
            codes = self._sampled(names)
            roots = {self._hierarchy.root(name) for name in names}
            self._tails[names] = {
                fact: self._tail(codes, fact)
                for fact in self._facts
                if any(name in names for name in self._hierarchy.chain(fact))
                and len(roots) > 1
                and self._posterior.cells(names, fact) <= _CELLS
            }
        return self._tails[names]

    def _sampled(self, names: Sequence[str]) -> dict[str, Codes]:
        """Return these facts of sampled people, drawn by inverting the distribution function of each node.

        `Sampler` would draw other people and so change which rows of a dataset are flagged as unusual; compiling one
        would not pay for so few people either.
        """
        network, _ = reduced(self._network, names, {})
        rng = generator_of(self._seed)
        below = np.cumsum(network.core, dtype=np.float64)
        cells = np.searchsorted(below, rng.random(self._people) * below[-1], side="right")
        core = np.unravel_index(cells, network.core.shape)
        codes: dict[str, Codes] = {
            name: c.astype(np.int64) for name, c in zip(network.core_attributes, core, strict=True)
        }
        for node in network.nodes:
            numbers = rng.random(self._people)
            parts = [slice(first, first + _BLOCK) for first in range(0, self._people, _BLOCK)]
            codes[node.child] = np.concatenate(
                [
                    _inverted(
                        node.distribution({n: c[part] for n, c in codes.items()}, self._hierarchy),
                        numbers[part],
                    )
                    for part in parts
                ]
            )
        return {name: self._hierarchy.view(name, codes) for name in names}

    def _tail(self, codes: Mapping[str, Codes], fact: str) -> Tail:
        probabilities = self._posterior.given(codes, fact)
        shares = np.asarray(self._network.joint((fact,)), dtype=np.float64)
        lifts = (probabilities / shares).ravel()
        order = np.argsort(lifts, kind="stable")
        below = np.cumsum(probabilities.ravel()[order]) / len(probabilities)
        return Tail(lifts[order], below, shares)


def _inverted(shares: Floats, numbers: Floats) -> Codes:
    """Return the state at which each row's distribution function exceeds its number."""
    below = np.cumsum(shares, axis=1)
    drawn: Codes = (below <= numbers[:, None] * below[:, -1:]).sum(axis=1)
    states: Codes = np.minimum(drawn, shares.shape[1] - 1)
    return states


def _age(value: Any, states: Mapping[Any, int], last: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        return -1
    return states.get(min(value, last), -1)
