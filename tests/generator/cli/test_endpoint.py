"""`personas generate` with a server: cost, missing rows, interruptions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from census_personas.generator.run.rejections import read_rejections

VLLM = Path(__file__).parents[3] / "configs/vllm-mistral-nemo.yaml"

Personas = Callable[..., tuple[int, str, str]]


def served(server: Any) -> tuple[object, ...]:
    return ("--set", f"llm.base_url={server.base_url}", "--set", f"llm.model={server.model}")


def test_endpoint_narrates_a_run(
    personas: Personas,
    tmp_path: Path,
    chat_server: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    server = chat_server("--key", "sk-very-secret")
    code, out, err = personas("generate", VLLM, "-o", tmp_path / "run", "-n", 12, *served(server))
    assert code == 0, err
    written = [file for file in (tmp_path / "run").rglob("*") if file.is_file()]
    assert not any(b"sk-very-secret" in file.read_bytes() for file in written)
    assert "sk-very-secret" not in out + err
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert manifest["accepted"] == 12
    assert manifest["completion_tokens"] > 0


def test_shortfall_is_the_headline(
    personas: Personas,
    tmp_path: Path,
    chat_server: Callable[..., Any],
    one_line: Callable[[str], str],
    rows_of: Callable[[Path], pd.DataFrame],
) -> None:
    bounds = ("--set", "validation.max_attempts=1", "--set", "validation.max_repairs=0")
    refusing = chat_server("--fault", "refusal=0.3")
    folder = tmp_path / "run"
    code, _, err = personas("generate", VLLM, "-o", folder, "-n", 12, *served(refusing), *bounds)
    rejected = list(read_rejections(folder))
    assert code == 1
    assert f"{len(rejected)} of 12 rows are missing ({len(rejected)} rejected" in one_line(err)
    assert all(entry["reasons"] and entry["uuid"] for entry in rejected)
    assert len(rows_of(folder)) == 12 - len(rejected)
    willing = chat_server()
    assert personas("generate", VLLM, "-o", folder, "-n", 12, *served(willing), *bounds)[0] == 0
    assert len(rows_of(folder)) == 12
    assert list((folder / "rejected").iterdir()) == []
    assert willing.stats()["requests"] <= 1 + 4 * len(rejected)


def test_missing_endpoint_leaves_no_folder(
    personas: Personas, tmp_path: Path, one_line: Callable[[str], str]
) -> None:
    nowhere = ("--set", "llm.base_url=http://127.0.0.1:9/v1", "--set", "llm.max_retries=0")
    code, _, err = personas("generate", VLLM, "-o", tmp_path / "run", "-n", 2, *nowhere)
    assert code == 1
    assert "http://127.0.0.1:9/v1" in one_line(err)
    assert list(tmp_path.iterdir()) == []


def test_wrong_key_leaves_no_folder(
    personas: Personas,
    tmp_path: Path,
    chat_server: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    one_line: Callable[[str], str],
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    server = chat_server("--key", "sk-right")
    code, _, err = personas("generate", VLLM, "-o", tmp_path / "run", "-n", 2, *served(server))
    assert code == 1
    assert "sk-wrong" not in one_line(err)
    assert list(tmp_path.iterdir()) == []


def start(folder: Path, server: Any) -> subprocess.Popen[str]:
    code = "from census_personas.generator.cli.main import main; main()"
    words = ["generate", VLLM, "-o", folder, "-n", 60, *served(server)]
    words += ["--set", "output.shard_rows=10", "--set", "llm.concurrency=4"]
    command = [sys.executable, "-c", code, *map(str, words)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    deadline = time.monotonic() + 60
    while not (folder / "personas/part-00000.parquet").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def resume(personas: Personas, folder: Path, server: Any) -> None:
    small = ("--set", "output.shard_rows=10", "--set", "llm.concurrency=4")
    code, _, err = personas("generate", VLLM, "-o", folder, "-n", 60, *served(server), *small)
    assert code == 0, err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_run_resumes(
    personas: Personas,
    tmp_path: Path,
    chat_server: Callable[..., Any],
    rows_of: Callable[[Path], pd.DataFrame],
    how: signal.Signals,
) -> None:
    server = chat_server("--latency", "0.1")
    process = start(tmp_path / "cut", server)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "rows are missing (stopped); the same command" in err
        assert json.loads((tmp_path / "cut/manifest.json").read_text())["state"] == "stopped"
    before = server.stats()["requests"]
    resume(personas, tmp_path / "cut", server)
    repeated = server.stats()["requests"] - before
    resume(personas, tmp_path / "whole", server)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "cut"), rows_of(tmp_path / "whole"))
    assert repeated < 2 * 60


def test_two_ctrl_c_stop_at_once(tmp_path: Path, chat_server: Callable[..., Any]) -> None:
    server = chat_server("--latency", "3")
    code = "from census_personas.generator.cli.main import main; main()"
    words = ["generate", VLLM, "-o", tmp_path / "run", "-n", 60, *served(server)]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)], stderr=subprocess.PIPE, text=True
    )
    # Beyond the probe: rows are in flight, and their answers three seconds away.
    while not (tmp_path / "run/journal").exists() or server.stats()["requests"] < 10:
        time.sleep(0.02)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    began = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == 130
    assert "Traceback" not in err
