"""Finding: what one rule says about one field of one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "not_judged"]
Policy = Literal["repair", "reject", "flag", "off"]
Scope = Literal["facts", "field", "record"]
"""What a rule reads: the facts alone, each text by itself with the facts, or the record as a whole."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says about one field.

    `code` is the rule's file name. `message` says what is wrong, in one sentence that a repair prompt can
    show to the model; `evidence` quotes the words or figures behind it. The severity `not_judged` means that
    the rule read the field and could not tell.
    """

    code: str
    severity: Severity
    field: str
    message: str
    evidence: str = ""

    def lowered(self) -> Finding:
        """Return the same finding as a warning."""
        return Finding(self.code, "warning", self.field, self.message, self.evidence)


@dataclass(frozen=True, slots=True)
class Rule:
    """The code of a rule, which all its findings carry."""

    code: str

    @classmethod
    def of(cls, module: str) -> Rule:
        """Return the rule of a module; pass `__name__`."""
        return cls(module.rpartition(".")[2])

    def error(self, field: str, message: str, evidence: str = "") -> Finding:
        """Build a finding that rejects the record unless it is repaired."""
        return Finding(self.code, "error", field, message, evidence)

    def warning(self, field: str, message: str, evidence: str = "") -> Finding:
        """Build a finding that is counted and listed but rejects nothing."""
        return Finding(self.code, "warning", field, message, evidence)

    def not_judged(self, field: str, message: str, evidence: str = "") -> Finding:
        """Build a finding that says that the rule could not tell."""
        return Finding(self.code, "not_judged", field, message, evidence)
