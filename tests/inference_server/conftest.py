"""A genuine vLLM server on the CPU, started once for the tests of this folder, and the command against it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
import pytest

ROOT = Path(__file__).parents[2]
VLLM = Path(__file__).with_name("vllm.sh")
FIRST_START_S = 1200  # the first start installs 2.5 GB; later ones take half a minute


class InferenceServer:
    """A server process that can be killed and started again at the same address."""

    def __init__(self, folder: Path, log: Path) -> None:
        """Nothing runs before `start`."""
        self.folder, self.log = folder, log
        with socket.socket() as unbound:
            unbound.bind(("127.0.0.1", 0))
            self.port = int(unbound.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Start it and wait until it is healthy."""
        command = ["bash", str(VLLM), str(self.folder), "serve", "--port", str(self.port)]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        deadline = time.monotonic() + FIRST_START_S
        while not self._is_healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{VLLM} did not come up:\n{self.log.read_text()[-4000:]}")
            time.sleep(1)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it and all its processes the signal, and wait for its end."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)
            self.process.wait(timeout=60)

    def answered(self) -> int:
        """Completions that it has finished since its start, by its own metrics."""
        return int(self.gauge("vllm:request_success_total"))

    def gauge(self, name: str) -> float:
        """A number of its own metrics, summed over labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
            metrics = answer.read().decode()
        return sum(map(float, re.findall(rf"^{name}\{{.*\}} ([\d.]+)", metrics, re.MULTILINE)))

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="session")
def vllm_folder() -> Path:
    """Where the environment and the model are kept."""
    given = os.environ.get("PERSONAS_VLLM")
    return Path(given) if given else platformdirs.user_cache_path("census-personas") / "vllm"


@pytest.fixture(scope="session")
def server(vllm_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InferenceServer]:
    """A vLLM server that serves a tiny random model as "tiny"."""
    started = InferenceServer(vllm_folder, tmp_path_factory.mktemp("server") / "server.log")
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture
def personas(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """The command line of a run with the tiny model: `personas("generate", "-o", folder, rows=…, base_url=…)`.

    The rules about content are off, because noise says nothing true about anybody.
    """
    monkeypatch.setenv("OPENAI_API_KEY", "not-needed")
    rules = sorted(path.stem for path in (ROOT / "validators/records").glob("[a-z]*.py"))
    fixed = {
        "llm.backend": "openai",
        "llm.model": "tiny",
        "output.schema": "full",
        "validation.policy": json.dumps(dict.fromkeys(rules, "off")),
    }

    def line(*words: str | Path, **changed: object) -> list[str]:
        pairs = fixed | {name.replace("__", "."): value for name, value in changed.items()}
        options = [word for name, value in pairs.items() for word in ("--set", f"{name}={value}")]
        return [*map(str, (Path(sys.executable).with_name("personas"), *words)), *options]

    return line
