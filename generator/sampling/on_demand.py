"""On demand: table rows computed only when a draw first needs them.

A model under evidence has tables of millions of cells, but a thousand people need only a few rows. The content of a
row does not depend on when, or with which other rows, it is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np

from census_personas.foundation.arrays import AnyIntegers, Indices, Mask

Rows = Indices


class OnDemand:
    """Tracks which rows of a table are missing, and computes them."""

    def __init__(self, rows: int, make: Callable[[Rows], None]) -> None:
        """Start with all rows missing.

        Args:
            rows: number of rows.
            make: computes the rows with these numbers, independently of each other.
        """
        self._missing: Mask | None = np.ones(rows, dtype=np.bool_)
        self._make = make
        self._lock = Lock()

    def reach(self, rows: AnyIntegers) -> None:
        """Compute the missing rows among these."""
        missing = self._missing
        if missing is None or not missing.take(rows).any():
            return
        with self._lock:
            self._add(missing, np.unique(rows[missing.take(rows)]))

    def whole(self) -> None:
        """Compute all missing rows, and release their source."""
        with self._lock:
            missing = self._missing
            if missing is not None:
                self._add(missing, np.flatnonzero(missing))
                self._missing, self._make = None, _nothing

    def _add(self, missing: Mask, rows: AnyIntegers) -> None:
        if len(rows):
            self._make(rows.astype(np.intp, copy=False))
            missing[rows] = False


def _nothing(_: Rows) -> None:
    """Do nothing."""
