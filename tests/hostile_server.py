"""A server of raw bytes for tests: it answers requests with bytes that no server should send, or forwards them."""

from __future__ import annotations

import asyncio
import gzip
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

PASS = b"pass"
"""Script entry: forward this request to the other server."""
_WHOLE = b'{"choices": [{"message": {"content": "{}"}}]}'


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", *headers, "Connection: close", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "surrogateescape") + body


def packed(size: int) -> bytes:
    """Return a meaningless answer of so many bytes, packed with gzip."""
    return answer(gzip.compress(b'{"a": "' + b" " * size + b'"}', 9), "Content-Encoding: gzip")


# Name -> bytes instead of an answer; the connection ends after each.
BROKEN: Mapping[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"hello\r\n\r\n",
    "binary": bytes(range(256)) * 4,
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "TLS alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "old HTTP": b"HTTP/0.9 200 OK\r\n\r\n" + _WHOLE,
    "status without number": b"HTTP/1.1 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}",
    "negative status": b"HTTP/1.1 -200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "status 0": b"HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\n{}",
    "status 999": b"HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\n{}",
    "status 204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "status 206": b"HTTP/1.1 206 Partial\r\nContent-Length: 2\r\n\r\n{}",
    "only 100": b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    "switching protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc",
    "reason that is no UTF-8": b"HTTP/1.1 200 \xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
    "reason with escapes": b"HTTP/1.1 503 \x1b[31mred\r\nContent-Length: 2\r\n\r\n{}",
    "header without colon": b"HTTP/1.1 200 OK\r\nbroken\r\nContent-Length: 2\r\n\r\n{}",
    "header without name": b"HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\n{}",
    "header with NUL": b"HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
    "header that is no ASCII": b"HTTP/1.1 200 OK\r\nX-\xe9: \xff\r\nContent-Length: 2\r\n\r\n{}",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 50_000 + b"\r\n",
    "long header": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 300_000 + b"\r\n\r\n",
    "long status line": b"HTTP/1.1 200 " + b"a" * 300_000 + b"\r\n\r\n",
    "head without end": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    "length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
    "length beyond bounds": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{}",
    "length of a terabyte": b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    "body cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + _WHOLE[:20],
    "chunk size that is no number": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "chunk longer than its size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}{}\r\n0\r\n\r\n",
    "huge chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n{}",
    "chunks without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "unknown transfer encoding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}",
    "gzip that is none": answer(_WHOLE, "Content-Encoding: gzip"),
    "gzip cut off": answer(gzip.compress(_WHOLE)[:-12], "Content-Encoding: gzip"),
    "deflate that is none": answer(b"\xff" * 40, "Content-Encoding: deflate"),
    "unknown packing": answer(_WHOLE, "Content-Encoding: br"),
    "packed twice": answer(gzip.compress(gzip.compress(_WHOLE)), "Content-Encoding: gzip, gzip"),
    "gzip bomb": packed(50 * 2**20),
    "body beyond bounds": answer(b" " * (5 * 2**20)),
    "body without length beyond bounds": b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (5 * 2**20),
    "error of 1 MiB": answer(b"x" * 2**20, status="500 X"),
    "gzip bomb as an error": packed(50 * 2**20).replace(b"200 OK", b"502 X", 1),
    "error nested deeply": answer(b'{"error": ' * 5_000, status="500 X"),
    "error nested within JSON": answer(b'{"error": {"message": ' + b"[" * 900 + b"]" * 900 + b"}}", status="500 X"),
    "error in an unknown charset": answer(b"\xff", "Content-Type: text/plain; charset=klingon", status="503 X"),
    "redirect to nowhere": answer(b"", "Location: http://[", status="300 X").replace(b"300 X", b"599 X"),
    "bytes after the answer": b"HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n" + _WHOLE + b"garbage",
    "empty body": answer(b""),
    "no JSON": answer(b"<html>busy</html>"),
    "JSON list": answer(b"[" * 10_000),
    "nested JSON": answer(b'{"a":' * 100_000),
    "JSON in UTF-16": answer('{"a": 1}'.encode("utf-16")),
    "wait of eternity": answer(b"", "Retry-After: " + "9" * 31, status="429 X").replace(b"9" * 31, b"0." + b"0" * 29),
}  # fmt: skip
SOUND: Mapping[str, bytes] = {
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    % (len(_WHOLE), _WHOLE),
    "gzip": answer(gzip.compress(_WHOLE), "Content-Encoding: gzip"),
    "deflate": answer(zlib.compress(_WHOLE), "Content-Encoding: deflate"),
    "bare deflate": answer(zlib.compress(_WHOLE)[2:-4], "Content-Encoding: deflate"),
    "without length": b"HTTP/1.1 200 OK\r\n\r\n" + _WHOLE,
    "a byte order mark": answer(b"\xef\xbb\xbf" + _WHOLE),
}


@dataclass
class Hostile:
    """The next answers; later requests go to `upstream`, a port of this machine, or are dropped.

    `head` is that of the last request: its first line and its headers, in lower case.
    """

    script: list[bytes]
    upstream: int = 0
    port: int = 0
    asked: int = 0
    head: bytes = b""

    @property
    def base_url(self) -> str:
        """The URL of the server."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, which ends after an answer of the script."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.strip().split(b"\r\n")[1:])
            body = await reader.readexactly(int(fields.get(b"content-length", 0)))
            self.asked += 1
            self.head = head.lower()
            sent = self.script.pop(0) if self.script else PASS
            if sent != PASS:
                writer.write(sent)
                await writer.drain()
            elif self.upstream:
                closing = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
                await self._forward(closing + body, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _forward(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        reader, upstream = await asyncio.open_connection("127.0.0.1", self.upstream)
        upstream.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(size)
        writer.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body)
        await writer.drain()
        upstream.close()


@contextmanager
def hostile(script: Sequence[bytes], upstream: int = 0) -> Iterator[Hostile]:
    """Run a server in its own thread, on a free port."""
    server = Hostile(list(script), upstream)
    started = threading.Event()
    ending: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, backlog=1024)
        server.port = listening.sockets[0].getsockname()[1]
        end = asyncio.Event()
        ending.append((asyncio.get_running_loop(), end))
        started.set()
        await end.wait()
        listening.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    started.wait(timeout=10)
    try:
        yield server
    finally:
        loop, end = ending[0]
        loop.call_soon_threadsafe(end.set)
        thread.join(timeout=10)
