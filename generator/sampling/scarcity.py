"""Scarcity: warns when a condition fits fewer living adults than the sample has rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def too_few(where: Mapping[str, Any], probability: float, adults: float | None) -> str | None:
    """Return a warning if fewer than one living person is expected to meet a condition, else None.

    Args:
        where: the condition.
        probability: share of the population that meets it.
        adults: people of the locale; None where its tables hold shares.
    """
    if adults is None or probability * adults >= 1:
        return None
    shown = json.dumps(dict(where), default=str)
    return (
        f"where {shown[:300]}: {probability * adults:.2g} of {adults:,.0f} people are expected to meet this, fewer "
        f"than one: such rows are extrapolations of the model, not people that a census counted"
    )


def more_rows_than_people(rows: int, probability: float, adults: float | None) -> str | None:
    """Return a note if there are more rows than living people who meet the condition, else None."""
    if adults is None or rows <= (people := probability * adults):
        return None
    return f"note: {rows:,} rows for about {people:,.3g} people, so several rows stand for the same person"
