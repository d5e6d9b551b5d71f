"""Local worker: the program of one worker process.

    python -m census_personas.generator.executor.local_worker FD

FD is its end of a pair of sockets. It ends when the other end is closed, so that no worker outlives its coordinator.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

from census_personas.foundation import threads
from census_personas.generator.executor.channel import SocketChannel
from census_personas.generator.executor.worker_service import WorkerService


async def _serve(end: socket.socket) -> None:
    try:
        await WorkerService(await SocketChannel.open(end)).run()
    except (EOFError, OSError):
        # The coordinator has closed the channel or died, so nobody needs the requests in flight.
        os._exit(0)


def main() -> None:
    """Serve the coordinator that started this process."""
    # A terminal signals the whole process group; the coordinator handles the signal and instructs its workers.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    threads.use_cores(1)
    asyncio.run(_serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
