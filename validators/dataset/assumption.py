"""Assumption: tests on a dataset the conditional independences that the model graph assumes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import chdtrc  # type: ignore[import-untyped]

from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.marginal import TableError
from census_personas.foundation.arrays import Codes, Floats, Integers
from census_personas.validators.dataset.coded_columns import Coded, entropy, joint
from census_personas.validators.dataset.independence import independences
from census_personas.validators.dataset.multiple_testing import significant
from census_personas.validators.dataset.name_fidelity import with_kinds_of_names

if TYPE_CHECKING:
    import pandas as pd

    from census_personas.census_priors.priors import Priors

STATES = 8  # most states of each attribute; the rarer ones are merged
SHUFFLES = 8  # permutations within the groups, which estimate the effect of chance
LEAST = 200  # fewest rows in groups of two and more for a test
TESTED = 20_000  # most rows that a test uses
_BLOCK = 4096  # groups per block


@dataclass(frozen=True, slots=True)
class Assumption:
    """One conditional independence that the graph assumes: one ⫫ other | given.

    Attributes:
        one: the attribute that should not depend on `other`.
        other: an attribute before it in the graph that is no parent, or a finer level of a parent.
        given: the parents of `one`; the test compares the two within groups of equal parents.
        missing: parents that the dataset lacks; without them a dependence proves nothing.
        rows: rows in groups of at least two; single rows carry no information.
        bits: conditional mutual information in those rows (plug-in estimate, biased upwards).
        chance: its mean after shuffling within the groups, an estimate of that bias.
        deviation: its standard deviation after shuffling.
        p: probability of this dependence, or a stronger one, if the assumption holds; uncorrected.
        census: conditional mutual information in a census table that has all of them; None if there is none.
        tests: number of tests that share the chance of a mark.
    """

    one: str
    other: str
    given: tuple[str, ...]
    missing: tuple[str, ...]
    rows: int
    bits: float
    chance: float
    deviation: float
    p: float
    census: float | None
    tests: int = 1

    @property
    def judged(self) -> bool:
        """Whether the dataset has the rows and columns to test it."""
        return self.rows >= LEAST and not self.missing

    @property
    def excess(self) -> float:
        """Dependence beyond chance, in bits."""
        return self.bits - self.chance

    @property
    def verdict(self) -> str:
        """`holds`, `fails`, or `not judged` if the dataset has too few rows or lacks parents."""
        if self.rows < LEAST:
            return "not judged"
        if not significant(self):
            return "holds"
        return "not judged" if self.missing else "fails"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        lists = {"given": list(self.given), "missing": list(self.missing)}
        return {**asdict(self), **lists, "excess": self.excess, "verdict": self.verdict}


def assumptions(frame: pd.DataFrame, priors: Priors, rng: np.random.Generator) -> tuple[Assumption, ...]:
    """Test each independence that the locale's graph assumes and the columns can test, smallest p first.

    By the ordered Markov property of a directed graph, each attribute is independent of all before it given its
    parents. Each independence is tested by two statistics: the generalised Cochran-Mantel-Haenszel test, which keeps
    its size in groups of any number of rows and detects associations of the same direction in all groups (Landis,
    Heyman and Koch 1978, International Statistical Review 46:237), and the mutual information within groups (the G
    test), which detects associations that differ between groups. The p value is the smaller of the two, doubled.

    Args:
        frame: columns of the dataset, a random sample of some ten thousand rows.
        priors: the graph and the census tables.
        rng: generator for shuffling.
    """
    coded = Coded(with_kinds_of_names(frame, priors), priors)
    tested = [
        independence_test(coded, priors, one, other, given, rng)
        for one, other, given in independences(priors, coded)
    ]
    return tuple(sorted(tested, key=lambda item: (bool(item.missing), item.p, -item.excess)))


def independence_test(
    coded: Coded, priors: Priors, one: str, other: str, given: tuple[str, ...], rng: np.random.Generator
) -> Assumption:
    """Test whether `one` is independent of `other` given further attributes; see `assumptions`."""
    missing = tuple(name for name in given if not coded.has(name))
    first, second = coded.codes(one), coded.codes(other)
    within, known = np.zeros(len(first), dtype=np.int64), (first >= 0) & (second >= 0)
    for name in given:
        if name not in missing:
            codes = coded.codes(name)
            known &= codes >= 0
            within = np.unique(joint(within, np.maximum(codes, 0)), return_inverse=True)[1].astype(np.int64)
    within, first, second = within[known], first[known], second[known]
    grouped = (np.bincount(within) > 1)[within] if len(within) else known[:0]
    within = np.unique(within[grouped], return_inverse=True)[1].astype(np.int64)
    order = np.argsort(within, kind="stable")
    within, first, second = within[order], _few(first[grouped][order]), _few(second[grouped][order])
    bits, chance, deviation, p = _measured(first, second, within, rng)
    return Assumption(
        one=one,
        other=other,
        given=tuple(name for name in given if name not in missing),
        missing=missing,
        rows=len(within),
        bits=bits,
        chance=chance,
        deviation=deviation,
        p=p,
        census=_census(priors, one, other, given),
    )


def _few(codes: Codes) -> Codes:
    """Return codes 0 to `STATES` - 1: the commonest states keep codes of their own, all others share the last."""
    states, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    rank = np.argsort(np.argsort(-counts, kind="stable"), kind="stable")
    found: Codes = np.minimum(rank, STATES - 1)[inverse].astype(np.int64) if len(states) else codes
    return found


def _measured(
    first: Codes, second: Codes, within: Codes, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Return the conditional mutual information, its mean and deviation by chance, and the p value."""
    if len(within) < LEAST:
        return 0.0, 0.0, 0.0, 1.0
    alone = entropy(joint(first, within)) + entropy(joint(second, within)) - entropy(within)
    placed = joint(first, within) * STATES

    def bits(other: Codes) -> float:
        return alone - entropy(placed + other)

    shuffled = [bits(second[np.argsort(within + rng.random(len(within)))]) for _ in range(SHUFFLES)]
    found, chance = bits(second), float(np.mean(shuffled))
    p = min(_within(found, chance, first, second, within), _mantel_haenszel(first, second, within))
    return found, chance, float(np.std(shuffled, ddof=1)), min(1.0, 2 * p)


