"""Runs from Python: with and without a running event loop, interrupted and resumed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import census_personas
from census_personas import Population, Run, Tally
from census_personas.foundation.user_path import DestinationError
from census_personas.generator.config.run_config import ConfigError

ROOT = Path(__file__).parents[2]
SMALL = {"name": "small", "rows": 12}
MANY = 3000
NOTEBOOK = """
import asyncio, sys
from census_personas import generate

def observe(tally):
    if tally.accepted == 40:
        print("begun", flush=True)

async def cell():
    generate({"rows": int(sys.argv[2])}, sys.argv[1], observe=observe)

try:
    asyncio.new_event_loop().run_until_complete(cell())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_config_is_a_path_mapping_or_object(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("rows: 30\nllm: {backend: openai, model: m}\n")
    config = census_personas.load_config(tmp_path / "run.yaml", llm={"concurrency": 8})
    assert (config.rows, config.llm.model, config.llm.concurrency) == (30, "m", 8)
    assert census_personas.load_config(config) == config
    changed = census_personas.load_config(config, rows=40, output={"schema": "full"})
    assert (changed.rows, changed.llm, changed.output.schema_) == (40, config.llm, "full")
    assert census_personas.load_config() == census_personas.Config()
    with pytest.raises(ConfigError, match="unknown key 'rowz'"):
        census_personas.load_config({"rowz": 1})


def test_unsuitable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(DestinationError, match="is a file"):
        census_personas.generate(SMALL, tmp_path / "file")


async def test_async_code_writes_the_same_run(finished: Run, tmp_path: Path) -> None:
    run = await census_personas.agenerate(SMALL, tmp_path / "run")
    pd.testing.assert_frame_equal(run.to_pandas(), finished.to_pandas())
    assert run.report == finished.report


def test_interrupted_run_in_a_notebook_keeps_rows(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-c", NOTEBOOK, str(folder), str(MANY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "interrupted\n"
    stopped = Run(folder)
    kept = stopped.manifest.accepted
    assert stopped.state == "stopped"
    assert 40 <= kept < MANY
    whole = Population.load("en_US").sample(kept)
    assert stopped.to_pandas()["uuid"].tolist() == whole["uuid"].tolist()


async def test_cancelled_run_is_resumed(tmp_path: Path) -> None:
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def observe(tally: Tally) -> None:
        if tally.accepted == 40:
            loop.call_soon_threadsafe(begun.set)

    task = asyncio.create_task(census_personas.agenerate({"rows": 400}, tmp_path / "run", observe=observe))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stopped = Run(tmp_path / "run")
    kept = stopped.manifest.accepted
    assert stopped.state == "stopped"
    assert 40 <= kept < 400
    before = stopped.to_pandas()
    done: list[int] = []
    run = await census_personas.agenerate(
        {"rows": 400}, tmp_path / "run", observe=lambda tally: done.append(tally.done)
    )
    assert run.state == "complete"
    assert set(done) == {kept}
    pd.testing.assert_frame_equal(run.to_pandas()[:kept], before)


async def test_cancelled_endpoint_run_repeats_no_request(
    chat_server: Callable[..., Any], tmp_path: Path
) -> None:
    server = chat_server("--latency", "0.05")
    llm = {"backend": "openai", "model": server.model, "base_url": server.base_url, "concurrency": 2}
    config = {"rows": 8, "llm": llm, "output": {"shard_rows": 4}}
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def observe(tally: Tally) -> None:
        if tally.accepted + tally.rejected >= 6:
            loop.call_soon_threadsafe(begun.set)

    task = asyncio.create_task(census_personas.agenerate(config, tmp_path / "run", observe=observe))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert Run(tmp_path / "run").state == "stopped"
    before = server.stats()["requests"]
    run = await census_personas.agenerate(config, tmp_path / "run")
    assert run.manifest.accepted == 8
    whole = await census_personas.agenerate(config, tmp_path / "whole")
    resumed = server.stats()["requests"] - before
    pd.testing.assert_frame_equal(run.to_pandas(), whole.to_pandas())
    assert run.manifest.completion_tokens == whole.manifest.completion_tokens
    assert resumed < 2 * before


def test_run_keeps_its_people(tmp_path: Path) -> None:
    pd.DataFrame({"uuid": ["a"]}).to_parquet(tmp_path / "run-people.parquet")
    with pytest.raises(ConfigError, match="holds other people; give a new folder"):
        census_personas.narrate(pd.DataFrame({"uuid": ["b"]}), {}, tmp_path / "run")
