"""Plug-in measures: third-party measures, checked when they are loaded and while they run."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from census_personas.foundation.plugin import PluginError, describe_error, locate_error
from census_personas.foundation.plugins import Plugins
from census_personas.validators.measure import MeasureResult, Needs, NotMeasured, Tested, title_of

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

REQUIRED = ("NEEDS", "measure")
"""What the module of a measure must define."""


@dataclass(frozen=True, slots=True)
class PluginMeasure:
    """A third-party measure. An exception in it becomes a `PluginError` that names the measure, file and line."""

    name: str
    module: Any
    folder: Path
    NEEDS: Needs
    TITLE: str
    COSTLY: bool

    def measure(self, dataset: MeasuredDataset) -> MeasureResult | Tested | NotMeasured:
        """Measure a dataset.

        Raises:
            PluginError: the measure fails, or returns something that reports cannot write.
        """
        try:
            answer = self.module.measure(dataset)
        except Exception as error:  # third-party code may raise anything
            raise self._failure(error) from error
        if isinstance(answer, NotMeasured):
            return answer
        if isinstance(answer, Tested):
            return replace(answer, judge=lambda tests: self._judge(answer, tests))
        return self._check_result(answer)

    def _judge(self, tested: Tested, tests: int) -> MeasureResult:
        try:
            result = tested.judge(tests)
        except Exception as error:  # third-party code may raise anything
            raise self._failure(error) from error
        return self._check_result(result)

    def _check_result(self, result: object) -> MeasureResult:
        """Return the result; refuse anything else, and results that JSON cannot hold."""
        if not isinstance(result, MeasureResult):
            kind = f"it gives a {type(result).__name__}; give a MeasureResult, Tested or NotMeasured"
            raise PluginError(f"{self.module.__file__}: measure {self.name} failed: {kind}")
        try:
            json.dumps([result.model_dump(mode="json"), *map(str, result.marks)], allow_nan=False)
        except Exception as error:  # third-party code may raise anything
            raise self._failure(error) from error
        return result

    def _failure(self, error: Exception) -> PluginError:
        place = locate_error(error, self.folder) or str(self.module.__file__)
        return PluginError(f"{place}: measure {self.name} failed: {describe_error(error)}")


def plugin_measures(plugins: Plugins, taken: Collection[str]) -> Mapping[str, PluginMeasure]:
    """Load the measures of plug-ins, as name -> measure; `taken` are the names of this package's measures.

    Raises:
        PluginError: a module is no measure, or has the name of another one.
    """
    folders = {name: member.folder for member in plugins.members for name in member.files("measures")}
    modules = plugins.modules("measures", REQUIRED, taken, "validators/measures")
    return {name: _measure(name, module, folders[name]) for name, module in modules.items()}


def _measure(name: str, module: ModuleType, folder: Path) -> PluginMeasure:
    needs: object = module.NEEDS
    if not isinstance(needs, Needs):
        raise PluginError(
            f"{module.__file__}: NEEDS is a {type(needs).__name__}; write Needs(columns=(...)), or texts"
        )
    if not callable(module.measure):
        raise PluginError(f"{module.__file__}: measure is no function; write measure(dataset)")
    listed: Any = module
    return PluginMeasure(
        name, module, folder, needs, title_of(name, listed), bool(getattr(module, "COSTLY", False))
    )
