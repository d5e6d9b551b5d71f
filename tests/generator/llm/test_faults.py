"""Faults around a run, through the whole command: nothing is lost, and one line explains the fault."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).parents[3] / "configs" / "vllm-mistral-nemo.yaml"
ROWS, AT_ONCE = 24, 8
# What a process asks before its first row: the check of the endpoint, and the probe of what it understands.
GREETING = 2
TRANSPORT = ("429", "500", "503", "drop", "reset", "cut", "truncate", "half_json", "stall", "slow")
CONTENT = (
    "bad_json", "length", "refusal", "empty", "prose", "fenced", "control", "wrong_type", "missing", "wrong_age",
    "nameless", "foreign", "reasoning",
)  # fmt: skip

Server = Callable[..., Any]


def words(folder: Path, server: Any, *changes: str, rows: int = ROWS) -> list[object]:
    settings = [
        f"llm.model={server.model}",
        f"llm.base_url={server.base_url}",
        f"llm.concurrency={AT_ONCE}",
        "output.shard_rows=8",
        "runtime.progress=off",
        *changes,
    ]
    sets = [word for setting in settings for word in ("--set", setting)]
    return ["generate", CONFIG, "-o", folder, "-n", rows, *sets]


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def dataset(folder: Path) -> Mapping[str, bytes]:
    files = [*(folder / "personas").glob("*.parquet"), folder / "report.json"]
    return {file.name: file.read_bytes() for file in files}


def answers(folder: Path) -> int:
    return sum(file.read_bytes().count(b"\n") for file in folder.glob("journal/*/answers.jsonl"))


def asked(server: Any) -> int:
    return int(server.stats().get("requests", 0))


@pytest.fixture(scope="module")
def calm(command: Any, calm_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that met no fault."""
    folder = tmp_path_factory.mktemp("calm") / "run"
    assert command.run(*words(folder, calm_server))[0] == 0
    return folder


@pytest.mark.parametrize("transport", ["openai", "lean"])
def test_all_faults_at_once_lose_no_row(
    tmp_path: Path, chat_server: Server, command: Any, transport: str
) -> None:
    content = [f"--fault={name}=0.04" for name in CONTENT]
    calm = chat_server(*content)
    faulty = chat_server(*content, *[f"--fault={name}=0.02" for name in TRANSPORT], "--retry-after=0.05")
    changes = (
        f"llm.transport={transport}",
        "llm.timeout_s=1.5",
        "llm.max_retries=20",
        "llm.concurrency=32",
        "validation.max_attempts=8",
    )
    options = {"rows": 120}
    assert command.run(*words(tmp_path / "calm", calm, *changes, **options))[0] == 0
    code, said = command.run(*words(tmp_path / "run", faulty, *changes, **options))
    assert code == 0, said
    assert dataset(tmp_path / "run") == dataset(tmp_path / "calm")
    told, counts = manifest(tmp_path / "run"), faulty.stats()
    assert (told["accepted"], told["rejected"]) == (120, 0)
    assert {name for name in (*TRANSPORT, *CONTENT) if not counts.get(f"fault_{name}")} == set()
    # A request that meets a connection while it is being closed, or that is given up, is counted on one side only.
    failed = sum(counts[f"fault_{name}"] for name in TRANSPORT if name != "slow")
    assert told["endpoint"]["requests"] == pytest.approx(counts["requests"], abs=10)
    assert told["endpoint"]["throttled"] == pytest.approx(counts["fault_429"], abs=3)
    assert told["endpoint"]["retries"] == pytest.approx(failed, abs=10)


def test_killed_server_is_waited_for(tmp_path: Path, chat_server: Server, command: Any, calm: Path) -> None:
    first = chat_server("--latency", "0.1")
    command.begin(*words(tmp_path / "run", first))
    while asked(first) < ROWS:
        time.sleep(0.01)
    first.kill()
    time.sleep(1)
    chat_server(port=first.port)
    code, said = command.end()
    assert code == 0, said
    assert ["is down" in said, "answers again" in said] == [True, True]
    assert dataset(tmp_path / "run") == dataset(calm)


def test_clock_jumps_change_nothing(tmp_path: Path, chat_server: Server, command: Any, calm: Path) -> None:
    throttling = chat_server("--fault=429=0.1", "--fault=503=0.05", "--retry-after=0.2")
    started = time.monotonic()
    code, said = command.run(*words(tmp_path / "run", throttling), clock=7)
    seconds = time.monotonic() - started
    assert code == 0, said
    assert dataset(tmp_path / "run") == dataset(calm)
    assert 0 < manifest(tmp_path / "run")["seconds"] <= seconds


def test_full_disk_stops_in_one_line(tmp_path: Path, chat_server: Server, command: Any, calm: Path) -> None:
    if not command.mounts:
        pytest.skip("this system gives no name space in which a small disk could be mounted")
    server = chat_server()
    disk = tmp_path / "disk"
    disk.mkdir()
    command.run("-t", "tmpfs", "-o", "size=4k", "disk", disk, program="mount")
    struck = []
    for size in ("4k", "8k", "48k", "184k", "240k", "64m"):
        command.run("-o", f"remount,size={size}", disk, program="mount")
        code, said = command.run(*words(disk / "run", server, "llm.concurrency=5"))
        if code == 0:
            break
        (line,) = said.splitlines()
        assert line.endswith(
            ": cannot be written (No space left on device); free some space, and repeat the command"
        )
        struck.append(line.partition("disk/run")[2].partition(":")[0].split("/")[1:2])
        assert code == 1 or struck[-1] == [], line
        assert list((command.seen(disk) / "run").rglob("*.partial")) == []
    assert dataset(command.seen(disk) / "run") == dataset(calm)
    command.run(disk, program="umount")
    assert {"config.yaml", "journal", "personas"} <= {name for names in struck for name in names}, struck
    assert asked(server) <= answers(calm) + len(struck) * (AT_ONCE + GREETING)


