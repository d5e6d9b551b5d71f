"""A genuine vLLM server on the CPU, started once for the tests of this folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

SERVE = Path(__file__).parent / "serve.sh"
FIRST_START_S = 1200  # the first start installs 2.5 GB; later ones take half a minute


def free_port() -> int:
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        return int(unbound.getsockname()[1])


def is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of a vLLM server that serves a tiny random model as "tiny"."""
    folder = Path(os.environ.get("PERSONAS_VLLM") or platformdirs.user_cache_path("persona-engine") / "vllm")
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "server.log"
    with log.open("wb") as output:
        command = ["bash", str(SERVE), str(folder), str(port)]
        server = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        deadline = time.monotonic() + FIRST_START_S
        while not is_healthy(port):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{SERVE} did not come up:\n{log.read_text()[-4000:]}")
            time.sleep(1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)
