"""Shipped data, read once per process at first use, and not while tests are collected."""

from __future__ import annotations

from functools import cache

from census_personas.census_priors.priors import Priors
from census_personas.generator.offline.grammar import Grammar
from census_personas.generator.offline.narrator import OfflineNarrator


@cache
def united_states() -> Priors:
    """Return the locale en_US; its tables are read at first use."""
    return Priors.load("en_US")


@cache
def grammar() -> Grammar:
    """Return the offline grammar of en_US."""
    return Grammar.load("en_US")


@cache
def narrator() -> OfflineNarrator:
    """Return the offline narrator of en_US."""
    return OfflineNarrator.load("en_US")
