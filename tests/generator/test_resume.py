"""A run that is killed, doubled or refused, by the real command in processes of its own."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from persona_engine.prompts.template import PromptSet

VLLM = Path(__file__).parents[2] / "configs" / "vllm-mistral-nemo.yaml"
QUICKSTART = VLLM.with_name("quickstart.yaml")
COMMAND = (sys.executable, "-c", "from persona_engine.generator.cli.main import main; main()")
ROWS, AT_ONCE = 30, 4
# What a process asks before its first row: the check of the endpoint, and the probe of what it understands.
GREETING = 4
KEY = "sk-never-to-be-seen"

Server = Callable[..., Any]


def begun(folder: Path, server: Any, *options: str, **env: str) -> subprocess.Popen[str]:
    words = ["generate", VLLM, "-o", folder, "-n", ROWS, "--set", f"llm.model={server.model}"]
    settings = {"llm.base_url": server.base_url, "llm.concurrency": AT_ONCE, "output.shard_rows": 8}
    words += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return subprocess.Popen(
        [*COMMAND, *map(str, (*words, *options))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )


def done(folder: Path, server: Any, *options: str, **env: str) -> tuple[int, str]:
    process = begun(folder, server, *options, **env)
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


def asked(server: Any) -> int:
    return int(server.stats().get("requests", 0))


def bytes_of(folder: Path) -> Mapping[str, bytes]:
    """Every file of the dataset and of its account; the manifest alone has a clock."""
    files = [*(folder / "personas").iterdir(), folder / "report.json", folder / "README.md"]
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.parametrize("faults", [(), ("--fault", "wrong_age=0.2", "--fault", "refusal=0.1")])
def test_a_run_killed_at_random_moments_resumes_to_the_same_bytes_and_pays_for_nothing_twice(
    tmp_path: Path, chat_server: Server, faults: tuple[str, ...]
) -> None:
    moments = random.Random(len(faults))
    calm, harried = (chat_server("--latency", "0.05", *faults) for _ in range(2))
    code, said = done(tmp_path / "whole", calm)
    whole = asked(calm)
    kills = 0
    for share in sorted(moments.uniform(0.05, 0.95) for _ in range(3)):
        process = begun(tmp_path / "cut", harried)
        while asked(harried) < share * whole and process.poll() is None:
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.06))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        kills += process.returncode == -signal.SIGKILL
    resumed, told = done(tmp_path / "cut", harried)
    assert (resumed, code) == (0, 0), f"{said}\n{told}"
    assert kills == 3
    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "whole")
    assert asked(harried) <= whole + kills * (AT_ONCE + GREETING)


def test_of_two_processes_on_one_folder_one_is_refused_in_one_line_and_the_other_is_not_disturbed(
    tmp_path: Path, chat_server: Server
) -> None:
    server = chat_server("--latency", "0.5")
    both = [begun(tmp_path / "run", server) for _ in range(2)]
    ends = {
        process.returncode: said for process in both if (said := "".join(process.communicate(timeout=120)))
    }
    assert set(ends) == {0, 2}, ends
    (line,) = ends[2].splitlines()
    assert "another process is writing this run; wait for it or stop it" in line
    assert json.loads((tmp_path / "run/manifest.json").read_text())["accepted"] == ROWS


@pytest.mark.parametrize(("transport", "debug"), [("openai", "1"), ("lean", "")])
def test_a_key_appears_in_no_file_and_no_line_of_runs_that_fail_or_succeed(
    tmp_path: Path, chat_server: Server, transport: str, debug: str
) -> None:
    options = ("--set", f"llm.transport={transport}", "--set", "llm.max_retries=0")
    env = {"OPENAI_API_KEY": KEY, "PERSONAS_DEBUG": debug, "OPENAI_LOG": "debug" if debug else ""}
    servers = {
        "served": chat_server("--key", KEY),
        "refused": chat_server("--wrong-key", KEY),
        "broken": chat_server("--key", KEY, "--fault", "500=0.5"),
    }
    codes = {}
    for name, server in servers.items():
        codes[name], said = done(tmp_path / name, server, *options, **env)
        assert KEY not in said
        assert name != "refused" or ("Traceback" in said) == bool(debug)
    assert codes["served"] == 0
    assert codes["refused"] == 1
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert [file for file in written if KEY.encode() in file.read_bytes()] == []
    assert json.loads((tmp_path / "served/manifest.json").read_text())["accepted"] == ROWS


def test_a_spent_budget_keeps_every_answer_in_flight_and_more_of_it_ends_the_run_without_asking_again(
    tmp_path: Path, chat_server: Server
) -> None:
    calm, short = chat_server(), chat_server("--latency", "0.05")
    assert done(tmp_path / "whole", calm)[0] == 0
    code, said = done(tmp_path / "cut", short, "--set", "llm.max_tokens_total=40000")
    assert code == 1
    assert "llm.max_tokens_total=40000 is spent" in said
    stopped = json.loads((tmp_path / "cut/manifest.json").read_text())
    assert stopped["state"] == "stopped"
    assert done(tmp_path / "cut", short)[0] == 0
    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "whole")
    assert asked(short) <= asked(calm) + GREETING
    endpoint = json.loads((tmp_path / "cut/manifest.json").read_text())["endpoint"]
    assert endpoint["structured_output"] == "json_schema"
    assert endpoint["requests"] == asked(short)


def test_a_changed_grammar_is_another_run(tmp_path: Path) -> None:
    shutil.copytree(PromptSet.load("en_US").folder, tmp_path / "prompts")
    words = [
        "generate",
        QUICKSTART,
        "-n",
        2,
        "-o",
        tmp_path / "run",
        "--set",
        f"prompts.set={tmp_path}/prompts",
    ]
    command = [*COMMAND, *map(str, words)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    with (tmp_path / "prompts/offline/words.yaml").open("a") as grammar:
        grammar.write("\n# a remark\n")
    again = subprocess.run(command, capture_output=True, check=False, text=True)
    assert again.returncode == 2
    assert "digests.prompts" in again.stderr
