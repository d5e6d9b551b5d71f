"""Coded columns: a dataset's columns as census attribute codes, and mutual information between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from census_personas.foundation.arrays import Codes

if TYPE_CHECKING:
    import pandas as pd

    from census_personas.census_priors.priors import Priors


def information(one: Codes, other: Codes, within: Codes) -> float:
    """Compute the mutual information of two codings given a third, in bits."""
    return (
        entropy(joint(one, within))
        + entropy(joint(other, within))
        - entropy(joint(joint(one, other), within))
        - entropy(within)
    )


class Coded:
    """The columns of a frame as codes of the domain's attributes, with the coarser attributes that follow from them."""

    def __init__(self, frame: pd.DataFrame, priors: Priors) -> None:
        """Take a frame; columns are coded on first use."""
        self._frame, self.priors = frame, priors
        self._known = [name for name in priors.domain if name in frame.columns]
        self.roots = tuple(dict.fromkeys(priors.hierarchy.root(name) for name in self._known))
        self._codes: dict[str, Codes] = {}

    def views(self, root: str) -> list[str]:
        """Return the attribute and its coarser views, as far as the columns determine them."""
        return [
            name for name in self.priors.domain if self.priors.hierarchy.root(name) == root and self.has(name)
        ]

    def has(self, name: str) -> bool:
        """Return whether the columns determine an attribute: directly, by a finer one, or by its views together."""
        if name not in self.priors.domain:
            return name in self._frame.columns
        return bool(self._source(name) or self._parts(name))

    def codes(self, name: str) -> Codes:
        """Return the codes of an attribute or of any other column; -1 for unknown values."""
        if name not in self._codes:
            self._codes[name] = self._coded(name)
        return self._codes[name]

    def _source(self, name: str) -> str | None:
        hierarchy = self.priors.hierarchy
        return next((column for column in self._known if hierarchy.refines(column, name)), None)

    def _parts(self, name: str) -> list[str]:
        """Return the columns that are views of the attribute, if together they determine its state."""
        hierarchy = self.priors.hierarchy
        views = [column for column in self._known if hierarchy.refines(name, column)]
        kinds = self._together([hierarchy.codes(name, view).astype(np.int64) for view in views])
        whole = bool(views) and len(np.unique(kinds)) == len(kinds)
        return views if whole else []

    def _coded(self, name: str) -> Codes:
        hierarchy = self.priors.hierarchy
        source = self._source(name) if name in self.priors.domain else None
        if source is not None:
            coarse = np.append(hierarchy.codes(source, name), -1).astype(np.int64)
            return np.asarray(coarse[self._column(source)], dtype=np.int64)
        if name not in self.priors.domain:
            return np.asarray(self._frame[name].astype("category").cat.codes, dtype=np.int64)
        views = self._parts(name)
        sizes = [len(self.priors.domain[view]) for view in views]
        states = np.full(int(np.prod(sizes)), -1, dtype=np.int64)
        kinds = np.ravel_multi_index([hierarchy.codes(name, view) for view in views], sizes)
        states[kinds] = np.arange(len(kinds))
        columns = [self._column(view) for view in views]
        known = np.all([column >= 0 for column in columns], axis=0)
        flat = np.ravel_multi_index([np.maximum(column, 0) for column in columns], sizes)
        return np.where(known, states[flat], -1)

    @staticmethod
    def _together(codes: list[Codes]) -> Codes:
        whole = np.zeros(len(codes[0]) if codes else 0, dtype=np.int64)
        for each in codes:
            whole = joint(whole, each)
        return whole

    def _column(self, name: str) -> Codes:
        """Return the codes of a column of the domain."""
        states = {state: code for code, state in enumerate(self.priors.domain[name])}
        column = self._frame[name].astype("category")
        last = self.priors.domain[name][-1]
        coded = [
            states.get(min(value, last) if isinstance(last, int) else value, -1)
            for value in column.cat.categories
        ]
        codes: Codes = np.array([*coded, -1], dtype=np.int64)[column.cat.codes.to_numpy()]
        return codes


def joint(one: Codes, other: Codes) -> Codes:
    """Return one code for each pair of codes."""
    codes: Codes = one * (int(other.max(initial=0)) + 1) + other
    return codes


def entropy(codes: Codes) -> float:
    """Compute the entropy of the codes, in bits."""
    if not len(codes):
        return 0.0
    dense = codes.max() < 8 * len(codes)
    counts = np.bincount(codes) if dense else np.unique(codes, return_counts=True)[1]
    counts = counts[counts > 1]  # 1 * log2(1) adds nothing to the sum
    return float(np.log2(len(codes)) - (counts * np.log2(counts)).sum() / len(codes))
