"""Fit check: the verdict of `personas priors check` on whether a model can be fitted to a locale's tables."""

from __future__ import annotations

from census_personas.census_priors.check import Verdict
from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.marginal import TableError
from census_personas.census_priors.priors import Priors
from census_personas.generator.model.core_factoring import within_memory
from census_personas.generator.model.fitting import FitError
from census_personas.generator.model.model_cache import load_or_fit

NAME = "a model can be fitted to the tables"


def fit_verdict(priors: Priors) -> Verdict:
    """Fit the model, or load it from the cache; the verdict quotes the fit's error, if any."""
    try:
        network = load_or_fit(within_memory(priors))
    except (FitError, TableError, DomainError) as error:
        return Verdict(NAME, False, str(error))
    worst = max(network.distances, key=lambda part: network.distances[part])
    return Verdict(NAME, True, f"{worst} is farthest from its tables, by {network.distances[worst]:.1g}")