def _within(found: float, chance: float, first: Codes, second: Codes, within: Codes) -> float:
    """Return the p value of the G test within groups, scaled where groups are too small for its asymptotics.

    Degrees of freedom are summed over groups without their empty rows and columns. In groups of a few rows the
    statistic's mean, estimated by shuffling, exceeds them and its spread is below a chi-squared's, so the test is
    conservative.
    """
    here = np.ones(int(within.max()) + 1)
    for codes in (first, second):
        states = np.unique(joint(codes, within)) % (int(within.max()) + 1)
        here *= np.bincount(states, minlength=len(here)) - 1
    degrees = int(here.sum())
    expected = max(chance, degrees / (2 * math.log(2) * len(within)))
    return float(chdtrc(degrees, found / expected * degrees)) if degrees else 1.0


def _mantel_haenszel(first: Codes, second: Codes, within: Codes) -> float:
    """Return the p value of the generalised Cochran-Mantel-Haenszel test (see `assumptions`)."""
    sizes = int(first.max()) + 1, int(second.max()) + 1
    groups = int(within.max()) + 1
    total, apart = np.bincount(within, minlength=groups).astype(np.float64), np.zeros(sizes)
    np.add.at(apart, (first, second), 1.0)
    ones = np.bincount(within * sizes[0] + first, minlength=groups * sizes[0]).reshape(groups, -1)
    others = np.bincount(within * sizes[1] + second, minlength=groups * sizes[1]).reshape(groups, -1)
    apart -= (ones / total[:, None]).T @ others
    covariance = np.zeros((sizes[0] ** 2, sizes[1] ** 2))
    for start in range(0, groups, _BLOCK):
        block = slice(start, start + _BLOCK)
        left = _scatter(ones[block], total[block]) / (total[block, None] - 1)
        covariance += left.T @ _scatter(others[block], total[block])
    square = covariance.reshape(sizes[0], sizes[0], sizes[1], sizes[1]).transpose(0, 2, 1, 3)
    values, vectors = np.linalg.eigh(square.reshape(apart.size, apart.size))
    kept = values > 1e-9 * max(values[-1], 1e-12)
    along = vectors[:, kept].T @ apart.ravel()
    degrees = int(kept.sum())
    return float(chdtrc(degrees, float((along**2 / values[kept]).sum()))) if degrees else 1.0


def _scatter(counts: Integers, total: Floats) -> Floats:
    """Compute diag(counts) - counts countsᵀ / total for each group; shape (groups, states squared)."""
    found = -counts[:, :, None] * counts[:, None, :] / total[:, None, None]
    diagonal = np.arange(counts.shape[1])
    found[:, diagonal, diagonal] += counts
    return np.asarray(found.reshape(len(counts), -1), dtype=np.float64)


def _census(priors: Priors, one: str, other: str, given: tuple[str, ...]) -> float | None:
    try:
        share = priors.marginal((*given, one, other)).probabilities()
    except (DomainError, TableError):
        return None
    ones, others, groups = (
        share.sum(-1, keepdims=True),
        share.sum(-2, keepdims=True),
        share.sum((-2, -1), keepdims=True),
    )
    there = share > 0
    expected = np.broadcast_to(ones * others / np.where(groups > 0, groups, 1.0), share.shape)
    return float((share[there] * np.log2(share[there] / expected[there])).sum())
