"""RayCluster: the connection to an existing Ray cluster, or to one started on this machine for the run."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

from census_personas.generator.config.run_config import ConfigError, RuntimeConfig

_LOCAL, _ON_THIS_MACHINE = "local", "auto"
_CONNECT_S = 5.0
_PRINTS = "_worker_logs_enabled"
_STORE_BYTES = 200 << 20  # messages are small; by default Ray takes a third of the memory
_REMEDY = (
    "start it, or give its address in runtime.ray_address or RAY_ADDRESS; `local` starts one for the run"
)


class RayCluster:
    """The cluster that a run's workers are started in."""

    def __init__(self, runtime: RuntimeConfig) -> None:
        """Check that Ray is installed and that something listens at the address; nothing is started.

        Raises:
            ConfigError: Ray is not installed, or nothing listens there.
        """
        # Ray reports usage to its makers unless this is set.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray  # noqa: F401, PLC0415 - optional, and slow to load
        except ImportError as error:
            raise ConfigError(
                f"runtime.executor=ray needs Ray ({error}); install it: pip install 'census-personas[ray]'"
            ) from error
        self._source = "runtime.ray_address" if runtime.ray_address else "RAY_ADDRESS"
        self._address = runtime.ray_address or os.environ.get("RAY_ADDRESS", "").strip() or _LOCAL
        self._workers = runtime.workers
        if self._address not in {_LOCAL, _ON_THIS_MACHINE}:
            self._reach()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Connect this process to the cluster until the context ends; keep a connection that exists already.

        Raises:
            ConfigError: the cluster cannot be reached, or runs another release of Ray or Python.
        """
        import ray  # noqa: PLC0415

        if ray.is_initialized():
            yield
            return
        # In the main thread, Ray would set a handler of its own for SIGTERM.
        await asyncio.to_thread(self._connect)
        try:
            _keep_sigterm()
            with _quiet():
                yield
        finally:
            await asyncio.to_thread(ray.shutdown)

    def _connect(self) -> None:
        import ray  # noqa: PLC0415

        logging.getLogger("ray").setLevel(logging.ERROR)
        own: dict[str, Any] = {}
        if self._address == _LOCAL:
            own = {
                "num_cpus": self._workers,
                "include_dashboard": False,
                "object_store_memory": _STORE_BYTES,
            }
        try:
            ray.init(self._address, log_to_driver=False, logging_level=logging.ERROR, **own)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            reason = " ".join(str(error).split())
            raise ConfigError(f"{self._place}: cannot be used ({reason[:300]}); {_REMEDY}") from error

    def _reach(self) -> None:
        """Try to connect to the address; Ray itself would try for a minute."""
        try:
            place = urlsplit(self._address if "://" in self._address else f"//{self._address}")
            host, port = place.hostname, place.port
        except ValueError:
            host, port = None, None
        if host is None or port is None:
            raise ConfigError(
                f"{self._place}: is not an address; write it as ray://HOST:10001, HOST:6379, auto or local"
            )
        try:
            socket.create_connection((host, port), _CONNECT_S).close()
        except OSError as error:
            raise ConfigError(f"{self._place}: no cluster answers there ({error}); {_REMEDY}") from error

    @property
    def _place(self) -> str:
        return f"{self._source}={self._address}"


def _keep_sigterm() -> None:
    """Restore this process's handler of SIGTERM: Ray's library replaces it by one that ends the process."""
    handler = signal.getsignal(signal.SIGTERM)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)
        signal.siginterrupt(signal.SIGTERM, False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray from printing the state of its processes: Ray has no option for this, and stdout is for results."""
    from ray._private import worker  # noqa: PLC0415

    before = getattr(worker, _PRINTS, True)
    setattr(worker, _PRINTS, False)
    try:
        yield
    finally:
        setattr(worker, _PRINTS, before)
