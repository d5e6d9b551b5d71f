"""A run that is killed, doubled or refused, by the command in processes of its own."""

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

import pandas as pd
import pytest

from census_personas.prompts.template import PromptSet

VLLM = Path(__file__).parents[3] / "configs" / "vllm-mistral-nemo.yaml"
QUICKSTART = VLLM.with_name("quickstart.yaml")
COMMAND = (sys.executable, "-c", "from census_personas.generator.cli.main import main; main()")
ROWS, AT_ONCE = 24, 4
# What a process asks before its first row: the check of the endpoint, and the probe of what it understands.
GREETING = 4
KEY = "sk-never-to-be-seen"
# How often the run that is killed at random moments is; `PERSONAS_KILLS=200` takes some minutes.
KILLS = int(os.environ.get("PERSONAS_KILLS", "4"))
# Answers that never arrive; nothing was paid for them.
UNPAID = ("429", "500", "503", "drop", "reset", "cut", "truncate")

Server = Callable[..., Any]


def words(folder: Path, server: Any, *options: str) -> list[str]:
    said = ["generate", VLLM, "-o", folder, "-n", ROWS, "--set", f"llm.model={server.model}"]
    settings = {"llm.base_url": server.base_url, "llm.concurrency": AT_ONCE, "output.shard_rows": 8}
    said += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return [*map(str, said), *options]


def asked(server: Any) -> int:
    return int(server.stats().get("requests", 0))


def paid(server: Any) -> int:
    stats = server.stats()
    return int(stats["requests"] - sum(stats.get(f"fault_{name}", 0) for name in UNPAID))


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def bytes_of(folder: Path) -> Mapping[str, bytes]:
    """Every file of the dataset and of its account; the manifest alone has a clock."""
    by_shard = [file for kind in ("personas", "findings", "rejected") for file in (folder / kind).glob("*")]
    files = [*by_shard, folder / "report.json", folder / "README.md"]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_killed_run_resumes_exactly(tmp_path: Path, chat_server: Server, command: Any) -> None:
    moments = random.Random(KILLS)
    faults = [f"--fault={name}=0.02" for name in UNPAID]
    faults += [
        "--fault=wrong_age=0.2",
        "--fault=refusal=0.1",
        "--fault=shared=1",  # the first answer about every person, and no later one
        "--retry-after=0.02",
        "--latency=0.02",
    ]
    calm, harried = chat_server(*faults), chat_server(*faults)
    started = time.monotonic()
    code, said = command.run(*words(tmp_path / "whole", calm))
    lasts = time.monotonic() - started
    assert code == 0, said
    parts = sorted((tmp_path / "whole/personas").glob("*.parquet"))
    shared = [pd.read_parquet(part).to_json().count("a winter without a kettle") for part in parts]
    assert shared == [1, 1, 1]  # of the people of a shard the first may say it; the others are written anew
    whole, kills, runs = paid(calm), 0, 0
    while kills < KILLS:
        # Anywhere between the first import and the last line of the report; a run that was quicker makes room.
        command.begin(*words(tmp_path / f"cut-{runs}", harried))
        time.sleep(moments.uniform(0, 1.1 * lasts / (1 + kills % 3)))
        command.send(signal.SIGKILL)
        code, said = command.end()
        assert code in (0, -signal.SIGKILL), said
        kills += code != 0
        runs += code == 0
    assert command.run(*words(tmp_path / f"cut-{runs}", harried))[0] == 0
    for folder in tmp_path.glob("cut-*"):
        assert bytes_of(folder) == bytes_of(tmp_path / "whole")
        assert list(folder.glob("[pfr]*/.*")) == []
    greetings = GREETING * (kills + runs + 1)
    assert paid(harried) <= (runs + 1) * whole + kills * AT_ONCE + greetings


def test_second_process_is_refused(tmp_path: Path, chat_server: Server, command: Any) -> None:
    server = chat_server("--latency", "1", "--slots", "1")
    command.begin(*words(tmp_path / "run", server))
    while not (tmp_path / "run/manifest.json").exists():
        time.sleep(0.01)
    line = [*COMMAND, *words(tmp_path / "run", server)]
    second = subprocess.run(line, capture_output=True, text=True, check=False, timeout=240)
    command.send(signal.SIGTERM)
    assert command.end()[0] == 130
    assert second.returncode == 2
    (told,) = second.stderr.splitlines()
    assert "another process is writing this run; wait for it or stop it" in told
    assert manifest(tmp_path / "run")["state"] == "stopped"


