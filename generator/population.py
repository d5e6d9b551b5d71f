"""Population: a locale's fitted model, to sample, condition and query."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from persona_engine.census_priors.domain import Domain
from persona_engine.census_priors.marginal import Marginal
from persona_engine.census_priors.priors import Priors
from persona_engine.generator import evidence, model_cache
from persona_engine.generator.conditioning import Conditioned, condition
from persona_engine.generator.evidence import EvidenceError
from persona_engine.generator.frame import Columns
from persona_engine.generator.leaves import Leaf, leaves_of
from persona_engine.generator.likelihood import log_probabilities
from persona_engine.generator.network import Network
from persona_engine.generator.sampler import Sampler

if TYPE_CHECKING:
    from pgmpy.models import DiscreteBayesianNetwork

Where = Mapping[str, Any]


@dataclass(frozen=True)
class Population:
    """The adults of a locale as a probability model.

    Attributes:
        priors: tables and look-ups.
        network: the model fitted to the tables.
    """

    priors: Priors
    network: Network
    _conditioned: dict[str, tuple[Conditioned, Sampler]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def load(cls, locale: str | Path | Priors = "en_US") -> Population:
        """The population of a shipped locale, or of a locale folder; fitted once, then cached.

        Raises:
            DeclarationError: no such locale.
            TableError, FitError: tables that cannot be used, or that contradict each other.
        """
        priors = locale if isinstance(locale, Priors) else Priors.load(locale)
        return cls(priors, model_cache.load_or_fit(priors))

    @property
    def digest(self) -> str:
        """SHA-256 of what the model was fitted to; part of what decides a row."""
        return model_cache.model_digest(self.priors)

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Traits, ZIP codes and names, which stand beside the network."""
        return leaves_of(self.priors)

    @cached_property
    def _columns(self) -> Columns:
        return Columns(self.priors, self.leaves)

    @cached_property
    def model(self) -> DiscreteBayesianNetwork:
        """The same network in pgmpy, to query, plot and export; built when first asked for."""
        from persona_engine.generator.bayesian_network import to_pgmpy  # noqa: PLC0415  1.6 s to import

        return to_pgmpy(self.network)

    def sample(self, n: int, *, seed: int = 0, where: Where | None = None, start: int = 0) -> pd.DataFrame:
        """Draw rows `start` up to `start + n` of the population.

        Row i is a function of (model, seed, where, i): the same whatever n, start or machine.

        Args:
            n: number of rows, >= 1.
            seed: any non-negative integer.
            where: conditions on any attribute (see `evidence.masks`); the model is conditioned exactly.
            start: number of the first row.

        Returns:
            One row a person, a column for every attribute; text columns are categorical.

        Raises:
            EvidenceError: conditions that cannot be read or that nobody meets.
            ValueError: n or start out of range.
        """
        if n < 1 or start < 0:
            raise ValueError(f"sample: n={n}, start={start}; n must be at least 1 and start at least 0")
        codes = self._given(where)[1].draw(seed, start, n)
        return self._columns.frame(codes, seed, start, self._identity(where))

    def probability(self, where: Where) -> float:
        """Share of the population that meets the conditions."""
        return self._conditions(where).probability

    def marginal(self, attributes: Sequence[str], *, where: Where | None = None) -> Marginal:
        """P(attributes | where) of the model itself, no sampling; weights sum to 1.

        Attributes may be those of the network and any coarser view of them, alone or together.

        Raises:
            FitError: an attribute is unknown, or the table would be too large.
        """
        network = self._given(where)[0].network
        weights = network.joint(tuple(attributes))
        domain = Domain({name: self.priors.domain[name] for name in attributes})
        return Marginal(domain, np.maximum(weights, 0.0), None, f"model of {self.priors.locale}")

    def log_likelihood(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Log-probability (nats) of every row, over the network's attributes that the frame has all of.

        Args:
            frame: a column for each core attribute (or what it is made of: `education` from education_level and
                bachelors_field, `age_band` from age) and, optionally, further children.

        Returns:
            Shape (rows,); -inf where the model gives a row no probability.
        """
        return np.asarray(log_probabilities(self.network, self.priors, frame).sum(axis=1), dtype=np.float64)

    def explain(self) -> dict[str, Any]:
        """The graph, how well each part meets its tables, and the independences it assumes, as plain values."""
        tables = [list(names) for _, names in self.priors.tables]
        nodes = [
            {
                "child": n.child,
                "parents": [*n.parents, *([n.refines] if n.refines else [])],
                "cells": int(n.table.size),
            }
            for n in self.network.nodes
        ]
        return {
            "locale": self.priors.locale,
            "core": {"attributes": list(self.network.core_attributes), "cells": int(self.network.core.size)},
            "nodes": nodes,
            "leaves": [{"child": leaf.child, "parents": list(leaf.parents)} for leaf in self.leaves],
            "tables": tables,
            "distances": dict(self.network.distances),
            "independences": list(self.priors.declaration.independences),
            "digest": self.digest,
        }

    @cached_property
    def _unconditioned(self) -> tuple[Conditioned, Sampler]:
        sampler = Sampler.compile(self.network, self.leaves)
        return Conditioned(self.network, frozenset(), {}, 1.0), sampler

    def _given(self, where: Where | None) -> tuple[Conditioned, Sampler]:
        if not where:
            return self._unconditioned
        key = json.dumps(where, sort_keys=True, default=str)
        if key not in self._conditioned:
            conditioned = self._conditions(where)
            sampler = self._unconditioned[1].given(conditioned, self.leaves)
            self._conditioned.clear()  # one at a time: a conditioned model may take a gigabyte
            self._conditioned[key] = (conditioned, sampler)
        return self._conditioned[key]

    def _conditions(self, where: Where) -> Conditioned:
        masks = evidence.masks(where, self.priors, self.leaves)
        conditioned = condition(self.network, self.leaves, masks)
        if not conditioned.probability > 0:
            raise EvidenceError(self._why_impossible(where))
        return conditioned

    def _why_impossible(self, where: Where) -> str:
        """Name the smallest part of the conditions that nobody meets."""
        shown = json.dumps(dict(where), default=str)
        for left_out in where:
            rest = {name: wanted for name, wanted in where.items() if name != left_out}
            if (
                rest
                and not condition(
                    self.network, self.leaves, evidence.masks(rest, self.priors, self.leaves)
                ).probability
                > 0
            ):
                return self._why_impossible(rest)
        return f"where {shown}: nobody in {self.priors.locale} meets these together; loosen one of them"

    def _identity(self, where: Where | None) -> str:
        text = json.dumps(dict(where or {}), sort_keys=True, default=str)
        return hashlib.sha256(f"{self.digest}/{text}".encode()).hexdigest()
