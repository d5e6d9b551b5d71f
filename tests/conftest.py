"""The chat server as a fixture: a real process, reached over loopback HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_SERVER = Path(__file__).with_name("chat_server.py")


@dataclass(frozen=True)
class ChatServer:
    process: subprocess.Popen[str]
    port: int
    model: str = "test-narrator"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def chat_server() -> Iterator[Callable[..., ChatServer]]:
    """Start a server: `chat_server("--latency", "0.1", port=0)`; all are stopped at the end."""
    started: list[ChatServer] = []

    def start(*options: str, port: int = 0) -> ChatServer:
        command = [sys.executable, str(_SERVER), str(port), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline() if process.stdout else ""
        assert line.startswith("listening on "), f"the chat server did not start: {line!r}"
        started.append(ChatServer(process, int(line.split()[-1])))
        return started[-1]

    yield start
    for server in started:
        server.process.terminate()
        server.process.wait(timeout=10)
        if server.process.stdout:
            server.process.stdout.close()
