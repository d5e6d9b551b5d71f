"""NarrationCrew: the coordinator of a run whose shards are narrated by several workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from census_personas.generator.executor.executor import Executor
from census_personas.generator.executor.ledger import Ledger
from census_personas.generator.executor.narration_job import NarrationJob
from census_personas.generator.llm.budget import BudgetError
from census_personas.generator.run.early_stop import EarlyStop
from census_personas.generator.run.pipeline import Tally
from census_personas.generator.run.run_folder import RunFolder
from census_personas.generator.run.shard_store import Shard


class NarrationCrew:
    """Hands out shards to workers and adds up their counts; replaces the `Pipeline` in a run with workers."""

    def __init__(
        self,
        executor: Executor,
        folder: RunFolder,
        workers: int,
        early_stop: EarlyStop,
        observe: Callable[[Tally], None],
    ) -> None:
        """Nothing is started before `run`."""
        self._executor, self._early_stop, self._observe = executor, early_stop, observe
        self._job = NarrationJob(folder.config, folder.path.absolute(), folder.manifest, workers)
        self._ledger: Ledger | None = None

    async def run(self, shards: Sequence[Shard], tally: Tally) -> bool:
        """As `Pipeline.run`: False when `stop` cut the session short, or rows wait for answers.

        Raises:
            CancelledError: it was cancelled; rows in flight are dropped as by `abort`, finished ones delivered.
            LLMError: the endpoint cannot be used, the budget is spent, or the first rows leave no hope.
            WorkerError: workers cannot be started, or die of a shard.
            OSError, ValueError: what writing a part raised.
        """
        self._ledger = ledger = Ledger(
            self._job.config.llm, self._job.workers, self._early_stop, tally, self._observe
        )
        work = asyncio.ensure_future(self._work(ledger, shards))
        cancelled = False
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:
                cancelled = True
                ledger.abort()
        whole = work.result()
        if cancelled:
            raise asyncio.CancelledError
        if ledger.error is not None:
            raise ledger.error
        return whole

    def stop(self) -> None:
        """Begin no further row; `run` returns when those in flight are finished."""
        if self._ledger is not None:
            self._ledger.stop()

    def abort(self) -> None:
        """Drop the rows in flight as well."""
        if self._ledger is not None:
            self._ledger.abort()

    def account(self) -> dict[str, Any]:
        """Return the combined account of the workers' requests."""
        return {} if self._ledger is None else self._ledger.account()

    async def _work(self, ledger: Ledger, shards: Sequence[Shard]) -> bool:
        whole = 0
        async with aclosing(
            self._executor.run(self._job, _until_stopped(shards, ledger), ledger)
        ) as outcomes:
            async for done in outcomes:
                if done.error is not None:
                    # Answers in flight are paid for: after a spent budget they are awaited and kept.
                    ledger.fail(done.error, at_once=not isinstance(done.error, BudgetError))
                else:
                    ledger.finished(done.task.index, done.value.tally)
                    whole += done.value.whole
        return whole == len(shards)


def _until_stopped(shards: Sequence[Shard], ledger: Ledger) -> Iterator[Shard]:
    for shard in shards:
        if ledger.is_stopping:
            return
        yield shard
