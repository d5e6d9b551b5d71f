"""NarrationJob: shards of a run as tasks, and the worker that writes their parts."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.executor.executor import Exchange
from census_personas.generator.executor.lease import REPORT_S, Lease, Report, State
from census_personas.generator.executor.leased_limits import LeasedBudget, LeasedGate, LeasedRows, ShardRows
from census_personas.generator.llm.chat import ChatModel
from census_personas.generator.narration.backends import connect
from census_personas.generator.narration.journal import freed
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.pipeline import Pipeline, Tally, narrations
from census_personas.generator.run.resources import RunResources
from census_personas.generator.run.run_folder import RunFolder
from census_personas.generator.run.shard_narration import ShardNarration
from census_personas.generator.run.shard_store import Shard

# A process on a machine that the coordinator can no longer reach may still be running.
_FREED_S = 120.0


@dataclass(frozen=True, slots=True)
class ShardDone:
    """The result of a shard: whether its part is written, and its counts."""

    whole: bool
    tally: Tally


@dataclass(frozen=True, slots=True)
class NarrationJob:
    """All that a worker needs for a run, whose limits `workers` processes share."""

    config: Config
    folder: Path
    manifest: Manifest
    workers: int

    @property
    def at_once(self) -> int:
        """Two shards, so that the last rows of one do not leave an endpoint idle; one for the offline narrator."""
        return 1 if self.config.llm.backend == "offline" else 2

    def open(self, exchange: Exchange) -> NarrationWorker:
        """Load population, prompts and checks.

        Raises:
            ConfigError: their digests differ from those of the run.
        """
        resources = RunResources.load(self.config)
        here, there = resources.digests(), self.manifest.identity["digests"]
        if others := sorted(name for name in here | there if here.get(name) != there.get(name)):
            raise ConfigError(
                f"{self.folder}: the worker on {platform.node()} has other files ({', '.join(others)}) than the "
                "coordinator; give all machines the same release, locale, prompts, plug-ins and input"
            )
        return NarrationWorker(self, resources, exchange)


class NarrationWorker:
    """Narrates shards and writes their parts; reports to the ledger ten times a second."""

    def __init__(self, job: NarrationJob, resources: RunResources, exchange: Exchange) -> None:
        """Nothing is asked of an endpoint or of the coordinator before the first task."""
        self._job, self._resources, self._exchange = job, resources, exchange
        self._folder = RunFolder(job.folder, job.config, job.manifest, resources.table())
        self._gates: list[LeasedGate] = []
        self._open: dict[int, tuple[Pipeline, Tally]] = {}
        self._state: State = "run"
        self._model: ChatModel | None = None
        self._reporting: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self.budget = LeasedBudget(job.config.llm)
        self._rows = LeasedRows(lambda: sum(tally.in_flight for _, tally in self._open.values()))

    def gate(self, ceiling: int) -> LeasedGate:
        """The next endpoint's share of the requests in flight."""
        self._gates.append(LeasedGate(ceiling))
        return self._gates[-1]

    async def work(self, task: Shard) -> ShardDone:
        """Narrate one shard and write its part.

        Raises:
            LLMError, OSError, ValueError: as `Pipeline.run`.
        """
        model = self._connected()
        tally = Tally(task.stop - task.begin)
        if self._state != "run":
            return ShardDone(whole=False, tally=tally)
        shard = self._folder.as_it_stands(task)
        if shard is None:  # a worker died after it had written the part, before it could say so
            return ShardDone(whole=True, tally=tally)
        if self._folder.journaled:
            await freed(self._folder.journal(task), _FREED_S)
        requests = -(-self._job.config.llm.concurrency // self._job.workers)
        narration = ShardNarration(self._resources, self._folder, model)
        pipeline = narration.pipeline(narrations(requests), ShardRows(self._rows), self._rows.hear)
        self._open[task.index] = pipeline, tally
        try:
            whole = await pipeline.run((shard,), tally)
        finally:
            await self._report()
            del self._open[task.index]
        return ShardDone(whole, tally)

    async def aclose(self) -> None:
        """Report for the last time and release connections."""
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.wait([self._reporting])
        if self._model is not None:
            await self._report()
            await self._model.aclose()

    def _connected(self) -> ChatModel:
        if self._model is None:
            resources = self._resources
            self._model = connect(self._job.config.llm, resources.grammar, [*resources.written], limits=self)
            self._reporting = asyncio.create_task(self._keep_reporting())
        return self._model

    async def _keep_reporting(self) -> None:
        while True:
            await self._report()
            await asyncio.sleep(REPORT_S)

    async def _report(self) -> None:
        async with self._one_at_a_time:
            report = Report(
                gates=tuple(gate.report() for gate in self._gates),
                prompt_tokens=self.budget.prompt_tokens,
                completion_tokens=self.budget.completion_tokens,
                rows=self._rows.report(),
                tallies={index: tally for index, (_, tally) in self._open.items()},
                account=self._account(),
            )
            self._follow(await self._exchange(report))

    def _account(self) -> Mapping[str, Any]:
        return {} if self._model is None else self._model.account()

    def _follow(self, lease: Lease) -> None:
        for gate, (places, epoch), answered in zip(self._gates, lease.gates, lease.answered, strict=True):
            gate.follow(places, epoch, has_answered=answered)
        self.budget.follow(lease.allowance, is_spent=lease.is_spent)
        self._rows.follow(lease.rows)
        if lease.state != self._state:
            self._state = lease.state
            for pipeline, _ in self._open.values():
                if lease.state == "abort":
                    pipeline.abort()
                else:
                    pipeline.stop()
