"""Census-true populations of personas: the Python API.

```python
from census_personas import Population, generate

people = Population.load("en_US").sample(1000, where={"state": "NY"})
run = generate("configs/quickstart.yaml", "runs/first")
run.to_pandas()
```

Importing it costs nothing: each name is loaded at first use. `docs/reference/python-api.md` shows every name and says
what may change between releases.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from census_personas.foundation.errors import PersonasError
    from census_personas.generation import (
        aestimate,
        agenerate,
        anarrate,
        apreview,
        estimate,
        generate,
        load_config,
        narrate,
        preview,
    )
    from census_personas.generator.config.run_config import Config
    from census_personas.generator.estimate import Estimate
    from census_personas.generator.narration.narrator import Narrated
    from census_personas.generator.population.population import Population
    from census_personas.generator.run.pipeline import Tally
    from census_personas.run import Run
    from census_personas.validation import Validation, avalidate, validate

    __version__: str

__all__ = [
    "Config",
    "Estimate",
    "Narrated",
    "PersonasError",
    "Population",
    "Run",
    "Tally",
    "Validation",
    "__version__",
    "aestimate",
    "agenerate",
    "anarrate",
    "apreview",
    "avalidate",
    "estimate",
    "generate",
    "load_config",
    "narrate",
    "preview",
    "validate",
]

_CALLS = (
    "aestimate",
    "agenerate",
    "anarrate",
    "apreview",
    "estimate",
    "generate",
    "load_config",
    "narrate",
    "preview",
)
_PLACES = {
    "Config": "generator.config.run_config",
    "Estimate": "generator.estimate",
    "Narrated": "generator.narration.narrator",
    "PersonasError": "foundation.errors",
    "Population": "generator.population.population",
    "Run": "run",
    "Tally": "generator.run.pipeline",
    "Validation": "validation",
    "avalidate": "validation",
    "validate": "validation",
} | dict.fromkeys(_CALLS, "generation")


def __getattr__(name: str) -> Any:
    """Load a name of the API at first use."""
    if name == "__version__":
        return import_module("importlib.metadata").version("census-personas")
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
