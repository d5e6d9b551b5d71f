"""Rule examples: runs a rule on the records that it declares to accept and to reject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from census_personas.foundation.plugin import PluginError
from census_personas.validators.finding import Finding
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext
    from census_personas.validators.rules import RuleModule

Record = Mapping[str, Any]

_SHOWN = 100  # characters of a record
_COLUMNS = ("age", "sex", "persona", "zipcode", "occupation", "skills_and_expertise_list", "state")
# Files of other origin lack columns, or hold values of other types in them.
_STRANGE: Mapping[str, Record] = MappingProxyType(
    {
        "without columns": {},
        "of numbers": dict.fromkeys(_COLUMNS, 3.5),
        "without values": dict.fromkeys(_COLUMNS, None),
        "of empty texts": dict.fromkeys(_COLUMNS, ""),
    }
)


def example_faults(rule: RuleModule, context: RuleContext) -> Iterator[str]:
    """Yield one line for each example on which the rule does not act as it declares.

    For a record of `ACCEPTS` it must yield no error and no warning; for one of `REJECTS`, a finding of its `SEVERITY`.
    It must also not fail on records without columns or with values of other types.
    """
    for kind, record in _STRANGE.items():
        try:
            _judge(rule, record, context)
        except PluginError as error:
            yield f"a record {kind}: {error.message}"
    for name, records in (("ACCEPTS", rule.ACCEPTS), ("REJECTS", rule.REJECTS)):
        if not records:
            yield f"{name} is empty; give at least one record"
        for number, record in enumerate(records):
            try:
                findings = _judge(rule, record, context)
            except PluginError as error:
                yield f"{name}[{number}]: {error.message}"
                continue
            severities = {finding.severity for finding in findings}
            if name == "ACCEPTS" and severities & {"error", "warning"}:
                yield f"{name}[{number}] is not accepted: {findings[0].field}: {findings[0].message}"
            elif name == "REJECTS" and rule.SEVERITY not in severities:
                yield f"{name}[{number}] has no {rule.SEVERITY}: {repr(dict(record))[:_SHOWN]}"


def _judge(rule: RuleModule, record: Record, context: RuleContext) -> list[Finding]:
    reading: Any = RecordView(record)
    if hasattr(rule, "prepare"):
        rule.prepare([reading], context)
    return list(rule.check(reading, context))
