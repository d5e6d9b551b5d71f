"""SocketChannel: Python objects over a socket between a coordinator and one of its own worker processes."""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from typing import Any, Self

_SIZE = struct.Struct(">Q")


class SocketChannel:
    """Sends and receives pickled objects, whole and in order.

    Both ends are processes of this package that one of them started: nobody else can write to the socket.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use `open`."""
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, end: socket.socket) -> Self:
        """Open one end of a pair of sockets in the running event loop."""
        return cls(*await asyncio.open_connection(sock=end))

    def post(self, message: Any) -> None:
        """Send a message without waiting until it has left."""
        body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self._writer.write(_SIZE.pack(len(body)) + body)

    async def send(self, message: Any) -> None:
        """Send a message; waits while the other end is behind.

        Raises:
            OSError: the other end has gone.
        """
        self.post(message)
        await self._writer.drain()

    async def receive(self) -> Any:
        """Return the next message.

        Raises:
            EOFError, OSError: the other end has gone.
        """
        (size,) = _SIZE.unpack(await self._reader.readexactly(_SIZE.size))
        return pickle.loads(await self._reader.readexactly(size))  # noqa: S301 - from a process of this package

    def close(self) -> None:
        """Close this end; the other end reads what was sent and then gets EOF."""
        self._writer.close()
