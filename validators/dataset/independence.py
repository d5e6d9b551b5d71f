"""Independence: what goes together in a dataset, beside the census and what the model graph assumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from persona_engine.census_priors.marginal import Marginal, TableError

if TYPE_CHECKING:
    import pandas as pd

    from persona_engine.census_priors.priors import Priors

Codes = npt.NDArray[np.int64]
PERMUTED = 8  # shuffles that show what chance alone makes
CLEAR = 4.0  # standard deviations of chance from which two attributes go together
LOST = 0.5  # share of the census's association below which a dataset has lost it
EXPECTED = 5  # rows that a cell should have on average; finer levels are too sparse to be compared
WEAK = 0.001  # bits; a weaker association in the census is not worth losing a word about
PLACE = ("county", "zipcode", "city")  # where people live within a state; the first that a dataset has
PLACE_GIVEN = ("state", "ethnicity", "education_group")  # what the place may depend on
PLACE_BESIDE = ("sex", "age_band", "marital_status", "occupation_group", "labor_force_status", "income_band")


@dataclass(frozen=True, slots=True)
class Association:
    """How strongly two attributes go together.

    Attributes:
        one: an attribute, at the finest level at which a census table has both.
        other: another.
        given: attributes within whose groups the two are compared.
        edge: whether the model graph lets one depend on the other directly; if not, it assumes that they are
            independent given what either depends on.
        rows: rows counted.
        bits: mutual information in the dataset (plug-in estimate, biased upwards).
        chance: mean of the same after shuffling one within the groups, which is that bias.
        deviation: standard deviation of it.
        census: mutual information in the census table; None where no table has both.
    """

    one: str
    other: str
    given: tuple[str, ...]
    edge: bool
    rows: int
    bits: float
    chance: float
    deviation: float
    census: float | None

    @property
    def excess(self) -> float:
        """Association beyond chance, in bits."""
        return self.bits - self.chance

    @property
    def depends(self) -> bool:
        """Whether the dataset's rows go together more than chance makes them."""
        return self.excess > CLEAR * max(self.deviation, 1e-9)

    @property
    def verdict(self) -> str:
        """`lost` or `kept` beside a census table; without one `dependent` or `independent`."""
        if self.census is None:
            return "dependent" if self.depends else "independent"
        return "lost" if self.census > WEAK and self.excess < LOST * self.census else "kept"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "given": list(self.given), "excess": self.excess, "verdict": self.verdict}


def associations(frame: pd.DataFrame, priors: Priors, rng: np.random.Generator) -> tuple[Association, ...]:
    """Every pair of the dataset's attributes, then the place within a state beside what it should not depend on.

    `frame` holds the columns of the dataset, a random sample of some ten thousand rows; what is assumed comes from
    the locale's model graph (`edges`). Largest loss first.
    """
    coded = _Coded(frame, priors)
    known = edges(priors)
    found = []
    for one, other in combinations(coded.roots, 2):
        pair, census = _finest(priors, coded.views(one), coded.views(other), len(frame) / EXPECTED)
        edge = frozenset((one, other)) in known
        found.append(_measure(coded, *pair, (), rng, edge=edge, census=census))
    place = next((name for name in PLACE if name in frame.columns), None)
    given = tuple(name for name in PLACE_GIVEN if coded.has(name))
    if place is not None and "state" in given:
        found += [
            _measure(coded, place, beside, given, rng, edge=False, census=None)
            for beside in PLACE_BESIDE
            if coded.has(beside)
        ]
    return tuple(sorted(found, key=lambda item: item.excess - (item.census or 0.0)))


def edges(priors: Priors) -> frozenset[frozenset[str]]:
    """Pairs of attributes that the model graph joins directly, each at its finest level."""
    model, root = priors.declaration.model, priors.hierarchy.root
    joined = [*combinations(model.core, 2)]
    joined += [(node.child, parent) for node in model.conditionals for parent in node.parents]
    return frozenset(frozenset((root(one), root(other))) for one, other in joined if root(one) != root(other))


