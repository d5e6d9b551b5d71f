"""Draft: a record that is being written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from census_personas.generator.llm.answer import Answer, misshapen
from census_personas.generator.narration.conversation import Message, Turn, joined, so_far
from census_personas.generator.narration.mend import mend
from census_personas.prompts.fields import FieldSpec
from census_personas.validators.finding import Finding


@dataclass(slots=True)
class Draft:
    """One attempt: the facts, the fields written so far, the findings about them, and the conversation.

    `calls` are the calls of the current conversation by name; `turn` counts the repairs since the last of them.
    """

    facts: dict[str, Any]
    attempt: int
    written: dict[str, Any] = field(default_factory=dict)
    misshapen: dict[str, Finding] = field(default_factory=dict)
    found: tuple[Finding, ...] = ()
    mends: list[Finding] = field(default_factory=list)
    calls: dict[str, Turn] = field(default_factory=dict)
    turn: int = 0
    name: tuple[str, str] = ("", "")

    def take(self, answer: Answer, asked: Sequence[FieldSpec]) -> None:
        """Put an answer into the record; repaired fields replace their former values."""
        self.written |= answer.values
        for spec in asked:
            self.misshapen.pop(spec.name, None)
        self.misshapen |= {finding.field: finding for finding in answer.findings}

    def mend(self, asked: Sequence[FieldSpec], policy: Mapping[str, str]) -> None:
        """Correct in these fields what needs no model."""
        specs = {spec.name: spec for spec in asked}
        for mended, text, finding in mend(self.written, asked, self.name, policy):
            self.written[mended] = text
            self.mends.append(finding)
            self.misshapen.pop(mended, None)
            if (wrong := misshapen(text, specs[mended])) is not None:
                self.misshapen[mended] = wrong

    def told(self) -> dict[str, Any]:
        """Return all values that a prompt may use."""
        return self.facts | self.written

    def has_said(self, call: str) -> bool:
        """Return whether there is an earlier call that this call, or its repair, can continue."""
        return any(name != call for name in self.calls)

    def so_far(self, call: str, asked: Sequence[FieldSpec], more: Sequence[Message]) -> tuple[Message, ...]:
        """Return the conversation followed by `more`, without the requested fields."""
        turns = (turn for name, turn in self.calls.items() if name != call)
        return joined((*so_far(turns, self.written, {spec.name for spec in asked}), *more))
