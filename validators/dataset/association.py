"""Association: what goes together in a dataset, pair by pair, beside the census and the edges of the model graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.validators.dataset.coded_columns import Coded, information
from census_personas.validators.dataset.multiple_testing import significant

if TYPE_CHECKING:
    import pandas as pd

    from census_personas.census_priors.priors import Priors

PERMUTED = 8  # shuffles that show what chance alone makes
CLEAR = 4.0  # standard deviations of chance from which two attributes go together
LOST = 0.5  # share of the census's association below which a dataset has lost it
EXPECTED = 5  # rows that a cell should have on average; finer levels are too sparse to be compared
WEAK = 0.001  # bits; a weaker association in the census is not worth losing a word about


@dataclass(frozen=True, slots=True)
class Association:
    """How strongly two attributes go together.

    Attributes:
        one: an attribute, at the finest level at which a census table has both.
        other: another.
        edge: whether the model graph lets one depend on the other directly.
        rows: rows counted.
        bits: mutual information in the dataset (plug-in estimate, biased upwards).
        chance: mean of the same after shuffling one, which is that bias.
        deviation: standard deviation of it.
        census: mutual information in the census table; None where no table has both.
        tests: tests that are counted together with this one.
    """

    one: str
    other: str
    edge: bool
    rows: int
    bits: float
    chance: float
    deviation: float
    census: float | None
    tests: int = 1

    @property
    def excess(self) -> float:
        """Association beyond chance, in bits."""
        return self.bits - self.chance

    @property
    def depends(self) -> bool:
        """Whether the dataset's rows go together more than chance makes them."""
        return self.excess > CLEAR * max(self.deviation, 1e-9)

    @property
    def p(self) -> float:
        """Probability of so little information, or less, in a sample of a population that has the census's.

        The information that samples show varies by their size, about sqrt(2 I / rows) in nats, and by chance.
        """
        if self.census is None:
            return 1.0
        sampled = math.sqrt(2 * self.census / (max(self.rows, 1) * math.log(2)))
        error = math.hypot(self.deviation, sampled)
        return math.erfc((self.census - self.excess) / error / math.sqrt(2)) / 2 if error else 1.0

    @property
    def verdict(self) -> str:
        """Return `lost`, `kept` or (too few rows) `not judged` beside a census table, else whether it depends."""
        if self.census is None:
            return "dependent" if self.depends else "independent"
        if self.census <= WEAK or self.excess >= LOST * self.census:
            return "kept"
        return "lost" if significant(self) else "not judged"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "excess": self.excess, "verdict": self.verdict}


def associations(
    frame: pd.DataFrame,
    priors: Priors,
    rng: np.random.Generator,
    expected: Callable[[Sequence[str]], Marginal | None] | None = None,
) -> tuple[Association, ...]:
    """Every pair of the dataset's attributes, largest loss first; `assumption` tests what the graph joins nowhere.

    `frame` holds the columns of the dataset, a random sample of some ten thousand rows. `expected` gives the shares
    that stand for the census's where a census table has a pair, such as those of a part of the population.
    """
    coded = Coded(frame, priors)
    known = edges(priors)
    found = []
    for one, other in combinations(coded.roots, 2):
        pair, census = _finest(priors, coded.views(one), coded.views(other), len(frame) / EXPECTED)
        if census is not None and expected is not None:
            census = expected(pair)
        edge = frozenset((one, other)) in known
        found.append(_measure(coded, *pair, rng, edge=edge, census=census))
    return tuple(sorted(found, key=lambda item: item.excess - (item.census or 0.0)))


def edges(priors: Priors) -> frozenset[frozenset[str]]:
    """Pairs of attributes that the model graph joins directly, each at its finest level."""
    model, root = priors.declaration.model, priors.hierarchy.root
    joined = [*combinations(model.core, 2)]
    joined += [(node.child, parent) for node in model.conditionals for parent in node.parents]
    return frozenset(frozenset((root(one), root(other))) for one, other in joined if root(one) != root(other))


def _measure(
    coded: Coded, one: str, other: str, rng: np.random.Generator, *, edge: bool, census: Marginal | None
) -> Association:
    first, second = coded.codes(one), coded.codes(other)
    present = (first >= 0) & (second >= 0)
    first, second = first[present], second[present]
    within = np.zeros(len(first), dtype=np.int64)
    shuffled = [information(first, rng.permutation(second), within) for _ in range(PERMUTED)]
    return Association(
        one=one,
        other=other,
        edge=edge,
        rows=len(first),
        bits=information(first, second, within),
        chance=float(np.mean(shuffled)),
        deviation=float(np.std(shuffled, ddof=1)),
        census=None if census is None else mutual(census),
    )


def _finest(
    priors: Priors, ones: Sequence[str], others: Sequence[str], most: float
) -> tuple[tuple[str, str], Marginal | None]:
    """The two finest levels of at most so many cells that a table has together, and that table, if there is one."""
    pairs = sorted(product(ones, others), key=lambda pair: -priors.domain.project(pair).size)
    pairs = [pair for pair in pairs if priors.domain.project(pair).size <= most] or pairs[-1:]
    for pair in pairs:
        try:
            return pair, priors.marginal(pair)
        except TableError:
            continue
    return pairs[0], None


def mutual(table: Marginal) -> float:
    """Mutual information of a census table's two attributes, in bits."""
    share = table.probabilities()
    alone = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    cells = share > 0
    return float((share[cells] * np.log2(share[cells] / alone[cells])).sum())
