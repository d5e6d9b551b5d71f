"""Runs with several workers, by the command in processes of its own, against a server that counts."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

VLLM = Path(__file__).parents[3] / "configs" / "vllm-mistral-nemo.yaml"
QUICKSTART = VLLM.with_name("quickstart.yaml")
ROWS, AT_ONCE, WORKERS = 24, 6, 2
# What a process asks before its first row: the command checks the endpoint, and each process finds what it understands.
GREETING = 4
# How many workers are killed at random moments; `PERSONAS_KILLS=50` takes some minutes.
KILLS = int(os.environ.get("PERSONAS_KILLS", "1"))

Server = Callable[..., Any]


def words(folder: Path, server: Any, *options: object) -> list[str]:
    said = ["generate", VLLM, "-o", folder, "-n", ROWS, "--set", f"llm.model={server.model}"]
    settings = {"llm.base_url": server.base_url, "llm.concurrency": AT_ONCE, "output.shard_rows": 8}
    said += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return [*map(str, said), *map(str, options)]


def asked(server: Any) -> int:
    return int(server.stats().get("requests", 0))


def manifest(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return read


def bytes_of(folder: Path) -> Mapping[str, bytes]:
    """Every file of the dataset and of its account; the manifest alone has a clock."""
    by_shard = [file for kind in ("personas", "findings", "rejected") for file in (folder / kind).glob("*")]
    files = [*by_shard, folder / "report.json", folder / "README.md"]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def workers_of(process: int) -> list[int]:
    """The worker processes that a process has now."""
    children = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == process and fields[0] != "Z":
            children.append(int(status.parent.name))
    return sorted(children)


@pytest.fixture(scope="module")
def faults() -> list[str]:
    return ["--fault=wrong_age=0.2", "--fault=refusal=0.1", "--fault=shared=1"]


def test_killed_workers_change_no_byte(
    tmp_path: Path, chat_server: Server, command: Any, faults: list[str]
) -> None:
    calm, harried = chat_server(*faults), chat_server(*faults, "--latency=0.15")
    code, said = command.run(*words(tmp_path / "whole", calm))
    assert code == 0, said
    moments = random.Random(KILLS)
    command.begin(*words(tmp_path / "harried", harried, "-j", WORKERS))
    kills = 0
    while kills < KILLS:
        before, end = asked(harried), time.monotonic() + 60
        while asked(harried) < before + moments.randint(5, 20) and time.monotonic() < end:
            time.sleep(0.02)
        if not (workers := workers_of(command.process)):
            break
        os.kill(moments.choice(workers), signal.SIGKILL)
        kills += 1
    code, said = command.end()
    assert code == 0, said
    assert kills
    assert len(re.findall(r"worker \d ended", said)) == kills
    assert bytes_of(tmp_path / "harried") == bytes_of(tmp_path / "whole")
    assert not [*(tmp_path / "harried").glob("[pfr]*/.*")]
    assert harried.stats()["max_in_flight"] <= AT_ONCE + kills * AT_ONCE  # a dead one's are still worked on
    assert asked(harried) <= asked(calm) + kills * AT_ONCE + GREETING * (WORKERS + kills)
    assert manifest(tmp_path / "harried")["state"] == "complete"


def test_resume_with_any_worker_count(
    tmp_path: Path, chat_server: Server, command: Any, faults: list[str]
) -> None:
    calm, slow = chat_server(*faults), chat_server(*faults, "--latency=0.2")
    assert command.run(*words(tmp_path / "whole", calm))[0] == 0
    line = words(tmp_path / "run", slow, "-j", WORKERS)
    for number, status in ((signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)):
        before = asked(slow)
        command.begin(*line)
        while asked(slow) < before + 20:
            time.sleep(0.02)
        left = workers_of(command.process)
        command.send(number)
        code, said = command.end()
        assert code == status, said
        end = time.monotonic() + 10
        while any(Path(f"/proc/{worker}").exists() for worker in left) and time.monotonic() < end:
            time.sleep(0.02)
        assert not [worker for worker in left if Path(f"/proc/{worker}").exists()]
        if number == signal.SIGTERM:
            assert manifest(tmp_path / "run")["state"] == "stopped"
            assert manifest(tmp_path / "run")["endpoint"]["requests"] == asked(slow)
    assert command.run(*words(tmp_path / "run", slow))[0] == 0
    assert bytes_of(tmp_path / "run") == bytes_of(tmp_path / "whole")
    assert asked(slow) <= asked(calm) + 2 * AT_ONCE + GREETING * (2 * WORKERS + 3)


def test_limits_hold_for_all_workers(tmp_path: Path, chat_server: Server, command: Any) -> None:
    server = chat_server("--latency=0.1")
    code, said = command.run(
        *words(tmp_path / "run", server, "-j", WORKERS, "--set", "llm.max_tokens_total=60000")
    )
    assert code == 1, said
    assert "llm.max_tokens_total=60000 is spent" in said
    stats = server.stats()
    assert stats["max_in_flight"] <= AT_ONCE
    dearest = 6_000  # tokens of a request
    assert 60_000 <= stats["prompt_tokens"] + stats["completion_tokens"] < 60_000 + AT_ONCE * dearest
    assert manifest(tmp_path / "run")["state"] == "stopped"


def test_hopeless_run_stops_early(tmp_path: Path, chat_server: Server, command: Any) -> None:
    server = chat_server("--fault=refusal=1")
    code, said = command.run(*words(tmp_path / "run", server, "-j", WORKERS, "-n", 200))
    assert code == 1
    assert "none of the first 32 rows has a readable answer, and the run stops" in said


def test_offline_rows_ignore_workers(tmp_path: Path, command: Any) -> None:
    line = ["generate", QUICKSTART, "-n", 300, "--set", "output.shard_rows=50"]
    assert command.run(*line, "-o", tmp_path / "whole")[0] == 0
    command.begin(*line, "-o", tmp_path / "run", "-j", WORKERS)
    end = time.monotonic() + 240
    while not list((tmp_path / "run/personas").glob("*.parquet")) and time.monotonic() < end:
        time.sleep(0.02)
    command.send(signal.SIGINT)
    code, said = command.end()
    assert code == 130, said
    assert command.run(*line, "-o", tmp_path / "run")[0] == 0
    assert bytes_of(tmp_path / "run") == bytes_of(tmp_path / "whole")


def test_worker_count_must_be_positive(tmp_path: Path, command: Any) -> None:
    for option, said in ((("-j", 0), "--workers"), (("--set", "runtime.executor=slurm"), "runtime.executor")):
        code, log = command.run("generate", QUICKSTART, "-o", tmp_path / "run", *option)
        assert code == 2
        assert len(log.splitlines()) == 1
        assert said in log
