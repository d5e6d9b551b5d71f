import asyncio
import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import pandas as pd
import pytest

from census_personas.generator.llm.budget import BudgetError
from census_personas.generator.llm.chat import EndpointError, LLMError, RequestError, TransientError
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.pipeline import Pipeline, Tally
from census_personas.generator.run.shard_store import Shard, ShardInfo

SHARDS = tuple(Shard(i, 10 * i, 10 * i + 10) for i in range(5))


def sample(n: int, start: int) -> pd.DataFrame:
    return pd.DataFrame({"row": range(start, start + n)})


class Scribe:
    """Narrates after a wait that puts rows out of order; fails or rejects as told."""

    def __init__(self, fails: dict[int, LLMError] | None = None, rejects: Sequence[int] = ()) -> None:
        """Keep what goes wrong, by row."""
        self.fails, self.rejects = fails or {}, rejects
        self.narrated: list[int] = []
        self.at_once = self.most = 0
        self.open = self.most_open = 0

    async def narrate(self, record: dict) -> Narrated:
        row = record["row"]
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0.001 * (row % 3))
        self.at_once -= 1
        if row in self.fails:
            raise self.fails[row]
        self.narrated.append(row)
        return Narrated(record, (), row not in self.rejects, attempts=1, prompt_tokens=2, completion_tokens=1)

    @contextmanager
    def opened(self, _: Shard) -> Iterator["Scribe"]:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        yield self
        self.open -= 1


class Desk:
    """Keeps what is delivered."""

    def __init__(self) -> None:
        """Nothing delivered yet."""
        self.delivered: dict[int, list[int]] = {}
        self.results: list[Narrated] = []

    def deliver(self, shard: Shard, results: Sequence[Narrated]) -> ShardInfo:
        self.delivered[shard.index] = [result.record["row"] for result in results]
        self.results += results
        return ShardInfo(shard.start, shard.stop, len(results), 0)


def pipeline(scribe: Scribe, desk: Desk, **options: int | Callable[[Tally], None]) -> Pipeline:
    return Pipeline(sample, scribe.opened, desk.deliver, **{"concurrency": 4, **options})


async def test_shards_arrive_whole_and_in_order() -> None:
    scribe, desk, tally = Scribe(), Desk(), Tally(50)
    assert await pipeline(scribe, desk).run(SHARDS, tally)
    assert desk.delivered == {s.index: list(range(s.start, s.stop)) for s in SHARDS}
    assert (tally.accepted, tally.prompt_tokens, tally.completion_tokens, tally.in_flight) == (50, 100, 50, 0)


async def test_narrations_reach_the_limit() -> None:
    scribe = Scribe()
    await pipeline(scribe, Desk(), concurrency=7).run(SHARDS, Tally(50))
    assert scribe.most == 7
    assert scribe.most_open == 2
    assert scribe.open == 0


async def test_rows_are_sampled_on_demand() -> None:
    asked: list[int] = []

    def watched(n: int, start: int) -> pd.DataFrame:
        asked.append(start)
        return sample(n, start)

    scribe, desk = Scribe(), Desk()
    line = Pipeline(watched, scribe.opened, desk.deliver, concurrency=1, observe=lambda _: line.stop())
    assert not await line.run(SHARDS, Tally(50))
    assert asked == [0]


async def test_rejected_row_is_counted() -> None:
    desk, tally = Desk(), Tally(50)
    await pipeline(Scribe(rejects=(3, 17)), desk).run(SHARDS, tally)
    assert [r.record["row"] for r in desk.results if not r.accepted] == [3, 17]
    assert (tally.accepted, tally.rejected) == (48, 2)


async def test_unanswered_row_is_rejected() -> None:
    desk = Desk()
    await pipeline(Scribe({5: RequestError("context too long")}), desk).run(SHARDS, Tally(50))
    (rejected,) = [result for result in desk.results if not result.accepted]
    assert rejected.reasons == ("endpoint: context too long",)


async def test_missing_endpoint_ends_the_run() -> None:
    desk = Desk()
    with pytest.raises(EndpointError, match="gone"):
        await pipeline(Scribe({25: EndpointError("gone")}), desk, concurrency=1).run(SHARDS, Tally(50))
    assert sorted(desk.delivered) == [0, 1]


async def test_spent_budget_ends_the_run() -> None:
    scribe = Scribe({24: BudgetError("spent")})
    with pytest.raises(BudgetError, match="spent"):
        await pipeline(scribe, Desk()).run(SHARDS, Tally(50))
    assert scribe.at_once == 0
    assert set(scribe.narrated) >= set(range(24))


