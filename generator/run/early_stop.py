"""Early stop: ends a session early if none of its first answers is readable or accepted."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from census_personas.generator.llm.answer import remedy
from census_personas.generator.llm.chat import EndpointError
from census_personas.generator.narration.narrator import Narrated

UNREADABLE = 32
"""Rows that a session pays for without one answer that can be read."""
UNACCEPTED = 64
"""Rows that a session pays for without one that is accepted."""
# What differs from row to row in reasons of one kind.
_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\([^)]*\)|\d+")
_LONGEST_REASON = 240


class HopelessError(EndpointError):
    """No row of a session came out; no further one is begun, and the run can be resumed."""


class StartLimit(Protocol):
    """What a pipeline asks before it begins a row."""

    def see(self, result: Narrated) -> None:
        """Learn of a finished row."""
        ...

    def release(self) -> None:
        """Hold nothing back any more, since no further row will be begun."""
        ...

    async def admitted(self, in_flight: Callable[[], int]) -> None:
        """Return when a further row may be begun beside those in flight."""
        ...

    def verdict(self) -> HopelessError | None:
        """The error that ends the session, once its first rows leave no hope."""
        ...


class EarlyStop:
    """Counts the rows that a session paid for, and holds further ones back while none has come out.

    A row counts when an answer to it was asked for in this session: those whose answers are all in the journal, or
    whose facts are wrong, cost nothing and prove nothing. No more than `UNREADABLE` are begun before an answer is
    readable and no more than `UNACCEPTED` before one is accepted, so that nothing is in flight when the run stops.
    """

    def __init__(self, *, stops: bool = True) -> None:
        """`stops`: whether anything is held back or stopped at all."""
        self._stops = stops
        self._readable = self._accepted = False
        self._tried = 0
        self._reasons: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._changed = asyncio.Event()

    @property
    def limit(self) -> int | None:
        """Rows that may be paid for as things stand; None where any number may."""
        if not self._stops or self._accepted:
            return None
        return UNACCEPTED if self._readable else UNREADABLE

    @property
    def tried(self) -> int:
        """Rows that were paid for and are finished."""
        return self._tried

    def hear(self, readable: bool) -> None:
        """Learn of a new answer."""
        if readable and not self._readable:
            self._readable = True
            self._changed.set()

    def see(self, result: Narrated) -> None:
        """Learn of a finished row."""
        if self.limit is None:
            return
        if result.asked:
            self._tried += 1
            self._accepted = result.accepted
            self._remember(result)
        self._changed.set()

    def release(self) -> None:
        """Hold nothing back any more, since no further row will be begun."""
        self._stops = False
        self._changed.set()

    async def admitted(self, in_flight: Callable[[], int]) -> None:
        """Return when a further row may be begun beside those in flight."""
        while (limit := self.limit) is not None and self._tried + in_flight() >= limit:
            self._changed.clear()
            await self._changed.wait()

    def verdict(self) -> HopelessError | None:
        """The error that ends the session, once its first rows leave no hope."""
        if (limit := self.limit) is None or self._tried < limit:
            return None
        lacking = "holds a readable answer" if not self._readable else "is accepted"
        reason, rows = self._reasons.most_common(1)[0] if self._reasons else ("", 0)
        said = f"; most often ({rows} of {self._tried} rows): {self._examples[reason]}" if reason else ""
        advice = f"{help_}; " if (help_ := remedy(self._examples.get(reason, ""))) else ""
        return HopelessError(
            f"none of the first {self._tried} rows {lacking}, and the run stops{said}",
            hint=f"{advice}`personas check` shows one row; the same command goes on, and with "
            "validation.stop_early=false whatever comes",
        )

    def _remember(self, result: Narrated) -> None:
        kinds: dict[str, str] = {}
        for reason in result.reasons:
            code, _, said = reason.partition(": ")
            kinds.setdefault(f"{code}: {_PARTICULAR.sub('…', said.partition(': ')[2] or said)}", reason)
        self._reasons.update(kinds.keys())
        for kind, reason in kinds.items():
            cut = reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"
            self._examples.setdefault(kind, f"row {result.record.get('row')}, {cut}")
