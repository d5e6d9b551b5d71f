"""Async work with and without a running loop; interrupts in separate processes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading

import pytest

from census_personas.foundation import event_loop

pytestmark = pytest.mark.quick

SCRIPT = """
import asyncio, os, signal, sys
from census_personas.foundation import event_loop

async def work():
    print("began", flush=True)
    try:
        if "at-once" in sys.argv:
            os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.05)
        print("closed", flush=True)

async def cell():
    event_loop.run(work)

try:
    if sys.argv[1] == "notebook":
        asyncio.new_event_loop().run_until_complete(cell())
    elif sys.argv[1] == "asyncio.run":
        asyncio.run(cell())
    else:
        event_loop.run(work)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


async def answer() -> int:
    await asyncio.sleep(0)
    return threading.get_ident()


async def fail() -> int:
    raise ValueError("wrong")


def test_no_loop_uses_this_thread() -> None:
    assert event_loop.run(answer) == threading.get_ident()


async def test_loop_uses_another_thread() -> None:
    assert event_loop.run(answer) != threading.get_ident()
    with pytest.raises(ValueError, match="wrong"):
        event_loop.run(fail)


@pytest.mark.parametrize("place", ["script", "notebook", "asyncio.run"])
def test_interrupt_closes_the_work_first(place: str) -> None:
    command = [sys.executable, "-c", SCRIPT, place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "closed\ninterrupted\n"


def test_early_interrupt_closes_work() -> None:
    for _ in range(3):
        command = [sys.executable, "-c", SCRIPT, "notebook", "at-once"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert ended.stdout == "began\nclosed\ninterrupted\n"


async def test_run_beside_keeps_the_loop_free() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.005)

    async def block() -> str:
        threading.Event().wait(0.2)
        return "done"

    ticking = asyncio.create_task(tick())
    assert await event_loop.run_beside(block) == "done"
    ticking.cancel()
    assert ticks > 3
    with pytest.raises(ValueError, match="wrong"):
        await event_loop.run_beside(fail)


async def test_cancellation_waits_for_the_end() -> None:
    began, closed = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            closed.set()

    task = asyncio.create_task(event_loop.run_beside(work))
    await asyncio.to_thread(began.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed.is_set()
