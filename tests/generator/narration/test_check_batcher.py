"""Records that arrive together are checked together; errors and cancellations stay with their batch or caller."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from census_personas.generator.narration.check_batcher import CheckBatcher
from census_personas.validators.finding import Finding

pytestmark = pytest.mark.quick


class Judge:
    """Finds one thing of each record, and remembers how many came together."""

    def __init__(self) -> None:
        """Nothing was judged yet."""
        self.sittings: list[int] = []

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[tuple[Finding, ...]]:
        self.sittings.append(len(records))
        if any(record["row"] < 0 for record in records):
            raise ValueError("no such row")
        return [(Finding("rule", "warning", "row", str(record["row"])),) for record in records]


async def test_records_together_are_checked_together() -> None:
    judge = Judge()
    review = CheckBatcher(judge)
    for count in (5, 1, 300):
        found = await asyncio.gather(*(review.of({"row": row}) for row in range(count)))
        assert [findings[0].message for findings in found] == [str(row) for row in range(count)]
    assert judge.sittings == [5, 1, 64, 64, 64, 64, 44]


async def test_gather_time_lets_others_join() -> None:
    judge = Judge()
    review = CheckBatcher(judge, gather_s=0.2)

    async def later(row: int) -> tuple[Finding, ...]:
        await asyncio.sleep(row / 100)
        return await review.of({"row": row})

    await asyncio.gather(*map(later, range(4)))
    assert judge.sittings == [4]


async def test_failing_judge_fails_its_batch_only() -> None:
    review = CheckBatcher(Judge())
    failed = await asyncio.gather(*(review.of({"row": row}) for row in (1, -1)), return_exceptions=True)
    assert [str(error) for error in failed] == ["no such row"] * 2
    assert (await review.of({"row": 3}))[0].message == "3"


async def test_cancelled_narration_leaves_the_others() -> None:
    review = CheckBatcher(Judge())
    waiting = [asyncio.create_task(review.of({"row": row})) for row in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    found = await asyncio.gather(*waiting[1:])
    assert [findings[0].message for findings in found] == ["1", "2"]
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]


def test_batcher_outlives_a_stopped_event_loop() -> None:
    review = CheckBatcher(Judge())

    async def stopped() -> None:
        task = asyncio.create_task(review.of({"row": 1}))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(stopped())
    assert asyncio.run(review.of({"row": 2}))[0].message == "2"
