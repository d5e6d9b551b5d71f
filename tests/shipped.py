"""What ships, read once a process when a test first asks for it, and not while tests are collected."""

from __future__ import annotations

from functools import cache

from census_personas.census_priors.priors import Priors
from census_personas.generator.offline.grammar import Grammar
from census_personas.generator.offline.narrator import OfflineNarrator


@cache
def united_states() -> Priors:
    """The locale en_US; its tables are read when they are first asked for."""
    return Priors.load("en_US")


@cache
def grammar() -> Grammar:
    """The offline grammar of en_US."""
    return Grammar.load("en_US")


@cache
def narrator() -> OfflineNarrator:
    """The offline narrator of en_US."""
    return OfflineNarrator.load("en_US")
