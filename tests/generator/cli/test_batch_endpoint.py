"""A run through a batch endpoint equals a run through a served model, and is paid for once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from census_personas.generator import batch_rounds
from census_personas.generator.cli.batch import export
from census_personas.generator.cli.batch_endpoint import poll, submit
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.llm.batch_client import BatchError
from census_personas.generator.llm.chat import EndpointError
from census_personas.generator.population.population import Population
from census_personas.generator.run.batch_state import BatchState, batch_locked
from census_personas.generator.session import generate

_SERVER = Path(__file__).parents[2] / "batch_server.py"
ROWS = 6
KEY = "sk-Zq7SECRETxyzzy0123456789abc"
# How often the command is killed at random moments; `PERSONAS_KILLS=200` takes some minutes.
KILLS = int(os.environ.get("PERSONAS_KILLS", "4"))


@dataclass(frozen=True)
class Endpoint:
    port: int

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def stats(self) -> dict[str, int]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=10) as answer:
            counts: dict[str, int] = json.load(answer)
        return counts

    def cancel(self, batch_id: str) -> None:
        urllib.request.urlopen(f"{self.base_url}/batches/{batch_id}/cancel", b"{}", timeout=10).close()


@pytest.fixture
def endpoint() -> Iterator[Callable[..., Endpoint]]:
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> Endpoint:
        command = [sys.executable, str(_SERVER), "0", *options]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        line = started[-1].stdout.readline()  # type: ignore[union-attr]
        assert line.startswith("listening on "), line
        return Endpoint(int(line.split()[-1]))

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def _loaded_once(population: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Population, "load", lambda _: population)


def settings(server: Endpoint, folder: Path, **llm: Any) -> Path:
    values = {
        "name": "batched",
        "rows": ROWS,
        "llm": {"backend": "openai", "model": "test-narrator", "base_url": server.base_url, **llm},
        "output": {"shard_rows": 4},
        "runtime": {"progress": "off"},
    }
    path = folder / "run.yaml"
    path.write_text(json.dumps(values))
    return path


def state(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return manifest


def rows_of(folder: Path) -> Mapping[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "personas").iterdir()}


def finish(config: Path, run: Path) -> None:
    submit(config, folder=run, loop=True, interval=0.1)


def test_rounds_equal_a_served_run(
    tmp_path: Path, endpoint: Callable[..., Endpoint], chat_server: Callable[..., Any]
) -> None:
    faults = ("--fault", "wrong_age=0.3", "--fault", "bad_json=0.2")
    server = endpoint("--looks", "2", "--page", "1", "--fails", "1-attributes", *faults)
    config, run = settings(server, tmp_path), tmp_path / "run"
    submit(config, folder=run, most=4)
    with pytest.raises(ConfigError, match=r"round 1 is with the endpoint; personas batch poll"):
        submit(run)
    poll(run)
    first = BatchState.read(run).rounds[0]
    assert [(part.requests, part.status) for part in first.parts] == [(4, "validating"), (2, "validating")]
    poll(run, wait=True, interval=0.1)
    finish(run, run)
    assert state(run)["state"] == "complete"
    served = chat_server(*faults)
    generate(Config.model_validate(json.loads(settings(served, tmp_path).read_text())), tmp_path / "served")
    assert rows_of(run) == rows_of(tmp_path / "served")
    stats = server.stats()
    assert stats["answered_twice"] == 0
    assert state(run)["endpoint"] == {"batch_answers": stats["answered"]}
    submit(run, rows=ROWS + 1)
    assert [part.requests for part in BatchState.read(run).rounds[-1].parts] == [1]


def test_kill_at_each_step_pays_nothing_twice(
    tmp_path: Path, endpoint: Callable[..., Endpoint], command: Any
) -> None:
    steps = ("POST files", "POST batches", "GET batches/", "GET files/")
    server, run = endpoint("--hang", ",".join(steps)), tmp_path / "run"
    words = ("batch", "submit", settings(server, tmp_path), "--run", run, "--loop", "--interval", 0.1)
    for step in steps:
        command.begin(*words)
        deadline = time.monotonic() + 30
        while not server.stats().get(step) and time.monotonic() < deadline:
            time.sleep(0.05)
        command.send(signal.SIGKILL)
        assert command.end()[0] == -signal.SIGKILL
    code, said = command.run(*words)
    assert code == 0, said
    stats = server.stats()
    assert (stats["batches"], stats["POST files"], stats["answered_twice"]) == (2, 2, 0)
    assert stats["answered"] == 2 * ROWS
    assert state(run)["state"] == "complete"


def test_kill_at_random_pays_nothing_twice(
    tmp_path: Path, endpoint: Callable[..., Endpoint], command: Any
) -> None:
    server, run = endpoint("--looks", "1", "--fails", "2-personas"), tmp_path / "run"
    words = (
        "batch",
        "submit",
        settings(server, tmp_path),
        "--run",
        run,
        "--most",
        2,
        "--loop",
        "--interval",
        0.1,
    )
    moments, code, said = random.Random(5), 1, ""
    for _ in range(KILLS):
        command.begin(*words)
        time.sleep(moments.uniform(0.1, 1.2))
        command.send(signal.SIGKILL)
        code, said = command.end()
        assert code in {0, -signal.SIGKILL}, said
    code, said = command.run(*words)
    assert code == 0, said
    stats = server.stats()
    assert stats["answered_twice"] == 0
    assert stats["answered"] == 2 * ROWS
    assert (state(run)["state"], state(run)["accepted"]) == ("complete", ROWS)


def test_unacknowledged_batch_is_recognized(tmp_path: Path, endpoint: Callable[..., Endpoint]) -> None:
    server, run = endpoint("--hang-up", "POST batches"), tmp_path / "run"
    with pytest.raises(BatchError) as failed:
        submit(settings(server, tmp_path), folder=run)
    assert (
        "repeat the command: it looks up what was created, so that nothing is paid for twice"
        in failed.value.message
    )
    submit(run)
    assert server.stats()["batches"] == 1
    assert BatchState.read(run).rounds[0].parts[0].batch_id == "batch_0"


def test_lost_state_is_rebuilt_from_the_endpoint(tmp_path: Path, endpoint: Callable[..., Endpoint]) -> None:
    server, run = endpoint("--looks", "1"), tmp_path / "run"
    submit(settings(server, tmp_path), folder=run, most=4)
    (run / "batches/state.json").unlink()
    submit(run, most=4)
    stats = server.stats()
    assert (stats["batches"], stats["files"]) == (2, 2)
    (run / "batches/state.json").write_text("{")
    with pytest.raises(ConfigError, match=r"state\.json: is not a state of batches; move the file away"):
        poll(run)


@pytest.mark.parametrize("ends", ["expired", "cancelled"])
def test_expired_requests_are_submitted_again(
    tmp_path: Path, endpoint: Callable[..., Endpoint], capsys: pytest.CaptureFixture[str], ends: str
) -> None:
    server, run = endpoint("--ends", ends, "--ends-after", "4"), tmp_path / "run"
    submit(settings(server, tmp_path), folder=run)
    poll(run)
    said = capsys.readouterr()
    assert f"1 {ends}; 4 answered, 2 failed" in said.out
    assert f"2 requests failed and will be submitted again; the first: 'batch_{ends}'" in said.err
    assert said.err.endswith(f"next: personas batch submit {run}\n")
    submit(run)
    asked = (run / "batches/round-002/ask-00000.jsonl").read_text().splitlines()
    calls = [json.loads(line)["custom_id"].split("-")[1] for line in asked]
    assert sorted(calls) == 2 * ["attributes"] + 4 * ["personas"]
    poll(run)
    assert (server.stats()["answered_twice"], state(run)["accepted"]) == (0, 4)


def test_cancelled_batch_is_waited_for(tmp_path: Path, endpoint: Callable[..., Endpoint]) -> None:
    server, run = endpoint("--looks", "1"), tmp_path / "run"
    submit(settings(server, tmp_path), folder=run)
    server.cancel("batch_0")
    poll(run, wait=True, interval=0.1)
    assert BatchState.read(run).rounds[0].is_over


@pytest.mark.parametrize(
    ("options", "llm", "why"),
    [
        (("--ends", "failed"), {}, "token_limit_exceeded: Enqueued token limit reached."),
        ((), {"model": "absent"}, "model_not_found: The model ['absent'] does not exist."),
        (("--ends", "expired"), {}, "batch_expired"),
    ],
)
def test_round_without_answers_fails(
    tmp_path: Path,
    endpoint: Callable[..., Endpoint],
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    llm: dict[str, str],
    why: str,
) -> None:
    run = tmp_path / "run"
    submit(settings(endpoint(*options), tmp_path, **llm), folder=run)
    with pytest.raises(typer.Exit) as ended:
        poll(run)
    assert ended.value.exit_code == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"personas: no request was answered ({why}); check llm.model")
    submit(run)
    assert len(BatchState.read(run).rounds) == 2


@pytest.mark.parametrize("route", ["batches", "files"])
def test_endpoint_without_batches_is_named(
    tmp_path: Path, endpoint: Callable[..., Endpoint], route: str
) -> None:
    server = endpoint("--missing", route)
    with pytest.raises(BatchError) as failed:
        submit(settings(server, tmp_path), folder=tmp_path / "run")
    assert failed.value.message.startswith(f"{server.base_url} answered 404: ")
    assert "write a file with personas batch export" in failed.value.message
    assert not (tmp_path / "run").exists()


def test_refused_key_is_not_shown(
    tmp_path: Path, endpoint: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(EndpointError) as failed:
        submit(settings(endpoint("--key", "sk-other"), tmp_path), folder=tmp_path / "run")
    assert "answered 401" in failed.value.message
    assert "OPENAI_API_KEY" in failed.value.message
    assert KEY not in failed.value.message


def test_used_up_quota_names_the_remedy(tmp_path: Path, endpoint: Callable[..., Endpoint]) -> None:
    server, run = endpoint("--throttle", "1"), tmp_path / "run"
    with pytest.raises(BatchError) as failed:
        submit(settings(server, tmp_path), folder=run)
    assert "answered 429: You exceeded your current quota" in failed.value.message
    assert "raise the account's quota, and repeat the command" in failed.value.message
    submit(run)
    assert (server.stats()["POST files"], server.stats()["batches"]) == (1, 1)


def test_key_is_in_no_file(
    tmp_path: Path, endpoint: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server, run = endpoint("--key", KEY, "--repeats-key"), tmp_path / "run"
    submit(settings(server, tmp_path), folder=run)
    with pytest.raises(typer.Exit):
        poll(run)
    assert "repeats a key" in (run / "batches/round-001/answers-00000.jsonl").read_text()
    assert [file for file in run.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()] == []


def test_lost_batches_need_give_up(tmp_path: Path, endpoint: Callable[..., Endpoint]) -> None:
    run = tmp_path / "run"
    submit(settings(endpoint("--forgets"), tmp_path), folder=run)
    with pytest.raises(BatchError, match="batch batch_0, or a file of it, is not there"):
        poll(run)
    with pytest.raises(typer.Exit):
        poll(run, give_up=True)
    assert BatchState.read(run).rounds[0].parts[0].status == "lost"


def test_round_stays_with_its_endpoint(tmp_path: Path, endpoint: Callable[..., Endpoint]) -> None:
    run, other = tmp_path / "run", endpoint()
    submit(settings(endpoint(), tmp_path), folder=run)
    with pytest.raises(ConfigError, match=r"round 1 is with http.*, and llm\.base_url names"):
        poll(run, overrides=[f"llm.base_url={other.base_url}"])
    with pytest.raises(BatchError) as failed:
        poll(run, overrides=[f"llm.base_url={other.base_url},{other.base_url}"])
    assert failed.value.message == "llm.base_url names 2 endpoints; name the one that takes the batches"


def test_second_command_is_refused(tmp_path: Path, endpoint: Callable[..., Endpoint]) -> None:
    run = tmp_path / "run"
    submit(settings(endpoint(), tmp_path), folder=run)
    with batch_locked(run), pytest.raises(ConfigError, match="another process works on its batches"):
        poll(run)


def test_unsubmitted_round_is_named(tmp_path: Path, endpoint: Callable[..., Endpoint]) -> None:
    with pytest.raises(ConfigError, match="no such run folder; give the one whose requests were submitted"):
        poll(tmp_path / "absent")
    export(settings(endpoint(), tmp_path), tmp_path / "ask.jsonl", folder=tmp_path / "run")
    with pytest.raises(ConfigError, match="nothing was submitted; personas batch submit"):
        poll(tmp_path / "run")


def test_offline_run_is_refused_first(tmp_path: Path, endpoint: Callable[..., Endpoint]) -> None:
    server, run = endpoint(), tmp_path / "run"
    config = settings(server, tmp_path, backend="offline")
    with pytest.raises(ConfigError, match=r"llm\.backend is offline, which has no requests"):
        submit(config, folder=run)
    assert not run.exists()
    run.mkdir()
    (run / "config.yaml").write_text(config.read_text())
    for command in (submit, poll):
        with pytest.raises(ConfigError, match=r"llm\.backend is offline, which has no requests"):
            command(run)
    assert [file.name for file in run.iterdir()] == ["config.yaml"]
    assert not any(server.stats().values())


def test_python_refuses_an_offline_run_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run: llm\.backend is offline, which has no requests"):
        batch_rounds.submit(Config(), tmp_path / "run", most_requests=9, most_bytes=10**6)
    with pytest.raises(ConfigError, match=r"run: llm\.backend is offline, which has no requests"):
        batch_rounds.poll(Config(), tmp_path / "run")
    assert not (tmp_path / "run").exists()
