"""RayExecutor: runs workers as actors of a Ray cluster, which places them and restarts those that die."""

from __future__ import annotations

import asyncio
import logging
import pickle
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import aclosing, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from census_personas.foundation.run_layout import RunLayout
from census_personas.generator.config.run_config import RuntimeConfig
from census_personas.generator.executor.dispatcher import Dispatcher
from census_personas.generator.executor.executor import Coordinator, Done, Job, WorkerError
from census_personas.generator.executor.ray_cluster import RayCluster
from census_personas.generator.executor.ray_worker import Home, worker_class

logger = logging.getLogger(__name__)
_RELEASE = version("census-personas")
_AGAIN_S = 0.5  # seconds between two calls of an actor that Ray has not started yet
_PATIENCE_S = 15.0  # seconds after which a warning says that an actor waits for a CPU
_SHARED = "with executor=ray, write runs to a disk that all nodes have at the same path"


class RayExecutor:
    """Runs a number of actors; a cluster with too few free CPUs runs fewer until more are free."""

    def __init__(self, runtime: RuntimeConfig, workers: int) -> None:
        """Check that the cluster is there; nothing is started before `run`.

        Raises:
            ConfigError: Ray is not installed, or there is no cluster at the address.
        """
        self._cluster = RayCluster(runtime.model_copy(update={"workers": workers}))
        self._workers = workers

    async def run(self, job: Job, tasks: Iterator[Any], coordinator: Coordinator) -> AsyncGenerator[Done]:
        """Yield each task when it is done (see `Executor.run`)."""
        home = Home(
            _RELEASE, str(Path.cwd()), None if job.folder is None else str(job.folder), _marked(job.folder)
        )
        async with self._cluster.connected():
            slots = [_Actor(place, home) for place in range(1, self._workers + 1)]
            try:
                async with aclosing(Dispatcher(job, tasks, coordinator, slots).run()) as outcomes:
                    async for done in outcomes:
                        yield done
            finally:
                for slot in slots:
                    slot.kill()


def _marked(folder: Path | None) -> str:
    """Write a random token into the lock file of a run folder, which this process holds, and return it."""
    token = secrets.token_hex(16)
    if folder is not None:
        RunLayout(folder).lock.write_text(token)
    return token


class _Actor:
    """A `Slot` that runs its process as an actor; a restarted actor has another process."""

    def __init__(self, place: int, home: Home) -> None:
        self._place, self._home = place, home
        self._actor: Any = None
        self._channel: _RayChannel | None = None

    async def start(self, job: Job, number: int) -> _RayChannel:
        """Wait until Ray has started a process for the actor, and send it the job."""
        import ray  # noqa: PLC0415 - optional

        if self._actor is None:
            # Ray must not repeat calls: the dispatcher queues the tasks of a dead worker again.
            options = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=0)
            self._actor = options(worker_class()).remote()
        self._channel = _RayChannel(self._actor, number)
        fault = await self._settled(number)
        if fault:
            raise WorkerError(f"worker {self._place}: its node {fault}" + self._remedy(fault))
        await self._channel.send((job, logging.getLogger().level))
        return self._channel

    async def _settled(self, number: int) -> str:
        from ray.exceptions import ActorUnavailableError  # noqa: PLC0415

        home, waits = pickle.dumps(self._home), asyncio.create_task(self._warn_of_waiting())
        try:
            while True:
                try:
                    return str(await _answer(self._actor.begin.remote(number, _RELEASE, home)))
                except ConnectionError as error:
                    if not isinstance(error.__cause__, ActorUnavailableError):
                        raise
                await asyncio.sleep(_AGAIN_S)  # Ray is restarting it
        finally:
            waits.cancel()

    async def _warn_of_waiting(self) -> None:
        import ray  # noqa: PLC0415

        await asyncio.sleep(_PATIENCE_S)
        free = await asyncio.to_thread(ray.available_resources)
        logger.warning(
            "worker %d waits for a CPU of the cluster; %g CPUs are free", self._place, free.get("CPU", 0)
        )

    def _remedy(self, fault: str) -> str:
        return f"; {_SHARED}" if fault.startswith("does not see") else ""

    def exit_code(self) -> str:
        """Return what Ray reports about the end of the process."""
        return "" if self._channel is None else self._channel.fault

    async def end(self) -> None:
        """Keep an actor whose process died, since Ray restarts it; kill one that is no longer needed."""
        if self._channel is None or not self._channel.fault:
            self.kill()
        if self._channel is not None:
            self._channel.close()

    def kill(self) -> None:
        """End the actor for good."""
        import ray  # noqa: PLC0415

        if self._actor is not None:
            with suppress(ray.exceptions.RayError):
                ray.kill(self._actor)
        self._actor = None


class _RayChannel:
    """The coordinator's end of a channel to one process of an actor."""

    def __init__(self, actor: Any, number: int) -> None:
        self.fault = ""
        self._actor, self._number = actor, number
        self._received: deque[bytes] = deque()
        self._sending: set[asyncio.Task[None]] = set()

    def post(self, message: Any) -> None:
        """Send a message without waiting; a lost connection is reported by `receive`."""
        sending = asyncio.create_task(self._sent(self.send(message)))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def send(self, message: Any) -> None:
        """Send a message.

        Raises:
            ConnectionError: the process has ended.
        """
        body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        await self._awaited(self._actor.put.remote(self._number, body))

    async def receive(self) -> Any:
        """Return the next message.

        Raises:
            ConnectionError: the process has ended.
        """
        while not self._received:
            self._received.extend(await self._awaited(self._actor.fetch.remote(self._number)))
        return pickle.loads(self._received.popleft())  # noqa: S301 - from a process of this run

    async def _awaited(self, answer: Any) -> Any:
        try:
            return await _answer(answer)
        except ConnectionError as error:
            self.fault = str(error)
            raise

    @staticmethod
    async def _sent(sending: Coroutine[Any, Any, None]) -> None:
        with suppress(ConnectionError):
            await sending

    def close(self) -> None:
        """Cancel the messages that are still being sent."""
        for sending in self._sending:
            sending.cancel()


async def _answer(answer: Any) -> Any:
    """Return the result of an actor's method.

    Raises:
        ConnectionError: its process has ended; the message is Ray's reason.
    """
    from ray.exceptions import RayError  # noqa: PLC0415

    try:
        return await answer
    except (RayError, ConnectionError) as error:
        raise ConnectionError(_summary(error)) from error


def _summary(error: Exception) -> str:
    from ray.exceptions import ActorUnavailableError  # noqa: PLC0415

    if isinstance(error, ActorUnavailableError):  # Ray's text describes the connection, not the process
        return "its process has ended; see the logs of its node"
    reason = " ".join(str(error).split())
    return f"{type(error).__name__}: {reason[:200]}"
