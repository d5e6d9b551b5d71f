"""Quota: assigns a cell to each row so that cell counts match the wanted shares.

Counts follow Sainte-Laguë's (Webster's) highest averages: the k-th row of a cell comes at time (k - 1/2) / share,
and rows are numbered by time. Among the methods without bias between large and small cells, this one never takes a row
away from a cell when the total grows (Balinski and Young 1982); Hamilton's largest remainders does (the Alabama
paradox). So the cell of row i depends only on the shares and on i, the first n rows are apportioned like a sample of n,
and counts that sum to n are met exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np

from census_personas.foundation.arrays import Codes, Floats
from census_personas.generator.config.selection import EvidenceError


def apportion(shares: Floats, start: int, count: int) -> Codes:
    """Return the cells of rows `start` up to `start + count`.

    Args:
        shares: of each cell, at least 0, summing to 1.
        start: number of the first row.
        count: number of rows.
    """
    cells = np.flatnonzero(shares > 0)
    wanted = shares[cells]
    # At time t a cell has round(t x share) rows, so the first n rows end within len(cells) of time n.
    before = np.maximum(np.floor((start - len(cells) - 1) * wanted - 1), 0).astype(np.int64)
    after = np.ceil((start + count + len(cells) + 1) * wanted + 1).astype(np.int64)
    seats = after - before
    cell = np.repeat(np.arange(len(cells)), seats)
    seat = np.arange(len(cell)) - np.repeat(np.cumsum(seats) - seats, seats) + before[cell]
    times = (seat + 0.5) / wanted[cell]
    order = np.lexsort((cell, times))
    first = start - int(before.sum())
    return np.asarray(cells[cell[order[first : first + count]]], dtype=np.int64)


def refuse_other_counts(quota: Mapping[str, Any], rows: int, start: int = 0) -> None:
    """Refuse a quota of counts that does not match the requested rows; shares fit any number of rows.

    Raises:
        EvidenceError: counts (whole numbers, one above 1) that do not sum to `rows`, or a `start` above 0.
    """
    for name, wanted in quota.items():
        numbers = list(wanted.values()) if isinstance(wanted, Mapping) else []
        if all(_is_count(number) for number in numbers) and max(numbers, default=0) > 1:
            total = int(sum(numbers))
            if start or total != rows:
                parts = ", but apply to rows from 0 only" if start else f", but {rows} rows are requested"
                raise EvidenceError(
                    f"quota.{name}: counts sum to {total}{parts}; use -n {total}, or give shares that "
                    "sum to 1"
                )


def _is_count(number: Any) -> bool:
    if isinstance(number, bool):
        return False
    return isinstance(number, Integral) or (isinstance(number, float) and number.is_integer())