def information(one: Codes, other: Codes, within: Codes) -> float:
    """Mutual information of two codings within the groups of a third, in bits."""
    pair = _joint(one, other)
    return (
        _entropy(_joint(one, within)) + _entropy(_joint(other, within)) - _entropy(_joint(pair, within))
    ) - _entropy(within)


def _measure(
    coded: _Coded,
    one: str,
    other: str,
    given: tuple[str, ...],
    rng: np.random.Generator,
    *,
    edge: bool,
    census: Marginal | None,
) -> Association:
    first, second = coded.codes(one), coded.codes(other)
    within = np.zeros(len(first), dtype=np.int64)
    for name in given:
        within = _joint(within, coded.codes(name))
    present = (first >= 0) & (second >= 0)
    first, second, within = first[present], second[present], within[present]
    order = np.argsort(within, kind="stable")
    first, second, within = first[order], second[order], within[order]
    shuffled = [
        information(first, second[np.lexsort((rng.random(len(first)), within))], within)
        for _ in range(PERMUTED)
    ]
    return Association(
        one=one,
        other=other,
        given=given,
        edge=edge,
        rows=len(first),
        bits=information(first, second, within),
        chance=float(np.mean(shuffled)),
        deviation=float(np.std(shuffled, ddof=1)),
        census=None if census is None else _census(census),
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


class _Coded:
    """The columns that the domain knows, as codes, and the coarser views that follow from them."""

    def __init__(self, frame: pd.DataFrame, priors: Priors) -> None:
        self._frame, self._priors = frame, priors
        self._known = [name for name in priors.domain if name in frame.columns]
        self.roots = tuple(dict.fromkeys(priors.hierarchy.root(name) for name in self._known))
        self._codes: dict[str, Codes] = {}

    def views(self, root: str) -> list[str]:
        """The attribute and its coarser views, of those that the columns show."""
        hierarchy = self._priors.hierarchy
        return [name for name in self._priors.domain if hierarchy.root(name) == root and self.has(name)]

    def has(self, name: str) -> bool:
        return name in self._priors.domain and self._source(name) is not None

    def _source(self, name: str) -> str | None:
        hierarchy = self._priors.hierarchy
        return next((column for column in self._known if hierarchy.refines(column, name)), None)

    def codes(self, name: str) -> Codes:
        """Codes of a column or view, -1 where the value is unknown."""
        if name not in self._codes:
            self._codes[name] = self._coded(name)
        return self._codes[name]

    def _coded(self, name: str) -> Codes:
        source = self._source(name) if name in self._priors.domain else None
        if source is None:
            return np.asarray(self._frame[name].astype("category").cat.codes, dtype=np.int64)
        domain = self._priors.domain
        states = {state: code for code, state in enumerate(domain[source])}
        column = self._frame[source].astype("category")
        last = domain[source][-1]
        found = [
            states.get(min(value, last) if isinstance(last, int) else value, -1)
            for value in column.cat.categories
        ]
        fine = np.array([*found, -1], dtype=np.int64)[column.cat.codes.to_numpy()]
        coarse = np.append(self._priors.hierarchy.codes(source, name), -1).astype(np.int64)
        codes: Codes = coarse[fine].astype(np.int64)
        return codes


def _joint(one: Codes, other: Codes) -> Codes:
    joint: Codes = one * (int(other.max(initial=0)) + 1) + other
    return joint


def _entropy(codes: Codes) -> float:
    if not len(codes):
        return 0.0
    counts = np.unique(codes, return_counts=True)[1]
    return float(np.log2(len(codes)) - (counts * np.log2(counts)).sum() / len(codes))


def _census(table: Marginal) -> float:
    share = table.probabilities()
    alone = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    cells = share > 0
    return float((share[cells] * np.log2(share[cells] / alone[cells])).sum())