async def test_failing_endpoint_ends_the_run() -> None:
    scribe, desk = Scribe({row: TransientError("503") for row in range(20, 50)}), Desk()
    with pytest.raises(TransientError, match="503"):
        await pipeline(scribe, desk, patience=8).run(SHARDS, Tally(50))
    assert len(scribe.narrated) == 20


async def test_full_disk_ends_the_run() -> None:
    def full(_: Shard, __: Sequence[Narrated]) -> ShardInfo:
        raise OSError(28, "No space left on device")

    line = Pipeline(sample, Scribe().opened, full, concurrency=4)
    with pytest.raises(OSError, match="No space left"):
        await line.run(SHARDS, Tally(50))


async def test_stop_finishes_rows_in_flight() -> None:
    scribe, desk = Scribe(), Desk()

    def stop_at_fifteen(tally: Tally) -> None:
        if tally.accepted == 15:
            line.stop()

    line = pipeline(scribe, desk, observe=stop_at_fifteen)
    assert not await line.run(SHARDS, Tally(50))
    assert scribe.at_once == 0
    assert 15 <= len(scribe.narrated) <= 15 + 4
    assert sorted(desk.delivered) == [0]


async def test_abort_drops_rows_in_flight() -> None:
    scribe = Scribe()

    def abort(_: Tally) -> None:
        line.abort()

    line = pipeline(scribe, Desk(), observe=abort)
    assert not await line.run(SHARDS, Tally(50))
    assert len(scribe.narrated) < 5


async def test_stop_wakes_a_waiting_session() -> None:
    hold = asyncio.Event()

    class Slow(Scribe):
        async def narrate(self, record: dict) -> Narrated:
            if record["row"] % 10 == 0:
                await hold.wait()
            return await super().narrate(record)

    line = pipeline(Slow(), Desk())
    session = asyncio.create_task(line.run(SHARDS, Tally(50)))
    await asyncio.sleep(0.05)
    line.stop()
    hold.set()
    assert not await asyncio.wait_for(session, timeout=5)


async def test_no_shards_end_at_once() -> None:
    assert await pipeline(Scribe(), Desk()).run((), Tally(0))


@pytest.mark.parametrize("fails", [{}, {23: EndpointError("nobody listens")}])
async def test_run_relaxes_and_restores_gc(
    fails: dict[int, LLMError],
) -> None:
    before, seen = gc.get_threshold(), set()
    line = pipeline(Scribe(fails), Desk(), observe=lambda _: seen.add(gc.get_threshold()[0]))
    with pytest.raises(EndpointError) if fails else nullcontext():
        await line.run(SHARDS, Tally(50))
    assert min(seen) > 10 * before[0]
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("begun", [False, True])
async def test_stop_can_deliver_first_rows(
    begun: bool,
) -> None:
    scribe, desk = Scribe(), Desk()

    def observe(tally: Tally) -> None:
        if tally.accepted == 13:
            line.stop()

    line = Pipeline(sample, scribe.opened, desk.deliver, concurrency=1, observe=observe, deliver_begun=begun)
    assert not await line.run(SHARDS, Tally(50))
    assert desk.delivered == {0: [*range(10)]} | ({1: [10, 11, 12]} if begun else {})


async def test_shard_goes_on_after_its_rows() -> None:
    scribe, desk = Scribe(), Desk()
    await pipeline(scribe, desk).run((Shard(0, 0, 10, done=7), Shard(1, 10, 20)), Tally(20, done=7))
    assert desk.delivered == {0: [7, 8, 9], 1: [*range(10, 20)]}


@pytest.mark.parametrize("ended_by", ["abort", "cancel"])
async def test_rows_are_delivered_once(ended_by: str) -> None:
    delivered: list[tuple[int, int]] = []
    loop = asyncio.get_running_loop()

    def deliver(shard: Shard, results: Sequence[Narrated]) -> ShardInfo:
        loop.call_soon_threadsafe(line.abort if ended_by == "abort" else session.cancel)
        threading.Event().wait(0.05)
        delivered.append((shard.start, shard.stop))
        return ShardInfo(shard.start, shard.stop, len(results), 0)

    line = Pipeline(sample, Scribe().opened, deliver, concurrency=4, deliver_begun=True)
    session = asyncio.ensure_future(line.run(SHARDS, Tally(50)))
    if ended_by == "abort":
        assert not await session
    else:
        with pytest.raises(asyncio.CancelledError):
            await session
    starts = [start for start, _ in delivered]
    assert len(starts) == len(set(starts))
    assert (0, 10) in delivered


async def test_two_sessions_restore_gc() -> None:
    before = gc.get_threshold()
    short = pipeline(Scribe(), Desk()).run(SHARDS[:2], Tally(20))
    await asyncio.gather(short, pipeline(Scribe(), Desk(), concurrency=1).run(SHARDS, Tally(50)))
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
