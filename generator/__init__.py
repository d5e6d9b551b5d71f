"""The engine: fits a population, samples it, narrates and checks the rows, and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from census_personas.generator.population.population import Population

__all__ = ["Population"]


def __getattr__(name: str) -> Any:
    """Import `Population` at first use, so that importing the package costs nothing."""
    if name != "Population":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from census_personas.generator.population.population import Population  # noqa: PLC0415  deferred on purpose

    return Population
