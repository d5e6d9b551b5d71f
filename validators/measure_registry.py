"""Measure registry: every measure by name, those of this package and those of plug-ins."""

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
    """Return name -> measure: each file in `validators/measures`, then those of plug-ins, each in alphabetical order.

    Args:
        plugins: plug-ins whose measures are included.
        costly: whether measures that take seconds are included.

    Raises:
        PluginError: a plug-in's measure cannot be loaded, or has the name of another one.
    """
    own = _shipped()
    every = cast("Measures", {**own, **plugin_measures(plugins, own)})
    return MappingProxyType(
        {name: measure for name, measure in every.items() if costly or not getattr(measure, "COSTLY", False)}
    )


@cache
def _shipped() -> Measures:
    names = sorted(module.name for module in pkgutil.iter_modules(shipped.__path__))
    modules = {name: importlib.import_module(f"{shipped.__name__}.{name}") for name in names}
    return MappingProxyType(cast("Measures", modules))
