"""Worker processes of this machine: real ones, which are killed for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import aclosing
from pathlib import Path

import pytest
from stub_job import Desk, StubJob, done_by

from census_personas.foundation.errors import DatasetError
from census_personas.generator.executor.executor import WorkerError
from census_personas.generator.executor.local import LocalExecutor

TESTS = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _workers_find_the_stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@pytest.mark.parametrize(("workers", "at_once"), [(1, 1), (2, 3)])
async def test_every_task_is_done_once(workers: int, at_once: int) -> None:
    desk = Desk()
    done = await done_by(LocalExecutor(workers), *range(40), desk=desk, at_once=at_once)
    assert sorted(outcome.value[1] for outcome in done) == [*range(40)]
    assert len({outcome.value[0] for outcome in done} | {os.getpid()}) == workers + 1
    assert sorted(desk.released) == [*range(workers)]
    assert sorted(desk.reports) == [(worker, "last") for worker in range(workers)]


async def test_worker_reports_its_number() -> None:
    done = await done_by(LocalExecutor(2), *["exchange"] * 8)
    processes = {outcome.value for outcome in done}
    assert len(processes) == len({process for process, _ in processes})


async def test_killed_workers_tasks_are_redone(tmp_path: Path) -> None:
    desk = Desk()
    done = await done_by(LocalExecutor(2), f"kill:{tmp_path}/once", *range(10), desk=desk, at_once=2)
    assert not [outcome for outcome in done if outcome.error]
    assert len(done) == 11
    # A worker that finds no task left just before the other one dies makes room for a fourth.
    assert sorted(desk.released) in ([0, 1, 2], [0, 1, 2, 3])


async def test_task_fails_after_three_deaths() -> None:
    done = await done_by(LocalExecutor(2), "kill:", *range(6), at_once=2)
    (lost,) = [outcome for outcome in done if outcome.error]
    assert lost.task == "kill:"
    assert "kill: ended 3 workers, the last with signal 9" in str(lost.error)
    assert sorted(outcome.task for outcome in done if not outcome.error) == [*range(6)]


async def test_stop_drops_dead_workers_tasks() -> None:
    desk = Desk()
    desk.is_stopping = True
    assert await done_by(LocalExecutor(1), "kill:", desk=desk) == []


async def test_task_error_arrives_whole() -> None:
    (done,) = await done_by(LocalExecutor(1), "fail:part-3")
    assert isinstance(done.error, DatasetError)
    assert str(done.error) == "part-3: is wrong"
    assert "stub_job.py" in done.error.__notes__[0]  # the worker's traceback


async def test_unopened_job_raises_its_error() -> None:
    with pytest.raises(DatasetError, match="locale: is wrong"):
        await done_by(LocalExecutor(2), *range(4), opening="fail:locale")


async def test_dying_while_loading_is_an_error() -> None:
    with pytest.raises(WorkerError, match=r"3 workers ended while they were loading \(signal 9\)"):
        await done_by(LocalExecutor(1), *range(4), opening="kill:")


async def test_worker_logs_show_its_number(caplog: pytest.LogCaptureFixture) -> None:
    await done_by(LocalExecutor(1), "warn:a row")
    assert "worker 1: a row is odd" in caplog.messages


async def test_closing_ends_all_workers() -> None:
    async with aclosing(LocalExecutor(1).run(StubJob(at_once=2), iter([0, "slow"]), Desk())) as outcomes:
        process = (await anext(outcomes)).value[0]
    assert not alive(process)


def test_workers_end_with_coordinator() -> None:
    program = """
import asyncio
from test_local import *
async def main():
    async for done in LocalExecutor(1).run(StubJob(at_once=2), iter([0, "slow"]), Desk()):
        print(done.value[0], flush=True)
asyncio.run(main())
"""
    paths = os.pathsep.join([str(TESTS), str(Path(__file__).parent)])
    line = [sys.executable, "-c", program]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    ) as run:
        assert run.stdout is not None
        process = int(run.stdout.readline())
        assert alive(process)
        run.send_signal(signal.SIGKILL)
    end = time.monotonic() + 10
    while alive(process) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(process)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False
