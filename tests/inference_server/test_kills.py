"""500 records through both calls of a genuine vLLM, while it and the command are killed in turn."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

QUICKSTART = Path(__file__).parents[2] / "configs/quickstart.yaml"
ROWS, AT_ONCE = 500, 64
# What a process asks before its first row: the check of the endpoint, and the probe of what it understands.
GREETING = 4
LONGEST_S = 3600

pytestmark = pytest.mark.inference_server


def kept(folder: Path) -> Counter[str]:
    """How often each question was answered into the journal."""
    lines = [
        line for file in folder.glob("journal/*/answers.jsonl") for line in file.read_bytes().split(b"\n")
    ]
    return Counter(json.loads(line[9:])["key"] for line in lines[:-1] if line)


def until(finished: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + LONGEST_S
    while not finished():
        assert process.poll() is None, "the command ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_500_records_survive_a_kill_of_the_server_and_one_of_the_command(
    server: Any, personas: Callable[..., list[str]], tmp_path: Path
) -> None:
    run, log = tmp_path / "run", tmp_path / "said.log"
    settings = {"llm__base_url": server.base_url, "llm__concurrency": AT_ONCE, "output__shard_rows": 100}
    # Room for the longest noise, so that no answer is cut off and asked for twice.
    command = personas("generate", QUICKSTART, "-o", run, rows=ROWS, llm__max_tokens=8192, **settings)
    with log.open("wb") as said:
        first = subprocess.Popen(command, stdout=said, stderr=said)
        until(lambda: kept(run).total() > 0.3 * ROWS, first)
        server.stop(signal.SIGKILL)
        time.sleep(2)  # answers on their way are written
        before = kept(run).total()
        server.start()
        until(lambda: kept(run).total() > before + 0.7 * ROWS, first)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert json.loads((run / "manifest.json").read_text())["state"] == "running"
        code = subprocess.run(command, stdout=said, stderr=said, check=False, timeout=LONGEST_S).returncode
    said_lines = log.read_text()
    assert code == 0, said_lines
    assert f"{server.base_url} is down" in said_lines
    assert f"{server.base_url} answers again" in said_lines

    manifest = json.loads((run / "manifest.json").read_text())
    assert (manifest["state"], manifest["accepted"], manifest["rejected"]) == ("complete", ROWS, 0)
    people = pd.read_parquet(run / "personas")
    assert sorted(people["row"]) == list(range(ROWS))
    assert people["uuid"].is_unique
    answers = kept(run)
    assert len(answers) == answers.total(), "an answer was paid for twice"
    assert answers.total() >= 2 * ROWS
    # The server's own count since it came back: what is kept, what the killed command had in flight, greetings.
    assert server.answered() <= answers.total() - before + AT_ONCE + 2 * GREETING
    tokens = [
        json.loads(line[9:])["completion"]["completion_tokens"]
        for file in run.glob("journal/*/answers.jsonl")
        for line in file.read_bytes().splitlines()
    ]
    assert manifest["completion_tokens"] == sum(tokens)
