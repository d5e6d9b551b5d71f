"""Traits: the five personality scores and their levels."""

from __future__ import annotations

from bisect import bisect_right

TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
LOWEST, HIGHEST, MEAN, DEVIATION = 20, 80, 50.0, 10.0
"""T-scores N(50, 10), rounded and clipped to 20..80: the published recipe of Nemotron-Personas."""
LEVELS = ("very_low", "low", "average", "high", "very_high")
LEVEL_EDGES = (35, 45, 55, 65)
"""Below 35 is very low, below 45 low, below 55 average, below 65 high, and from 65 on very high (the same recipe)."""


def level_of(score: int) -> int:
    """Return the position in `LEVELS` of a T-score."""
    return bisect_right(LEVEL_EDGES, score)
