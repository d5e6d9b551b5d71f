"""Scarcity: warns when a condition fits fewer living adults than the sample has rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def too_few(where: Mapping[str, Any], probability: float, adults: float | None) -> str | None:
    """What to warn of where fewer than one living person meets a condition; None where there is one, or nobody knows.

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
        f"than one: such rows are what the model makes of its tables, and no people whom a census counted"
    )


def more_rows_than_people(rows: int, probability: float, adults: float | None) -> str | None:
    """What to say where more rows are asked for than people live who could be meant; else None."""
    if adults is None or rows <= (people := probability * adults):
        return None
    return f"note: {rows:,} rows of about {people:,.3g} people, so that some stand for the same person"