def test_report_is_repeated_after_a_kill(tmp_path: Path, command: Any) -> None:
    line = ("generate", QUICKSTART, "-o", tmp_path / "run", "-n", "3")
    command.begin(*line)
    while not (tmp_path / "run/manifest.json").exists() or manifest(tmp_path / "run")["state"] != "complete":
        time.sleep(0.01)
    command.send(signal.SIGTERM)
    code, said = command.end()
    assert (code, said.splitlines()[-1]) == (130, "personas: interrupted")
    assert not (tmp_path / "run/README.md").exists()
    assert command.run(*line)[0] == 0
    assert (tmp_path / "run/README.md").exists()


@pytest.mark.parametrize(("transport", "debug"), [("openai", "1"), ("lean", "")])
def test_key_appears_nowhere(
    tmp_path: Path, chat_server: Server, command: Any, transport: str, debug: str
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
        codes[name], said = command.run(*words(tmp_path / name, server, *options), env=env)
        assert KEY not in said
        assert name != "refused" or ("Traceback" in said) == bool(debug)
    assert codes["served"] == 0
    assert codes["refused"] == 1
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert [file for file in written if KEY.encode() in file.read_bytes()] == []
    assert manifest(tmp_path / "served")["accepted"] == ROWS


def test_spent_budget_keeps_answers(tmp_path: Path, chat_server: Server, command: Any) -> None:
    calm, short = chat_server(), chat_server("--latency", "0.05")
    assert command.run(*words(tmp_path / "whole", calm))[0] == 0
    code, said = command.run(*words(tmp_path / "cut", short, "--set", "llm.max_tokens_total=40000"))
    assert code == 1
    assert "llm.max_tokens_total=40000 is spent" in said
    assert manifest(tmp_path / "cut")["state"] == "stopped"
    assert command.run(*words(tmp_path / "cut", short))[0] == 0
    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "whole")
    assert asked(short) <= asked(calm) + GREETING
    endpoint = manifest(tmp_path / "cut")["endpoint"]
    assert endpoint["structured_output"] == "json_schema"
    assert endpoint["requests"] == asked(short)


def test_other_grammar_is_another_run(tmp_path: Path, command: Any) -> None:
    shutil.copytree(PromptSet.load("en_US").folder, tmp_path / "prompts")
    line = ("generate", QUICKSTART, "-n", 2, "-o", tmp_path / "run")
    line = (*line, "--set", f"prompts.set={tmp_path}/prompts")
    assert command.run(*line)[0] == 0
    with (tmp_path / "prompts/offline/words.yaml").open("a") as grammar:
        grammar.write("\n# a remark\n")
    code, said = command.run(*line)
    assert code == 2
    assert "digests.prompts" in said


def test_offline_run_resumes_exactly(tmp_path: Path, command: Any) -> None:
    def line(name: str) -> tuple[object, ...]:
        return ("generate", QUICKSTART, "-o", tmp_path / name, "-n", 500, "--set", "output.shard_rows=50")

    command.begin(*line("cut"))
    while not (tmp_path / "cut/personas/part-00000.parquet").exists():
        time.sleep(0.01)
    command.send(signal.SIGTERM)
    code, said = command.end()
    assert code == 130
    assert "rows are missing (stopped); the same command" in said
    kept = manifest(tmp_path / "cut")["accepted"]
    assert 50 <= kept < 500
    assert command.run(*line("cut"))[0] == 0
    assert command.run(*line("whole"))[0] == 0
    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "whole")


def test_deleted_parts_are_noticed(tmp_path: Path, chat_server: Server, command: Any) -> None:
    server = chat_server("--latency", "0.2")
    command.begin(*words(tmp_path / "run", server))
    while not (tmp_path / "run/personas/part-00000.parquet").exists():
        time.sleep(0.01)
    shutil.rmtree(tmp_path / "run/personas")
    code, said = command.end()
    assert code == 1
    assert "parts were damaged or deleted during the run, the first is part-00000.parquet" in said
    assert command.run(*words(tmp_path / "run", server))[0] == 0
    assert manifest(tmp_path / "run")["accepted"] == ROWS
