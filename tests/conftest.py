"""Fixtures for the chat server and the command: real processes, reached over loopback HTTP and by signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_SERVER = Path(__file__).with_name("chat_server.py")
_COMMAND = Path(__file__).with_name("forked_command.py")
# A mount name space, so that a test can create a full disk.
_OWN_MOUNTS = ("unshare", "--map-root-user", "--mount")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m quick`, do not import modules without the mark: importing takes longer than many tests."""
    if config.getoption("markexpr") != "quick" or not collection_path.name.startswith("test_"):
        return None
    return "pytest.mark.quick" not in collection_path.read_text(encoding="utf-8") or None


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


@contextmanager
def chat_servers() -> Iterator[Callable[..., ChatServer]]:
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


@pytest.fixture
def chat_server() -> Iterator[Callable[..., ChatServer]]:
    """Start a server: `chat_server("--latency", "0.1", port=0)`; all are stopped at the end."""
    with chat_servers() as start:
        yield start


@pytest.fixture(scope="session")
def calm_server() -> Iterator[ChatServer]:
    """A server without faults, shared by tests that compare with it."""
    with chat_servers() as start:
        yield start()


class ForkedCommand:
    """`personas`, each run in its own process, forked from one that has imported and fitted. One run at a time."""

    def __init__(self, folder: Path) -> None:
        """Start the parent process; the runs' output is kept in `folder`."""
        self.mounts = subprocess.run([*_OWN_MOUNTS, "true"], capture_output=True, check=False).returncode == 0
        self._server = subprocess.Popen(
            [*(_OWN_MOUNTS if self.mounts else ()), sys.executable, str(_COMMAND)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        self._pid = self._answer()
        self._logs = (folder / f"{i}.log" for i in range(1_000_000))

    def begin(self, *words: object, **options: Any) -> None:
        """Start a run; `options` are those of `forked_command.py`."""
        self._log = next(self._logs)
        asked = {"argv": [*map(str, words)], "log": str(self._log), **options}
        self._server.stdin.write(json.dumps(asked) + "\n")  # type: ignore[union-attr]
        self._server.stdin.flush()  # type: ignore[union-attr]
        self._run = self._answer()

    @property
    def process(self) -> int:
        """The process id of the run."""
        return self._run

    def send(self, number: signal.Signals) -> None:
        """Send the run a signal; do nothing if it has ended."""
        try:
            os.kill(self._run, number)
        except ProcessLookupError:
            return

    def end(self) -> tuple[int, str]:
        """Wait for the run's end; return its exit status and output."""
        code = self._answer()
        return code, self._log.read_text() if self._log.exists() else ""

    def run(self, *words: object, **options: Any) -> tuple[int, str]:
        """Start a run and wait for its end."""
        self.begin(*words, **options)
        return self.end()

    def seen(self, path: Path) -> Path:
        """Return the path as the command sees it, with its mounts."""
        return Path(f"/proc/{self._pid}/root{path}")

    def close(self) -> None:
        """End the parent process."""
        self._server.communicate(timeout=60)

    def _answer(self) -> int:
        return int(self._server.stdout.readline())  # type: ignore[union-attr]


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedCommand]:
    """The command, ready to run."""
    started = ForkedCommand(tmp_path_factory.mktemp("command"))
    yield started
    started.close()
