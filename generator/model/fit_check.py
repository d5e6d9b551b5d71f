"""Fit check: whether a model can be fitted to a locale's tables, as a verdict of `personas priors check`."""

from __future__ import annotations

from persona_engine.census_priors.check import Verdict
from persona_engine.census_priors.domain import DomainError
from persona_engine.census_priors.marginal import TableError
from persona_engine.census_priors.priors import Priors
from persona_engine.generator.model.cascade import within_memory
from persona_engine.generator.model.fitting import FitError
from persona_engine.generator.model.model_cache import load_or_fit

NAME = "a model can be fitted to the tables"


def fit_verdict(priors: Priors) -> Verdict:
    """Fit the model, or take it from the cache; what the fit refuses is what is wrong."""
    try:
        network = load_or_fit(within_memory(priors))
    except (FitError, TableError, DomainError) as error:
        return Verdict(NAME, False, str(error))
    worst = max(network.distances, key=lambda part: network.distances[part])
    return Verdict(NAME, True, f"{worst} is farthest from its tables, by {network.distances[worst]:.1g}")
