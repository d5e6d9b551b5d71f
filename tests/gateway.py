"""A gateway before a chat server, and a forward proxy: threads on loopback that record their requests.

Neither is for the network: one request a connection at a time, no limits, no logs.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Reply = tuple[int, Mapping[str, Any]]


@dataclass
class Noted:
    """The requests, in order."""

    url: str = ""
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)


def completion(message: Mapping[str, Any], **more: Any) -> Reply:
    """Return a chat completion with this message."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    return 200, {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 40}, **more}


def refusal(said: str, status: int = 400) -> Reply:
    """Return an error as servers send it."""
    return status, {"error": {"message": said}}


@contextmanager
def gateway(
    answer: Callable[[dict[str, Any]], Reply] | None = None,
    *,
    upstream: str = "",
    needs: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Noted]:
    """Answer requests, or forward them to a server; without the headers in `needs`, answer 401 and repeat them."""
    noted = Noted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(*self._passed(b"") if upstream else (200, {"data": []}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            noted.headers.append({name.lower(): value for name, value in self.headers.items()})
            noted.bodies.append(json.loads(body))
            for name, value in (needs or {}).items():
                if self.headers.get(name) != value:
                    self._send(*refusal(f"bad {name}: {self.headers.get(name)}", 401))
                    return
            self._send(*(answer(noted.bodies[-1]) if answer else self._passed(body)))

        def _passed(self, body: bytes) -> Reply:
            place = urlsplit(upstream)
            connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=20)
            connection.request(self.command, self.path, body or None)
            response = connection.getresponse()
            said = json.loads(response.read())
            connection.close()
            return response.status, said

        def _send(self, status: int, payload: Mapping[str, Any]) -> None:
            content = json.dumps(payload).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with _listening(Handler, tls) as port:
        noted.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1"
        yield noted


@contextmanager
def forward_proxy() -> Iterator[Noted]:
    """Run a proxy for http and, by CONNECT, for https."""
    noted = Noted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            self._note()
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=20) as server:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _relay(self.connection, server)
            self.close_connection = True

        def do_POST(self) -> None:
            self._note()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            place = urlsplit(self.path)
            connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=20)
            sent = {
                name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")
            }
            connection.request("POST", place.path, body, sent)
            response = connection.getresponse()
            content = response.read()
            connection.close()
            self.send_response(response.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _note(self) -> None:
            noted.targets.append(self.path)
            noted.headers.append({name.lower(): value for name, value in self.headers.items()})

        def log_message(self, *_: object) -> None:
            pass

    with _listening(Handler, None) as port:
        noted.url = f"http://127.0.0.1:{port}"
        yield noted


@contextmanager
def _listening(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None) -> Iterator[int]:
    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def finish_request(self, request: Any, client_address: Any) -> None:
            # The handshake in the connection's own thread.
            secured = request if tls is None else tls.wrap_socket(request, server_side=True)
            try:
                super().finish_request(secured, client_address)
            finally:
                secured.close()

        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def _relay(client: Any, server: Any) -> None:
    """Forward bytes in both directions until one side ends."""
    pairs = {client: server, server: client}
    while True:
        ready, _, _ = select.select([client, server], [], [], 20)
        for source in ready:
            data = source.recv(65_536)
            if not data:
                return
            pairs[source].sendall(data)
        if not ready:
            return
