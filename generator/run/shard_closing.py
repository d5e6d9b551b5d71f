"""Shard closing: checks that compare rows, done in row order before a shard is written.

Rows finish in any order. Shared sentences are therefore looked for when all rows of the shard are finished: the later
row gets the finding, whichever was finished first, so a run that was killed and resumed decides the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from census_personas.generator.llm.budget import BudgetError
from census_personas.generator.llm.chat import DeferredError, EndpointError, LLMError
from census_personas.generator.narration.narrator import Narrated
from census_personas.validators.earlier_texts import RULE, EarlierTexts
from census_personas.validators.finding import Finding, Policy


def shared_text_action(policy: Mapping[str, Policy], backend: str) -> Policy:
    """Return what a run does about a row that shares a text with an earlier one.

    The offline grammar has only a few thousand sentences: its rows are not compared unless the policy asks for it.
    The report still counts the rows that share a sentence.
    """
    return policy.get(RULE.code, "off" if backend == "offline" else "repair")


class WritingAgain(Protocol):
    """The part of a narrator that closing a shard needs."""

    async def again(self, result: Narrated) -> Narrated | None:
        """Attempt the row again; return None if it has no attempts left."""
        ...


class ShardClosing:
    """Compares each row's texts with those of the rows before it."""

    def __init__(self, action: Policy) -> None:
        """Take the action for a row that shares a text: attempt it again, reject it, flag it, or compare nothing."""
        self._action = action

    async def settle(
        self, narrator: WritingAgain, results: Sequence[Narrated], before: Iterable[Mapping[str, Any]] = ()
    ) -> list[Narrated]:
        """Return the rows as they are to be written, in the same order.

        Args:
            narrator: attempts a row again.
            results: the rows, in row order.
            before: accepted rows of the same shard that were written earlier.

        Raises:
            LLMError: a row has to be attempted again, and the endpoint gives no answer.
        """
        settled = list(results)
        if self._action == "off":
            return settled
        earlier = EarlierTexts()
        await asyncio.to_thread(_read_all, earlier, before)
        at = 0
        while at < len(settled):
            at, findings = await asyncio.to_thread(_next_shared, earlier, settled, at)
            if not findings:
                break
            if self._action == "flag":
                settled[at] = _flagged(settled[at], findings)
                earlier.add(settled[at].record)
                at += 1
                continue
            later = await self._again(narrator, settled[at])
            settled[at] = _rejected(settled[at], findings) if later is None else later
        return settled

    async def _again(self, narrator: WritingAgain, result: Narrated) -> Narrated | None:
        if self._action != "repair":
            return None
        try:
            return await narrator.again(result)
        except (DeferredError, EndpointError, BudgetError):
            raise
        except LLMError:  # the row is rejected as it is; a later round attempts it again
            return None


def _read_all(earlier: EarlierTexts, records: Iterable[Mapping[str, Any]]) -> None:
    for record in records:
        earlier.add(record)


def _next_shared(
    earlier: EarlierTexts, results: Sequence[Narrated], at: int
) -> tuple[int, tuple[Finding, ...]]:
    """Return the place and findings of the next accepted row that shares a text; no findings at the end."""
    for place in range(at, len(results)):
        if results[place].accepted:
            if findings := earlier.compare(results[place].record):
                return place, findings
            earlier.add(results[place].record)
    return len(results), ()


def _flagged(result: Narrated, findings: Sequence[Finding]) -> Narrated:
    flags = sorted({*result.record.get("flags", ()), RULE.code})
    lowered = tuple(finding.lowered() for finding in findings)
    return replace(result, record={**result.record, "flags": flags}, findings=(*result.findings, *lowered))


def _rejected(result: Narrated, findings: Sequence[Finding]) -> Narrated:
    reasons = tuple(f"{finding.code}: {finding.field}: {finding.message}" for finding in findings)
    return replace(
        result, findings=(*findings, *result.findings), accepted=False, reasons=reasons, verdict=None
    )
