"""On demand: table rows computed only when a draw first needs them.

A model under evidence has tables of millions of cells, of which a thousand people need few rows. What a row is made
of does not depend on when it is made, or on what is made beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np

from census_personas.foundation.arrays import AnyIntegers, Indices, Mask

Rows = Indices


class OnDemand:
    """Which rows of a table are still to be made, and how."""

    def __init__(self, rows: int, make: Callable[[Rows], None]) -> None:
        """Nothing is made yet.

        Args:
            rows: number of rows.
            make: makes rows of these numbers, the same whatever they are made beside.
        """
        self._missing: Mask | None = np.ones(rows, dtype=np.bool_)
        self._make = make
        self._lock = Lock()

    def reach(self, rows: AnyIntegers) -> None:
        """Make those of these rows that are missing."""
        missing = self._missing
        if missing is None or not missing.take(rows).any():
            return
        with self._lock:
            self._add(missing, np.unique(rows[missing.take(rows)]))

    def whole(self) -> None:
        """Make all rows that are missing, and let go of what they are made from."""
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
    """Make nothing."""