def test_read_only_folder_is_named(tmp_path: Path, chat_server: Server, command: Any) -> None:
    if not command.mounts:
        pytest.skip("this system gives no name space in which a disk could be mounted")
    disk = tmp_path / "disk"
    (disk / "run").mkdir(parents=True)
    command.run("-t", "tmpfs", "-o", "ro", "disk", disk, program="mount")
    code, said = command.run(*words(disk / "run", chat_server()))
    command.run(disk, program="umount")
    assert code in (1, 2)
    (line,) = said.splitlines()
    assert f"{disk}/run" in line
    assert "Read-only file system" in line


def test_lost_files_are_made_again(tmp_path: Path, calm_server: Any, command: Any, calm: Path) -> None:
    run = shutil.copytree(calm, tmp_path / "run")
    shards = [run / f"personas/part-0000{i}.parquet" for i in range(3)]
    pages = bytearray(shards[1].read_bytes())
    pages[200:2000] = bytes(byte ^ 0xFF for byte in pages[200:2000])
    shards[1].write_bytes(pages)
    shutil.copy(shards[0], shards[2])
    shards[0].write_bytes(b"")
    (run / "personas/.part-00001.parquet.1.partial").write_bytes(b"PAR1")
    (run / "config.yaml").unlink()
    (run / "rejected.jsonl").write_text('scribble\n[1]\n{}\n{"shard": 1, "reasons": ["bad"]}\n')
    questions = asked(calm_server)
    code, said = command.run(*words(run, calm_server))
    assert code == 0, said
    assert said.count("dropped a line that is not a rejected row") > 0
    assert said.count("is damaged, or was not written by this run; its rows are narrated again") == 3
    assert dataset(run) == dataset(calm)
    assert [file.name for file in (run / "personas").iterdir() if file.suffix != ".parquet"] == []
    assert asked(calm_server) == questions


def test_answers_outlive_a_bad_manifest(tmp_path: Path, calm_server: Any, command: Any, calm: Path) -> None:
    spoilt = shutil.copytree(calm, tmp_path / "spoilt")
    (spoilt / "manifest.json").write_bytes(b"")
    code, said = command.run(*words(spoilt, calm_server))
    assert (code, "manifest.json: not a manifest" in said, "copy journal/" in said) == (2, True, True)
    shutil.copytree(spoilt / "journal", tmp_path / "run/journal")
    questions = asked(calm_server)
    assert command.run(*words(tmp_path / "run", calm_server))[0] == 0
    assert dataset(tmp_path / "run") == dataset(calm)
    assert asked(calm_server) == questions


def hold_a_foreign_shard(run: Path) -> None:
    shutil.copy(run / "personas/part-00000.parquet", run / "personas/mine.parquet")


def be_a_file(run: Path) -> None:
    shutil.rmtree(run)
    run.write_text("a file")


def lose_its_manifest(run: Path) -> None:
    (run / "manifest.json").unlink()


def have_a_folder_for_a_part(run: Path) -> None:
    (run / "personas/part-00001.parquet").unlink()
    (run / "personas/part-00001.parquet").mkdir()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (hold_a_foreign_shard, "personas/mine.parquet: is not a part of this run; move it out"),
        (be_a_file, "run: is a file; give a folder"),
        (lose_its_manifest, "run: is not empty and holds no run; give a new folder"),
        (have_a_folder_for_a_part, "part-00001.parquet: is a folder, not a file; move it away"),
    ],
)
def test_other_folders_are_refused(
    tmp_path: Path, calm_server: Any, command: Any, calm: Path, spoil: Callable[[Path], None], told: str
) -> None:
    run = shutil.copytree(calm, tmp_path / "run")
    spoil(run)
    code, said = command.run(*words(run, calm_server))
    assert code == 2
    *before, line = said.splitlines()
    assert all("is damaged" in warning for warning in before)
    assert told in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_stopped_run_is_resumed(
    tmp_path: Path, chat_server: Server, command: Any, calm: Path, number: signal.Signals
) -> None:
    server = chat_server("--latency", "0.1")
    command.begin(*words(tmp_path / "run", server))
    while asked(server) < ROWS:
        time.sleep(0.01)
    command.send(number)
    code, said = command.end()
    assert code == 130
    assert "rows are missing (stopped); the same command tries them again" in said
    assert manifest(tmp_path / "run")["state"] == "stopped"
    kept = answers(tmp_path / "run")
    assert kept == asked(server) - GREETING, "an answer in flight was dropped"
    if number == signal.SIGHUP:
        assert command.run(*words(tmp_path / "run", server))[0] == 0
        assert dataset(tmp_path / "run") == dataset(calm)


def test_run_survives_closed_output(tmp_path: Path, calm_server: Any, command: Any, calm: Path) -> None:
    command.run(*words(tmp_path / "run", calm_server, "runtime.progress=plain"), log="/dev/full")
    assert manifest(tmp_path / "run")["state"] == "complete"
    assert dataset(tmp_path / "run") == dataset(calm)
