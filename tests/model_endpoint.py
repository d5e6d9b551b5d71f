"""The endpoint of a real model, set by the environment, for tests and benchmarks.

    PERSONAS_SMALL_MODEL_URL=http://127.0.0.1:8090/v1                       an endpoint that is there already
    PERSONAS_SMALL_MODEL=model.gguf PERSONAS_LLAMA_SERVER=llama-server      llama.cpp's server, started and stopped

A key is read from OPENAI_API_KEY. Any instruction-tuned model will do.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

URL, MODEL, SERVER = "PERSONAS_SMALL_MODEL_URL", "PERSONAS_SMALL_MODEL", "PERSONAS_LLAMA_SERVER"
SLOTS = 4
CONTEXT = 6144  # tokens of a conversation of two calls and its repairs
LONGEST_START_S = 600  # a model of some gigabytes on a slow disk


class MissingEndpointError(RuntimeError):
    """The environment sets no endpoint, or one that cannot be used."""


@dataclass(frozen=True)
class ModelEndpoint:
    """URL of an endpoint, and the model's name there."""

    base_url: str
    model: str


def reason_to_skip() -> str:
    """Return what the environment lacks; empty if it sets an endpoint."""
    if os.environ.get(URL):
        return ""
    missing = [name for name in (MODEL, SERVER) if not os.environ.get(name)]
    if missing:
        return f"{' and '.join(missing)} not set (or {URL}): no real model to ask"
    if not Path(os.environ[MODEL]).is_file():
        return f"{MODEL}={os.environ[MODEL]}: no such file"
    if not shutil.which(os.environ[SERVER]):
        return f"{SERVER}={os.environ[SERVER]}: no such program"
    return ""


@contextmanager
def model_endpoint(log: Path) -> Iterator[ModelEndpoint]:
    """Yield the endpoint of the environment; a server started here logs to `log` and ends with the block.

    Raises:
        MissingEndpointError: there is none, or it does not answer.
    """
    if reason := reason_to_skip():
        raise MissingEndpointError(reason)
    if url := os.environ.get(URL):
        yield ModelEndpoint(url, _served(url))
        return
    with _llama_server(log) as url:
        yield ModelEndpoint(url, _served(url))


@contextmanager
def _llama_server(log: Path) -> Iterator[str]:
    model = Path(os.environ[MODEL])
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        port = int(unbound.getsockname()[1])
    sizes = {"-np": SLOTS, "-c": SLOTS * CONTEXT, "-t": len(os.sched_getaffinity(0)), "--port": port}
    command = [os.environ[SERVER], "-m", str(model), "--alias", model.stem, "--host", "127.0.0.1", "--jinja"]
    command += ["--metrics", *(word for name, size in sizes.items() for word in (name, str(size)))]
    with log.open("ab") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            deadline = time.monotonic() + LONGEST_START_S
            while not _is_healthy(port):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise MissingEndpointError(f"{command[0]} did not come up; see {log}")
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _served(base_url: str) -> str:
    """Return the first model that the endpoint lists."""
    key = os.environ.get("OPENAI_API_KEY", "not-needed")
    request = urllib.request.Request(f"{base_url}/models", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.load(answer)["data"][0]["id"])
    except (OSError, ValueError, LookupError) as error:
        raise MissingEndpointError(f"{base_url}/models names no model ({error})") from error
