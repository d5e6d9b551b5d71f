"""Executor: the interface of everything that runs tasks on workers, and of what it runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from census_personas.foundation.errors import PersonasError
from census_personas.generator.config.run_config import RuntimeConfig

MOST_DEATHS = 3
"""Number of workers that die on a task before the task is given up with an error."""

Exchange = Callable[[Any], Awaitable[Any]]
"""Sends a worker's report to the coordinator and returns its lease."""


class WorkerError(PersonasError, RuntimeError):
    """A worker cannot be started, or a task ends every worker that takes it."""

    exit_code: ClassVar[int] = 1


class Worker(Protocol):
    """Works on tasks in a process of its own, which loads what they need once."""

    async def work(self, task: Any) -> Any:
        """Return the result of one task; up to `Job.at_once` tasks run concurrently in one event loop."""
        ...

    async def aclose(self) -> None:
        """Report for the last time and release connections."""
        ...


class Job(Protocol):
    """The work that workers do. A job can be pickled and is opened once in each worker."""

    @property
    def at_once(self) -> int:
        """Number of tasks that a worker holds at the same time."""
        ...

    @property
    def folder(self) -> Path | None:
        """The run folder that workers write into, locked by the coordinator; None where they only return results."""
        ...

    def open(self, exchange: Exchange) -> Worker:
        """Load what the tasks need; runs in a thread, before any task."""
        ...


class Coordinator(Protocol):
    """Hands out leases on shared limits; it runs in the process that the user started."""

    @property
    def is_stopping(self) -> bool:
        """Whether tasks of workers that die from now on are dropped instead of given to others."""
        ...

    def exchange(self, worker: int, report: Any) -> Any:
        """Take a worker's report and return its lease."""
        ...

    def release(self, worker: int) -> None:
        """Take back the lease of a worker that has ended or died."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """A task and its result, or the error that it ended with."""

    task: Any
    value: Any = None
    error: Exception | None = None


class Executor(Protocol):
    """Runs tasks on workers until all are done."""

    def run(self, job: Job, tasks: Iterator[Any], coordinator: Coordinator) -> AsyncGenerator[Done]:
        """Yield each task when it is done, in any order.

        A task is taken from the iterator only when a worker has room for it. The tasks of a worker that dies are given
        to other workers, one at a time, until `MOST_DEATHS` workers have died on one. Every process has a unique
        number, under which `coordinator` knows it, and is released when it has ended. Closing the iterator ends all
        workers.

        Raises:
            WorkerError: no worker can be started.
            PersonasError: a worker could not open the job.
        """
        ...


def executor_of(runtime: RuntimeConfig, workers: int) -> Executor:
    """Return the executor that a configuration names.

    Raises:
        ConfigError: the executor needs something that is not there.
    """
    if runtime.executor == "ray":
        from census_personas.generator.executor.ray_executor import RayExecutor  # noqa: PLC0415 - one is loaded

        return RayExecutor(runtime, workers)
    from census_personas.generator.executor.local import LocalExecutor  # noqa: PLC0415 - one is loaded

    return LocalExecutor(workers)
