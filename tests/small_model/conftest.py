"""A real model behind the endpoint that the environment names, and commands that are killed in between."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from model_endpoint import ModelEndpoint, model_endpoint, reason_to_skip

LONGEST_S = 3600 * 4


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelEndpoint]:
    """The model's endpoint; tests are skipped where the environment names none."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with model_endpoint(tmp_path_factory.mktemp("model") / "server.log") as named:
        yield named


class KilledOnce:
    """A command that is killed as soon as an answer is in its journal, and then runs to its end."""

    def run(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What the second run said; `answers` are those of both."""
        first = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + LONGEST_S
        while not self.answers(folder):
            assert first.poll() is None, "the command ended before it had an answer"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        first.kill()
        first.wait()
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )

    def answers(self, folder: Path) -> list[dict[str, Any]]:
        """Whole lines of the journals under a folder: `key` and `completion`."""
        lines = [
            line for file in folder.rglob("answers.jsonl") for line in file.read_bytes().split(b"\n")[:-1]
        ]
        return [json.loads(line[9:]) for line in lines if line]


@pytest.fixture
def killed_once() -> KilledOnce:
    return KilledOnce()
