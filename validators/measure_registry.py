"""Measure registry: every measure by name, ours and those of plug-ins."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType
from typing import cast

from census_personas.foundation.plugins import NO_PLUGINS, Plugins
from census_personas.validators import measures as shipped
from census_personas.validators.measure import Measures
from census_personas.validators.plugin_measures import plugin_measures


def measures(plugins: Plugins = NO_PLUGINS, *, costly: bool = True) -> Measures:
    """Measure name -> measure: one for each file in `validators/measures`, then those of plug-ins, each in order.

    Args:
        plugins: third parties whose measures are listed too.
        costly: whether those that take seconds are listed.

    Raises:
        PluginError: a plug-in's measure that cannot be loaded, or is named like another one.
    """
    ours = _shipped()
    every = cast("Measures", {**ours, **plugin_measures(plugins, ours)})
    return MappingProxyType(
        {name: measure for name, measure in every.items() if costly or not getattr(measure, "COSTLY", False)}
    )


@cache
def _shipped() -> Measures:
    names = sorted(module.name for module in pkgutil.iter_modules(shipped.__path__))
    found = {name: importlib.import_module(f"{shipped.__name__}.{name}") for name in names}
    return MappingProxyType(cast("Measures", found))
