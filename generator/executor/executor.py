"""Executor: what spreads tasks over workers has to offer, and what it is given."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from census_personas.foundation.errors import PersonasError
from census_personas.generator.config.run_config import RuntimeConfig

MOST_DEATHS = 3
"""Workers that a task may lose before the run ends with an error that names it."""

Exchange = Callable[[Any], Awaitable[Any]]
"""What a worker asks its coordinator with: it sends a report and gets a lease."""


class WorkerError(PersonasError, RuntimeError):
    """A worker that cannot be started, or a task that ends each worker that takes it."""

    exit_code: ClassVar[int] = 1


class Worker(Protocol):
    """Lives in a process of its own, with what it needs loaded once."""

    async def work(self, task: Any) -> Any:
        """The result of one task; `Job.at_once` of them are worked on at the same time, in one event loop."""
        ...

    async def aclose(self) -> None:
        """Report for the last time and release connections."""
        ...


class Job(Protocol):
    """What workers do. It can be pickled, and is opened once in each worker."""

    @property
    def at_once(self) -> int:
        """Tasks that a worker has in hand at the same time."""
        ...

    @property
    def folder(self) -> Path | None:
        """The run folder that workers write into, locked by the coordinator; None where they only return results."""
        ...

    def open(self, exchange: Exchange) -> Worker:
        """Load what the tasks need; runs in a thread, before any task."""
        ...


class Coordinator(Protocol):
    """What workers share: it lives in the process that was started by the user, and is asked for leases there."""

    @property
    def is_stopping(self) -> bool:
        """Whether tasks of workers that die now are dropped, not given to others."""
        ...

    def exchange(self, worker: int, report: Any) -> Any:
        """Take a worker's report and return its lease."""
        ...

    def release(self, worker: int) -> None:
        """Take back what a worker held that has ended or died."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """A task and its result, or the error that it ended with."""

    task: Any
    value: Any = None
    error: Exception | None = None


class Executor(Protocol):
    """Gives tasks to workers until there are no more."""

    def run(self, job: Job, tasks: Iterator[Any], coordinator: Coordinator) -> AsyncGenerator[Done]:
        """Yield each task as it is done, in any order.

        Tasks are taken from the iterator when a worker has room for one, and not before. Those of a worker that dies
        are given to another one, alone, until they have cost `MOST_DEATHS` workers; every process gets a number of
        its own, under which `coordinator` knows it, and is released when it has ended. Closing the iterator ends
        all workers.

        Raises:
            WorkerError: no worker can be started.
            PersonasError: a worker could not open the job.
        """
        ...


def executor_of(runtime: RuntimeConfig, workers: int) -> Executor:
    """The executor that a configuration names, with so many workers.

    Raises:
        ConfigError: it needs something that is not there.
    """
    if runtime.executor == "ray":
        from census_personas.generator.executor.ray_executor import RayExecutor  # noqa: PLC0415 - one is loaded

        return RayExecutor(runtime, workers)
    from census_personas.generator.executor.local import LocalExecutor  # noqa: PLC0415 - one is loaded

    return LocalExecutor(workers)
