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
    """Some rows of a dataset, from one of its rows on."""

    start: int
    records: Sequence[Mapping[str, Any]] = field(compare=False, repr=False)

    def __str__(self) -> str:
        """Which rows, as errors name them."""
        return f"the block of rows {self.start} to {self.start + len(self.records) - 1}"


@dataclass(frozen=True, slots=True)
class ValidationJob:
    """By what a dataset is judged: locale, language of the texts, policy and plug-ins, by their names.

    `collected`: what is kept of each row for measures; None where there is no report.
    """

    locale: str
    language: str | None
    policy: Mapping[str, str]
    plugins: tuple[str, ...] = ()
    collected: CollectedColumns | None = None

    @property
    def at_once(self) -> int:
        """Two blocks, so that the next one is there when one is checked."""
        return 2

    @property
    def folder(self) -> None:
        """None: findings are returned."""
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
        """Take the rules, under their policy, and what is collected."""
        self._checker, self._collected = checker, collected

    async def work(self, task: Block) -> CheckedBlock:
        """Check the rows of a block."""
        return check_block(self._checker, task.records, self._collected)

    async def aclose(self) -> None:
        """Nothing is open."""


class _Independent:
    """The coordinator of tasks that share nothing."""

    is_stopping = False

    def exchange(self, worker: int, report: Any) -> None:
        """Nobody asks."""

    def release(self, worker: int) -> None:
        """Nothing is held."""


class CheckingCrew:
    """Checks blocks of records with several workers: a `Spread` for `validate_files`."""

    def __init__(self, executor: Executor, job: ValidationJob) -> None:
        """Nothing is started before the first block."""
        self._executor, self._job = executor, job

    def __call__(self, blocks: Iterator[Sequence[Mapping[str, Any]]]) -> Iterator[CheckedBlock]:
        """Give what came of the blocks in their order.

        Raises:
            PersonasError: what a rule raised, or a block that its workers died of.
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
    """Ends the workers, in the event loop that they were started in."""

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
