"""Repair: what a model is shown of what it wrote wrong, short enough for a message whatever it wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from census_personas.validators.finding import Finding

# Characters of a field, of a finding's message or evidence, and findings: with thirteen fields wrong at once the
# message stays below the length that templates may give it.
_MOST_OF_FIELD = 3_000
_MOST_OF_FINDING = 300
_MOST_FINDINGS = 30


def faults_shown(
    wrong: Sequence[Finding], fields: Iterable[str], written: Mapping[str, Any]
) -> dict[str, Any]:
    """What the template of repairs reads beside the facts: `findings`, and the `previous` value of each field."""
    findings = [
        {
            "field": finding.field,
            "message": _cut(finding.message, _MOST_OF_FINDING),
            "evidence": _cut(finding.evidence, _MOST_OF_FINDING),
        }
        for finding in wrong[:_MOST_FINDINGS]
    ]
    return {"findings": findings, "previous": {name: _shown(written.get(name)) for name in fields}}


def _shown(value: object) -> str:
    if value is None:
        return "(nothing that could be read)"
    return _cut("; ".join(map(str, value)) if isinstance(value, list) else str(value), _MOST_OF_FIELD)


def _cut(text: str, most: int) -> str:
    """The text, or its beginning, which says so."""
    return text if len(text) <= most else f"{text[:most]} … (cut here)"
