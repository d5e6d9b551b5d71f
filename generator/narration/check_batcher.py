"""Check batcher: checks records that arrive at about the same time together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from census_personas.validators.finding import Finding

Record = Mapping[str, Any]
Findings = tuple[Finding, ...]
_AT_ONCE = 64  # records; checking them takes some hundredths of a second, and larger batches gain little


class CheckBatcher:
    """Returns the findings about a record to many concurrent narrations.

    Batches are cheaper: some rules are vectorised, and the processor's caches stay warm. Forty records together take
    a third less time than one by one.
    """

    def __init__(
        self, judge: Callable[[Sequence[Record]], Sequence[Findings]], *, gather_s: float = 0.0
    ) -> None:
        """`judge` returns the findings about each record; a batch gathers for `gather_s` seconds."""
        self._judge = judge
        self._gather_s = gather_s
        self._records: list[Record] = []
        self._batch: asyncio.Task[Sequence[Findings]] | None = None

    async def of(self, record: Record) -> Findings:
        """Return the findings about one record; raise what `judge` raises."""
        if self._batch is None or self._batch.done():
            self._records = []
            self._batch = asyncio.create_task(self._check(self._records))
        number = len(self._records)
        self._records.append(record)
        # Shielded: cancelling one narration must not cancel the batch of the others.
        return (await asyncio.shield(self._batch))[number]

    async def _check(self, records: list[Record]) -> Sequence[Findings]:
        """Check the records that arrived since this task was created; later ones go into the next batch."""
        if self._gather_s:
            await asyncio.sleep(self._gather_s)
        self._batch = None
        findings: list[Findings] = []
        for start in range(0, len(records), _AT_ONCE):
            if findings:
                await asyncio.sleep(0)  # let requests and answers proceed
            findings += self._judge(records[start : start + _AT_ONCE])
        return findings
