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
    from census_personas.generator.analysis.augmentation import Augmentation, augment
    from census_personas.generator.analysis.balanced_sample import balanced
    from census_personas.generator.analysis.bias_evaluation import evaluate_bias
    from census_personas.generator.analysis.independence_audit import audit_independences
    from census_personas.generator.analysis.people_statistics import (
        degrees_by_region,
        diversity,
        occupation_ages,
    )
    from census_personas.generator.analysis.persona_search import find_personas
    from census_personas.generator.analysis.raking_weights import RakedWeights, effective_size, rake_weights
    from census_personas.generator.config.run_config import Config
    from census_personas.generator.estimate import Estimate
    from census_personas.generator.narration.narrator import Narrated
    from census_personas.generator.population.population import Population
    from census_personas.generator.run.pipeline import Tally
    from census_personas.run import Run
    from census_personas.validation import Validation, avalidate, validate

    __version__: str

__all__ = [
    "Augmentation",
    "Config",
    "Estimate",
    "Narrated",
    "PersonasError",
    "Population",
    "RakedWeights",
    "Run",
    "Tally",
    "Validation",
    "__version__",
    "aestimate",
    "agenerate",
    "anarrate",
    "apreview",
    "audit_independences",
    "augment",
    "avalidate",
    "balanced",
    "degrees_by_region",
    "diversity",
    "effective_size",
    "estimate",
    "evaluate_bias",
    "find_personas",
    "generate",
    "load_config",
    "narrate",
    "occupation_ages",
    "preview",
    "rake_weights",
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
_ANALYSIS = {
    "Augmentation": "augmentation",
    "RakedWeights": "raking_weights",
    "audit_independences": "independence_audit",
    "augment": "augmentation",
    "balanced": "balanced_sample",
    "degrees_by_region": "people_statistics",
    "diversity": "people_statistics",
    "effective_size": "raking_weights",
    "evaluate_bias": "bias_evaluation",
    "find_personas": "persona_search",
    "occupation_ages": "people_statistics",
    "rake_weights": "raking_weights",
}
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
}
_PLACES |= dict.fromkeys(_CALLS, "generation")
_PLACES |= {name: f"generator.analysis.{module}" for name, module in _ANALYSIS.items()}


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
