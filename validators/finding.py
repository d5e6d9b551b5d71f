"""Finding: what one rule says about one field of one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "not_judged"]
Policy = Literal["repair", "reject", "flag", "off"]
Scope = Literal["facts", "field", "record"]
"""What a rule looks at: facts alone, each text for itself beside the facts, or the record as a whole."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's verdict on one field.

    `code` is the rule's file name. `message` says what is wrong in one sentence that a repair prompt can
    show to the model; `evidence` quotes the words or figures that led to it. "Not judged" is a result:
    the rule looked and could not tell.
    """

    code: str
    severity: Severity
    field: str
    message: str
    evidence: str = ""

    def lowered(self) -> Finding:
        """The same as a warning."""
        return Finding(self.code, "warning", self.field, self.message, self.evidence)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's name, so that its findings carry the code that its file gives it."""

    code: str

    @classmethod
    def of(cls, module: str) -> Rule:
        """The rule that lives in `module`; pass `__name__`."""
        return cls(module.rpartition(".")[2])

    def error(self, field: str, message: str, evidence: str = "") -> Finding:
        """A finding that rejects the record unless it is repaired."""
        return Finding(self.code, "error", field, message, evidence)

    def warning(self, field: str, message: str, evidence: str = "") -> Finding:
        """A finding to count and to read, which rejects nothing."""
        return Finding(self.code, "warning", field, message, evidence)

    def not_judged(self, field: str, message: str, evidence: str = "") -> Finding:
        """The rule looked and could not tell."""
        return Finding(self.code, "not_judged", field, message, evidence)
