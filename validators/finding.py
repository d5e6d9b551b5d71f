"""Finding: what one rule says about one field of one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "not_judged"]


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
