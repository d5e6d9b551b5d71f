"""Reference: what the census says, in the form in which rules ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from persona_engine.census_priors.priors import Priors

Likelihood = Callable[[Mapping[str, Any], str], float]


class Reference:
    """Priors as rules ask for them: places, occupations, probabilities.

    Args:
        priors: the locale's tables and look-ups.
        likelihood: optional; `likelihood(record, attribute)` is the fitted model's probability of the record's
            value of one attribute given all others. Without it, rules use the marginal tables.
    """

    def __init__(self, priors: Priors, likelihood: Likelihood | None = None) -> None:
        """Wrap loaded priors; nothing is read until a rule asks."""
        self.priors = priors
        self.likelihood = likelihood
