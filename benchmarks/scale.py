"""Speed-up by more workers, and the coordinator's memory for 10,000 shards.

    python benchmarks/scale.py [--validate 100000] [--narrate 50000] [--shards 10000] [--workers 2] [--times 5] [--json]

Each command is a process of its own, timed by the wall clock from its start to its end, its workers' start and its
report included; with and without workers take turns, and the median counts. `speed_up` is the time of one worker
divided by that of several. Rows are narrated offline; the same rows are validated. Numpy has one thread in every
process. Measure on an idle machine: two workers need two cores. Memory is the growth of the
coordinator's resident set over stub shards, which workers take and return at once (on Linux).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.executor.lease import Report
from census_personas.generator.executor.ledger import Ledger
from census_personas.generator.executor.local import LocalExecutor
from census_personas.generator.run.early_stop import EarlyStop
from census_personas.generator.run.pipeline import Tally
from census_personas.generator.run.shard_store import Shard

ROOT = Path(__file__).parents[1]
TESTS = str(ROOT / "tests")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PERSONAS = (sys.executable, "-c", "from census_personas.generator.cli.main import main; main()")
WARM_UP = 0.1  # of the shards, before the growth of memory is counted


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--validate", type=int, default=100_000, help="rows to validate; 0: none")
    parser.add_argument("--narrate", type=int, default=50_000, help="rows to narrate; 0: none")
    parser.add_argument("--shards", type=int, default=10_000, help="stub shards; 0: none")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = {"cores": len(os.sched_getaffinity(0)), "load_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as place:
        if options.narrate:
            found["narrate"] = narrate(Path(place), options)
        if options.validate:
            found["validate"] = validate(Path(place), options)
    if options.shards:
        found["coordinator"] = asyncio.run(memory(options.shards, options.workers))
    print(json.dumps(found) if options.json else json.dumps(found, indent=2))


def narrate(place: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Offline narration, some ten shards a worker."""
    shard = max(100, options.narrate // (10 * options.workers))

    def line(workers: int, time_: int) -> list[str]:
        folder = place / f"narrated-{workers}-{time_}"
        return generating(folder, options.narrate, workers, shard)

    return compared(line, options) | {"rows": options.narrate, "shard_rows": shard}


def validate(place: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The record rules over narrated rows, findings written."""
    rows = place / "rows"
    shard = max(100, options.validate // (10 * options.workers))
    timed(generating(rows, options.validate, options.workers, shard))

    def line(workers: int, _: int) -> list[str]:
        return ["validate", str(rows), "--findings", str(place / "findings.parquet"), "-j", str(workers)]

    return compared(line, options) | {"rows": options.validate}


def generating(folder: Path, rows: int, workers: int, shard: int) -> list[str]:
    """The command line that narrates so many rows offline."""
    line: tuple[object, ...] = (
        "generate",
        ROOT / "configs/quickstart.yaml",
        "-n",
        rows,
        "-o",
        folder,
        "-j",
        workers,
    )
    return [*map(str, line), "--set", f"output.shard_rows={shard}", "--set", "runtime.progress=off"]


def compared(line: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Median seconds with one worker and with several, taking turns."""
    seconds: dict[int, list[float]] = {1: [], options.workers: []}
    for time_ in range(options.times):
        for workers, spent in seconds.items():
            spent.append(timed(line(workers, time_)))
    one, several = (statistics.median(spent) for spent in seconds.values())
    return {
        "seconds_with_1": round(one, 2),
        f"seconds_with_{options.workers}": round(several, 2),
        "speed_up": round(one / several, 3),
    }


def timed(words: list[str]) -> float:
    """Seconds that a command takes; findings (exit code 1) are no failure."""
    began = time.monotonic()
    ended = subprocess.run(  # noqa: S603 - our own command
        [*PERSONAS, *words], env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=False
    )
    if ended.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(words)}: {ended.stderr}")
    return time.monotonic() - began


async def memory(shards: int, workers: int) -> dict[str, Any]:
    """Growth of this process's resident set while workers take and return so many shards."""
    sys.path.insert(0, TESTS)
    os.environ["PYTHONPATH"] = TESTS  # for workers, which read the stub by its name
    from stub_job import StubJob  # noqa: PLC0415 - found in the place that was just named

    ledger = Ledger(LLMConfig(), workers, EarlyStop(stops=False), Tally(shards), lambda _: None)
    tasks = (Shard(index, index, index + 1) for index in range(shards))
    began = time.monotonic()
    before = done = 0
    async with aclosing(LocalExecutor(workers).run(StubJob(at_once=2), tasks, Desk())) as outcomes:
        async for outcome in outcomes:
            ledger.exchange(done % workers, Report(tallies={outcome.task.index: Tally(1)}))
            ledger.finished(outcome.task.index, Tally(1, accepted=1))
            done += 1
            if done == int(shards * WARM_UP):
                before = resident()
    return {
        "shards": done,
        "seconds": round(time.monotonic() - began, 2),
        "growth_mb": round((resident() - before) / 2**20, 2),
    }


class Desk:
    """A coordinator for stubs, which report nothing."""

    is_stopping = False

    def exchange(self, *_: Any) -> None:
        """Lease nothing."""

    def release(self, _: int) -> None:
        """Take nothing back."""


def resident() -> int:
    """Bytes of memory that this process has in use."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
