"""A run with few open files, such as macOS allows: it uses fewer connections, says so, and succeeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).parents[3] / "configs" / "vllm-mistral-nemo.yaml"
Server = Callable[..., Any]


def words(folder: Path, *servers: Any, transport: str = "openai") -> list[object]:
    settings = [
        f"llm.model={servers[0].model}",
        f"llm.base_url={','.join(server.base_url for server in servers)}",
        f"llm.transport={transport}",
        "llm.pace_by=latency",
        "output.shard_rows=30",
        "runtime.progress=off",
    ]
    return ["generate", CONFIG, "-o", folder, "-n", 60, *[w for s in settings for w in ("--set", s)]]


@pytest.mark.parametrize(("transport", "hard"), [("openai", 256), ("openai", 64), ("lean", 64)])
def test_open_files_bound_the_requests(
    tmp_path: Path, chat_server: Server, command: Any, transport: str, hard: int
) -> None:
    server = chat_server("--latency", "0.02")
    code, said = command.run(*words(tmp_path / "run", server, transport=transport), files=(hard, hard))
    assert code == 0, said
    (line,) = [line for line in said.splitlines() if "open files" in line]
    at_once = int(line.partition("at most ")[2].split()[0])
    assert hard // 8 <= at_once < hard
    assert server.stats()["max_in_flight"] <= at_once
    assert json.loads((tmp_path / "run/manifest.json").read_text())["accepted"] == 60


def test_soft_limit_is_raised_silently(tmp_path: Path, chat_server: Server, command: Any) -> None:
    server = chat_server("--latency", "0.02")
    code, said = command.run(*words(tmp_path / "run", server), files=(64, 4096))
    assert code == 0, said
    assert "open files" not in said


def test_endpoints_share_the_open_files(tmp_path: Path, chat_server: Server, command: Any) -> None:
    servers = [chat_server("--latency", "0.02") for _ in range(2)]
    code, said = command.run(*words(tmp_path / "run", *servers), files=(64, 64))
    assert code == 0, said
    assert sum(server.stats()["max_in_flight"] for server in servers) < 64
