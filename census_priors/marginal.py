"""Marginal: a census table of weighted counts over some attributes, validated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.domain import Domain
from census_personas.foundation.arrays import Floats
from census_personas.foundation.errors import PersonasError

# Weights with a smaller sum lose digits when divided by it.
_LEAST_TOTAL = 1e-100


class TableError(PersonasError, ValueError):
    """An invalid table; the message names file, cell and remedy."""


@dataclass(frozen=True, slots=True)
class Marginal:
    """Weighted counts over `domain`, and the persons behind them.

    Attributes:
        domain: the attributes of the table; `weights.shape == domain.shape`.
        weights: population counts (persons), >= 0, not all zero.
        samples: unweighted persons per cell, same shape, so that thin cells can be shrunk;
            None if they are not published.
        source: file or table number, for errors and provenance.
    """

    domain: Domain
    weights: Floats
    samples: Floats | None = None
    source: str = ""

    def __post_init__(self) -> None:
        """Reject shapes that do not match, NaN, infinite, negative and all-zero weights."""
        for kind, values in (("weights", self.weights), ("samples", self.samples)):
            if values is not None:
                self._check(kind, values)
        with np.errstate(over="ignore"):
            total = self.weights.sum()
        if not total > 0:
            raise TableError(f"{self.source}: all weights are zero; a table needs at least one person")
        if total < _LEAST_TOTAL:
            raise TableError(f"{self.source}: weights add up to {total:g}; give counts of persons, or shares")
        if not np.isfinite(total):
            raise TableError(f"{self.source}: weights are too large to add up; give counts of persons")

    def _check(self, kind: str, values: Floats) -> None:
        if values.shape != self.domain.shape:
            raise TableError(
                f"{self.source}: {kind} have shape {values.shape}, the domain {self.domain.shape}"
            )
        bad = ~np.isfinite(values) | (values < 0)
        if bad.any():
            cell = np.unravel_index(int(np.argmax(bad)), values.shape)
            where = ", ".join(
                f"{a}={self.domain[a][int(i)]!r}" for a, i in zip(self.domain, cell, strict=True)
            )
            raise TableError(f"{self.source}: {kind} of {where} are {values[cell]}; counts must be >= 0")

    @property
    def total(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    def project(self, attributes: str | Sequence[str]) -> Marginal:
        """Sum out every other attribute; axes come in the given order.

        Raises:
            DomainError: an attribute is unknown.
        """
        kept = self.domain.axes(attributes)
        summed = tuple(axis for axis in range(self.weights.ndim) if axis not in kept)
        order = np.argsort(np.argsort(kept))

        def shrink(values: Floats) -> Floats:
            return np.asarray(np.transpose(values.sum(axis=summed), order), dtype=np.float64)

        samples = None if self.samples is None else shrink(self.samples)
        return replace(
            self, domain=self.domain.project(attributes), weights=shrink(self.weights), samples=samples
        )

    def probabilities(self) -> Floats:
        """Return the weights divided by their sum."""
        return np.asarray(self.weights / self.weights.sum(), dtype=np.float64)

    def to_pandas(self) -> pd.DataFrame:
        """Convert to a tidy frame: one row per cell, one column per attribute, then `weight` and `sample_size`.

        Rows are in the order of the states, the last attribute fastest, cells of weight 0 included, so that
        `frame["weight"].to_numpy().reshape(marginal.domain.shape)` is `weights`; the index counts the rows. Attributes
        are categorical with the states in order, or integers. `sample_size` is NaN if it is not published.
        `frame.set_index([*marginal.domain])["weight"]` is a series by state, and
        `frame.pivot_table("weight", "sex", "region", aggfunc="sum", observed=False)` a table of two.
        """
        codes = np.unravel_index(np.arange(self.domain.size), self.domain.shape)
        columns: dict[str, Any] = {}
        for name, code in zip(self.domain, codes, strict=True):
            states = self.domain[name]
            columns[name] = (
                np.array(states)[code]
                if all(isinstance(state, int) for state in states)
                else pd.Categorical(np.array(states, dtype=str)[code], list(map(str, states)), ordered=True)
            )
        columns["weight"] = self.weights.ravel()
        columns["sample_size"] = np.nan if self.samples is None else self.samples.ravel()
        return pd.DataFrame(columns)
