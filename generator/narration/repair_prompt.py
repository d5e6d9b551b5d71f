"""Repair prompt: the shortened findings that a repair shows to the model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from census_personas.validators.finding import Finding

# Most characters of a field, most characters of a finding's message or evidence, and most findings. With thirteen
# wrong fields, the message stays below the limit for templates.
_MOST_OF_FIELD = 3_000
_MOST_OF_FINDING = 300
_MOST_FINDINGS = 30
# A text that repeats itself is not shown for its repair: a model that sees a loop continues it.
_UNSEEN = frozenset({"repetition"})


def wants_repair(finding: Finding) -> bool:
    """Return whether a finding is worth another request."""
    return finding.severity == "error"


def rejects(finding: Finding) -> bool:
    """Return whether an unrepaired finding rejects the record."""
    return finding.severity == "error"


def faults_shown(
    wrong: Sequence[Finding],
    fields: Collection[str],
    written: Mapping[str, Any],
    calls: Iterable[Collection[str]],
) -> dict[str, Any]:
    """Return what the repair template reads in addition to the facts.

    Args:
        wrong: the findings.
        fields: the fields to rewrite.
        written: the record's texts and lists.
        calls: the fields of each call.

    Returns:
        `findings`; `previous`, the current value of each field to rewrite; `kept`, name and value of the other fields
        of the same calls, with which the new ones must agree.
    """
    unseen = {finding.field for finding in wrong if finding.code in _UNSEEN}
    findings = [
        {
            "field": finding.field,
            "message": _cut(finding.message, _MOST_OF_FINDING),
            "evidence": "" if finding.code in _UNSEEN else _cut(finding.evidence, _MOST_OF_FINDING),
        }
        for finding in wrong[:_MOST_FINDINGS]
    ]
    return {
        "findings": findings,
        "previous": {name: _REPEATS if name in unseen else _shown(written.get(name)) for name in fields},
        "kept": [
            {"name": name, "value": _shown(written[name])}
            for call in calls
            if any(name in fields for name in call)
            for name in call
            if name in written and name not in fields
        ],
    }


_REPEATS = "(not shown: it repeats itself)"


def _shown(value: object) -> str:
    if value is None:
        return "(nothing that could be read)"
    return _cut("; ".join(map(str, value)) if isinstance(value, list) else str(value), _MOST_OF_FIELD)


def _cut(text: str, most: int) -> str:
    """Return the text, or its beginning with a note that it is cut."""
    return text if len(text) <= most else f"{text[:most]} … (cut here)"
