"""Plug-in rules: third-party rules, checked when they are loaded and while they run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_args

from census_personas.foundation.plugin import PluginError, describe_error, locate_error
from census_personas.foundation.plugins import Plugins
from census_personas.validators.finding import Finding, Policy, Scope, Severity

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext
    from census_personas.validators.text.record_view import RecordView

REQUIRED = ("SEVERITY", "POLICY", "SCOPE", "ACCEPTS", "REJECTS", "check")
"""What the module of a rule must define."""
_SHOWN = 100  # characters of an invalid finding that a message shows
_CHOICES = {"SEVERITY": get_args(Severity), "POLICY": get_args(Policy), "SCOPE": get_args(Scope)}


@dataclass(frozen=True, slots=True)
class PluginRule:
    """A third-party rule. An exception in it becomes a `PluginError` that names the rule, file and line."""

    code: str
    module: Any
    folder: Path
    SEVERITY: Severity
    POLICY: Policy
    SCOPE: Scope
    ACCEPTS: tuple[Mapping[str, Any], ...]
    REJECTS: tuple[Mapping[str, Any], ...]

    def __getattr__(self, name: str) -> Any:
        """Return an optional constant of the rule, such as `LANGUAGES`."""
        if name.isupper():
            return getattr(object.__getattribute__(self, "module"), name)
        raise AttributeError(name)

    def check(self, record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
        """Yield the findings about a record.

        Raises:
            PluginError: the rule fails, or yields anything but a finding of its own.
        """
        try:
            for finding in self.module.check(record, reference):
                self._refuse_other(finding)
                yield finding
        except Exception as error:  # third-party code may raise anything
            raise self._failure(error) from error

    def prepare(self, readings: Sequence[RecordView], reference: RuleContext) -> None:
        """Pass records that are about to be checked to the rule's `prepare`, if it has one.

        Raises:
            PluginError: the rule fails.
        """
        if not hasattr(self.module, "prepare"):
            return
        try:
            self.module.prepare(readings, reference)
        except Exception as error:  # third-party code may raise anything
            raise self._failure(error) from error

    def _refuse_other(self, finding: object) -> None:
        """Raise `TypeError` for anything but a well-formed finding of this rule."""
        if isinstance(finding, Finding) and finding.code == self.code:
            texts = (finding.field, finding.message, finding.evidence)
            if finding.severity in _CHOICES["SEVERITY"] and all(isinstance(text, str) for text in texts):
                return
        shown = repr(finding)[:_SHOWN]
        raise TypeError(f"yields {shown}; make findings of texts with Rule.of(__name__)")

    def _failure(self, error: Exception) -> PluginError:
        place = locate_error(error, self.folder) or str(self.module.__file__)
        return PluginError(f"{place}: rule {self.code} failed: {describe_error(error)}")


def plugin_rules(plugins: Plugins, taken: Collection[str]) -> Mapping[str, PluginRule]:
    """Load the rules of plug-ins, as code -> rule; `taken` are the codes of this package's rules.

    Raises:
        PluginError: a module is no rule, or has the code of another one.
    """
    folders = {code: member.folder for member in plugins.members for code in member.files("rules")}
    modules = plugins.modules("rules", REQUIRED, taken, "validators/records")
    return {code: _rule(code, module, folders[code]) for code, module in modules.items()}


def _rule(code: str, module: ModuleType, folder: Path) -> PluginRule:
    values: dict[str, Any] = {name: getattr(module, name) for name in REQUIRED}
    for name, choices in _CHOICES.items():
        if values[name] not in choices:
            raise PluginError(f"{module.__file__}: {name}={values[name]!r}; choose {', '.join(choices)}")
    if not callable(values.pop("check")):
        raise PluginError(f"{module.__file__}: check is no function; write check(record, reference)")
    for name in ("ACCEPTS", "REJECTS"):
        records = values[name]
        if not isinstance(records, tuple | list) or not all(isinstance(each, Mapping) for each in records):
            raise PluginError(
                f"{module.__file__}: {name} is no tuple of records; a record is a dict of columns"
            )
        values[name] = tuple(records)
    return PluginRule(code, module, folder, **values)
