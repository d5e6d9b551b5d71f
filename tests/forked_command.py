"""The command `personas`, ready to run: it imports and fits once, and every run is a fork.

    python forked_command.py

A line on stdin is a JSON object: `argv` and the `log` that takes stdout and stderr; `env` to add; `program`, where
another one is to run in the same place; `files`, the soft and the hard limit of its open files; and where the run is to
think that the wall clock jumps, `clock` (hours, added and taken away in turn). The answers on stdout are the run's
process id, at once, and its exit status when it has ended (negative: the signal). One run at a time.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from itertools import cycle
from typing import Any

from census_personas.generator.cli.main import main
from census_personas.generator.config.run_config import Config
from census_personas.generator.llm import aiohttp_transport as lean
from census_personas.generator.llm import openai_sdk
from census_personas.generator.population.population import Population
from census_personas.generator.session import preview


def warm() -> None:
    """Import, fit and read everything that a run needs and a process keeps."""
    population = Population.load("en_US")
    Population.load = lambda _: population  # type: ignore[method-assign,assignment]
    preview(Config(rows=1))
    assert openai_sdk.OpenAISDK, lean.AiohttpTransport


def run(asked: dict[str, Any]) -> None:
    """Become the command, with the default handlers of Ctrl-C and a closed terminal, even under nohup or `&`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(asked.get("env", {}))
    if files := asked.get("files"):
        resource.setrlimit(resource.RLIMIT_NOFILE, tuple(files))
    if program := asked.get("program"):
        os.execvp(program, [program, *asked["argv"]])  # noqa: S606 - as asked by a test
    if hours := asked.get("clock"):
        jump(hours)
    sys.argv = ["personas", *asked["argv"]]
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def jump(hours: float) -> None:
    """Make `time.time` right, ahead, right and behind in turn, as if the clock were set repeatedly."""
    true, shifts = time.time, cycle((0.0, hours, 0.0, -hours))
    time.time = lambda: true() + 3600 * next(shifts)


def answer(value: int) -> None:
    sys.__stdout__.write(f"{value}\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


if __name__ == "__main__":
    warm()
    answer(os.getpid())
    for line in sys.stdin:
        if child := os.fork():
            answer(child)
            answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        else:
            run(json.loads(line))
