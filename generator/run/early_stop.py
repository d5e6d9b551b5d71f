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
"""Number of rows that a session pays for before it stops because no answer was readable."""
UNACCEPTED = 64
"""Number of rows that a session pays for before it stops because no row was accepted."""
# Parts of a reason that differ between rows with the same problem.
_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\([^)]*\)|\d+")
_LONGEST_REASON = 240


class HopelessError(EndpointError):
    """None of a session's first rows was accepted; no further row is begun, and the run can be resumed."""


class StartLimit(Protocol):
    """Decides whether a pipeline may begin a further row."""

    def see(self, result: Narrated) -> None:
        """Learn of a finished row."""
        ...

    def release(self) -> None:
        """Stop waiting, since no further row will be begun."""
        ...

    async def admitted(self, in_flight: Callable[[], int]) -> None:
        """Return when a further row may be begun beside those in flight."""
        ...

    def verdict(self) -> HopelessError | None:
        """Return the error that ends the session if its first rows all failed, otherwise None."""
        ...


class EarlyStop:
    """Counts the rows that a session paid for, and holds further rows back until one is accepted.

    A row counts if this session sent a request for it. Rows whose answers are all in the journal, or whose facts are
    wrong, cost nothing and show nothing about the endpoint. At most `UNREADABLE` rows are begun before an answer is
    readable, and at most `UNACCEPTED` before a row is accepted, so that nothing is in flight when the session stops.
    """

    def __init__(self, *, stops: bool = True) -> None:
        """With `stops` false, hold nothing back and never stop."""
        self._stops = stops
        self._readable = self._accepted = False
        self._tried = 0
        self._reasons: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._changed = asyncio.Event()

    @property
    def limit(self) -> int | None:
        """Number of rows that may be paid for now; None without a limit."""
        if not self._stops or self._accepted:
            return None
        return UNACCEPTED if self._readable else UNREADABLE

    @property
    def tried(self) -> int:
        """Number of finished rows that were paid for."""
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
        """Stop waiting, since no further row will be begun."""
        self._stops = False
        self._changed.set()

    async def admitted(self, in_flight: Callable[[], int]) -> None:
        """Return when a further row may be begun beside those in flight."""
        while (limit := self.limit) is not None and self._tried + in_flight() >= limit:
            self._changed.clear()
            await self._changed.wait()

    def verdict(self) -> HopelessError | None:
        """Return the error that ends the session if its first rows all failed, otherwise None."""
        if (limit := self.limit) is None or self._tried < limit:
            return None
        lacking = "has a readable answer" if not self._readable else "was accepted"
        reason, rows = self._reasons.most_common(1)[0] if self._reasons else ("", 0)
        example = f"; most often ({rows} of {self._tried} rows): {self._examples[reason]}" if reason else ""
        advice = f"{help_}; " if (help_ := remedy(self._examples.get(reason, ""))) else ""
        return HopelessError(
            f"none of the first {self._tried} rows {lacking}, and the run stops{example}",
            hint=f"{advice}`personas check` shows one row; the same command resumes the run, and "
            "validation.stop_early=false switches this stop off",
        )

    def _remember(self, result: Narrated) -> None:
        kinds: dict[str, str] = {}
        for reason in result.reasons:
            code, _, message = reason.partition(": ")
            kinds.setdefault(f"{code}: {_PARTICULAR.sub('…', message.partition(': ')[2] or message)}", reason)
        self._reasons.update(kinds.keys())
        for kind, reason in kinds.items():
            cut = reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"
            self._examples.setdefault(kind, f"row {result.record.get('row')}, {cut}")
