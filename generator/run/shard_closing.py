"""Shard closing: what can be judged of rows only together, in row order, before a shard is written.

Rows finish in any order. Whether one shares a sentence with another is therefore asked when all rows of the shard are
there: the later row is at fault, whichever was finished first, and a run that was killed and resumed decides alike.
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
    """What a run does about a row that shares a text with an earlier one.

    The offline grammar has a few thousand sentences for everybody, and says so: its rows are not looked at unless the
    policy says otherwise, and its report tells how many rows share a sentence.
    """
    return policy.get(RULE.code, "off" if backend == "offline" else "repair")


class WritingAgain(Protocol):
    """What closing a shard needs of a narrator."""

    async def again(self, result: Narrated) -> Narrated | None:
        """The row anew, beyond the attempts that it has had; None when it has had all of them."""
        ...


class ShardClosing:
    """Compares each row's texts with those of the rows before it."""

    def __init__(self, action: Policy) -> None:
        """Take what to do about a row that shares a text: write it anew or reject it, flag it, or not look."""
        self._action = action

    async def settle(
        self, narrator: WritingAgain, results: Sequence[Narrated], before: Iterable[Mapping[str, Any]] = ()
    ) -> list[Narrated]:
        """The rows as they are to be written, in the same order.

        Args:
            narrator: writes a row anew.
            results: the rows, in row order.
            before: accepted rows of the same shard that were written earlier.

        Raises:
            LLMError: a row is to be written anew, and no answer can be had.
        """
        settled = list(results)
        if self._action == "off":
            return settled
        earlier = EarlierTexts()
        await asyncio.to_thread(_read_all, earlier, before)
        at = 0
        while at < len(settled):
            at, found = await asyncio.to_thread(_read_on, earlier, settled, at)
            if not found:
                break
            if self._action == "flag":
                settled[at] = _flagged(settled[at], found)
                earlier.add(settled[at].record)
                at += 1
                continue
            later = await self._again(narrator, settled[at])
            settled[at] = _rejected(settled[at], found) if later is None else later
        return settled

    async def _again(self, narrator: WritingAgain, result: Narrated) -> Narrated | None:
        if self._action != "repair":
            return None
        try:
            return await narrator.again(result)
        except (DeferredError, EndpointError, BudgetError):
            raise
        except LLMError:  # the row is refused as it is; a later round asks again
            return None


def _read_all(earlier: EarlierTexts, records: Iterable[Mapping[str, Any]]) -> None:
    for record in records:
        earlier.add(record)


def _read_on(earlier: EarlierTexts, results: Sequence[Narrated], at: int) -> tuple[int, tuple[Finding, ...]]:
    """Read accepted rows from one on, up to the first that shares a text; the end where there is none."""
    for place in range(at, len(results)):
        if results[place].accepted:
            if found := earlier.compare(results[place].record):
                return place, found
            earlier.add(results[place].record)
    return len(results), ()


def _flagged(result: Narrated, found: Sequence[Finding]) -> Narrated:
    flags = sorted({*result.record.get("flags", ()), RULE.code})
    lowered = tuple(finding.lowered() for finding in found)
    return replace(result, record={**result.record, "flags": flags}, findings=(*result.findings, *lowered))


def _rejected(result: Narrated, found: Sequence[Finding]) -> Narrated:
    reasons = tuple(f"{finding.code}: {finding.field}: {finding.message}" for finding in found)
    return replace(result, findings=(*found, *result.findings), accepted=False, reasons=reasons, verdict=None)
