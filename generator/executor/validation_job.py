"""ValidationJob: blocks of a dataset's rows as tasks, and the worker that checks them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from census_personas.census_priors.priors import Priors
from census_personas.foundation.plugins import Plugins
from census_personas.generator.executor.executor import Done, Exchange, Executor
from census_personas.generator.population.plausibility import Plausibility
from census_personas.generator.population.population import Population
from census_personas.validators.checked_block import CheckedBlock, check_block
from census_personas.validators.collected_facts import CollectedColumns
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import RecordChecker


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of a dataset, beginning with row `start`."""

    start: int
    records: Sequence[Mapping[str, Any]] = field(compare=False, repr=False)

    def __str__(self) -> str:
        """Return the range of rows, for messages."""
        return f"the block of rows {self.start} to {self.start + len(self.records) - 1}"


@dataclass(frozen=True, slots=True)
class ValidationJob:
    """The names of what a dataset is checked with: locale, language of the texts, policy and plug-ins.

    `collected` names the columns that are kept for measures; None without a report.
    """

    locale: str
    language: str | None
    policy: Mapping[str, str]
    plugins: tuple[str, ...] = ()
    collected: CollectedColumns | None = None

    @property
    def at_once(self) -> int:
        """Two blocks: one waits while the other is checked."""
        return 2

    @property
    def folder(self) -> None:
        """None: workers write no files."""
        return

    def open(self, _: Exchange) -> ValidationWorker:
        """Load the locale, its model and the rules."""
        priors = Priors.load(self.locale)
        reference = RuleContext(priors, Plausibility.of(Population.load(priors)), self.language)
        checker = RecordChecker(reference, self.policy, plugins=Plugins.load(self.plugins))
        return ValidationWorker(checker, self.collected)


class ValidationWorker:
    """Checks one block after the other."""

    def __init__(self, checker: RecordChecker, collected: CollectedColumns | None) -> None:
        """Take the rules with their policy, and the columns to collect."""
        self._checker, self._collected = checker, collected

    async def work(self, task: Block) -> CheckedBlock:
        """Check the rows of a block."""
        return check_block(self._checker, task.records, self._collected)

    async def aclose(self) -> None:
        """Do nothing: no connection is open."""


class _Independent:
    """The coordinator of tasks that share no limits."""

    is_stopping = False

    def exchange(self, worker: int, report: Any) -> None:
        """Do nothing: these workers send no reports."""

    def release(self, worker: int) -> None:
        """Do nothing: these workers have no leases."""


class CheckingCrew:
    """Checks blocks of records with several workers: a `Spread` for `validate_files`."""

    def __init__(self, executor: Executor, job: ValidationJob) -> None:
        """Start nothing before the first block."""
        self._executor, self._job = executor, job

    def __call__(self, blocks: Iterator[Sequence[Mapping[str, Any]]]) -> Iterator[CheckedBlock]:
        """Yield the checked blocks in their order.

        Raises:
            PersonasError: a rule raised it, or a block ended all workers that took it.
        """
        outcomes = self._executor.run(self._job, _numbered(blocks), _Independent())
        ahead: dict[int, Done] = {}
        due = 0
        with asyncio.Runner() as runner, closing(_Closing(runner, outcomes)):
            while (done := runner.run(_next(outcomes))) is not None:
                if done.error is not None:
                    raise done.error
                ahead[done.task.start] = done
                while due in ahead:
                    block = ahead.pop(due).value
                    due += len(block.uuids)
                    yield block


@dataclass(frozen=True, slots=True)
class _Closing:
    """Ends the workers in the event loop that started them."""

    runner: asyncio.Runner
    outcomes: AsyncGenerator[Done]

    def close(self) -> None:
        self.runner.run(self._aclose())

    async def _aclose(self) -> None:
        await self.outcomes.aclose()


async def _next(outcomes: AsyncGenerator[Done]) -> Done | None:
    return await anext(outcomes, None)


def _numbered(blocks: Iterator[Sequence[Mapping[str, Any]]]) -> Iterator[Block]:
    at = 0
    for records in blocks:
        yield Block(at, records)
        at += len(records)
