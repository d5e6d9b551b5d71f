"""`personas push`, through the real huggingface_hub, to a double of the hub in its own process."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from census_personas.generator.publication.contents import PublicFile
from census_personas.generator.publication.privacy import leaks

ROOT = Path(__file__).parents[3]
SERVER = ROOT / "tests" / "hub_server.py"
QUICKSTART = ROOT / "configs" / "quickstart.yaml"
PUSH = "from census_personas.generator.cli.main import main; main()"
PUBLIC = {
    "README.md",
    "CITATION.cff",
    "manifest.json",
    "report.html",
    "report.json",
    "personas/part-00000.parquet",
}
Personas = Callable[..., tuple[int, str, str]]
Hub = Callable[..., str]


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Start a hub: `hub("--token", "x")` returns its address."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> str:
        process = subprocess.Popen(
            [sys.executable, str(SERVER), "0", *options], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        return f"http://127.0.0.1:{process.stdout.readline().split()[-1]}"

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def run(personas: Personas, tmp_path: Path) -> Path:
    personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 5)
    return tmp_path / "run"


def push(address: str, *words: object) -> tuple[int, str, str]:
    """Run `personas push` in a process of its own, whose hub is at this address."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": address,
        "HF_TOKEN": "x",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-c", PUSH, "push", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


def stats(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}/stats", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def fetched(address: str, name: str, path: str) -> bytes:
    with urllib.request.urlopen(f"{address}/datasets/{name}/resolve/main/{path}", timeout=10) as answer:
        content: bytes = answer.read()
    return content


def test_run_arrives_whole_and_private(run: Path, hub: Hub, tmp_path: Path) -> None:
    address = hub()
    code, out, err = push(address, run, "me/people")
    assert code == 0, err
    assert "/datasets/me/people/commit/" in out
    seen = stats(address)
    assert set(seen["files"]["me/people"]) == PUBLIC | {".gitattributes"}
    assert seen["private"] == {"me/people": True}
    manifest = json.loads(fetched(address, "me/people", "manifest.json"))
    assert manifest.keys().isdisjoint({"endpoint", "notes", "cost"})
    for path, digest in manifest["sha256"].items():
        assert hashlib.sha256(fetched(address, "me/people", path)).hexdigest() == digest, path
    (tmp_path / "part.parquet").write_bytes(fetched(address, "me/people", "personas/part-00000.parquet"))
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "part.parquet"), pd.read_parquet(run / "personas")
    )
    # The same again sends nothing; other content is refused, or replaced.
    assert push(address, run, "me/people")[0] == 0
    again = stats(address)
    assert (again["commits"], again["lfs_puts"]) == (1, 1)


def test_other_content_is_kept_unless_replaced(
    run: Path, hub: Hub, personas: Personas, tmp_path: Path
) -> None:
    address = hub()
    personas("generate", QUICKSTART, "-o", tmp_path / "more", "-n", 4, "--set", "output.shard_rows=2")
    assert push(address, tmp_path / "more", "me/people")[0] == 0
    code, _, err = push(address, run, "me/people")
    assert code == 2
    assert "has 1 other files, such as personas/part-00001.parquet" in err
    assert "personas/part-00001.parquet" in stats(address)["files"]["me/people"]
    assert push(address, run, "me/people", "--replace")[0] == 0
    assert "personas/part-00001.parquet" not in stats(address)["files"]["me/people"]


def test_dry_run_sends_nothing(run: Path, hub: Hub) -> None:
    address = hub()
    code, out, _ = push(address, run, "me/people", "--dry-run", "--license", "cc0-1.0")
    assert code == 0
    assert all(f"{path}: " in out for path in PUBLIC)
    assert "license: cc0-1.0\n" in out
    assert "license: cc-by-4.0\n" not in out
    assert stats(address)["requests"] == 1  # that for these counts


def test_interrupted_push_is_completed(run: Path, hub: Hub) -> None:
    address = hub("--stall-lfs")
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_TOKEN": "x", "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", PUSH, "push", str(run), "me/people"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        while not stats(address)["stalled"]:
            time.sleep(0.1)
        process.kill()
    assert stats(address)["commits"] == 0
    assert push(address, run, "me/people")[0] == 0
    assert set(stats(address)["files"]["me/people"]) == PUBLIC | {".gitattributes"}


def test_another_run_is_not_overwritten(run: Path, hub: Hub, personas: Personas, tmp_path: Path) -> None:
    address = hub()
    personas("generate", QUICKSTART, "-o", tmp_path / "other", "-n", 5, "--seed", 99)
    assert push(address, tmp_path / "other", "me/people")[0] == 0
    code, _, err = push(address, run, "me/people")
    assert (code, "has another run" in err) == (2, True)
    assert stats(address)["commits"] == 1
    assert push(address, run, "me/people", "--replace")[0] == 0


def test_visibility_is_what_was_asked(run: Path, hub: Hub) -> None:
    address = hub()
    assert push(address, run, "me/open", "--public")[0] == 0
    assert stats(address)["private"] == {"me/open": False}
    code, _, err = push(address, run, "me/open")
    assert (code, "exists and is public; add --public" in err) == (2, True)
    assert push(address, run, "me/closed")[0] == 0
    code, _, err = push(address, run, "me/closed", "--public")
    assert (code, "exists and is private" in err) == (2, True)


@pytest.mark.parametrize(
    ("options", "words", "message"),
    [
        (("--refuse", "403"), (), "may not write there"),
        (("--token", "right"), (), "run `hf auth login`"),
        (("--refuse", "404"), (), "see whether the name is right"),
        ((), ("--license", "My Own"), "give an identifier"),
        ((), ("--keys",), "has no keys.parquet"),
    ],
)
def test_refusals_are_one_line(
    run: Path, hub: Hub, options: tuple[str, ...], words: tuple[str, ...], message: str
) -> None:
    code, _, err = push(hub(*options), run, "me/people", *words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_absent_hub_is_one_line(run: Path) -> None:
    code, _, err = push("http://127.0.0.1:9", run, "me/people")
    assert code == 2
    assert "the hub cannot be reached" in err
    assert err.count("\n") == 1


def test_odd_runs_are_refused(tmp_path: Path, run: Path) -> None:
    assert "holds no run" in push("http://127.0.0.1:9", tmp_path / "absent", "me/people")[2]
    manifest = json.loads((run / "manifest.json").read_text())
    for state, message in (("stopped", "is stopped; finish it"), ("short", "add --allow-shortfall")):
        (run / "manifest.json").write_text(json.dumps({**manifest, "state": state}))
        code, _, err = push("http://127.0.0.1:9", run, "me/people")
        assert (code, message in err) == (2, True)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Call (212)555-0123 at noon", "a telephone number"),
        ("Call +34 612 345 678 at noon", "a telephone number"),
        ("written by /mnt/models/jane/qwen", "a path of this machine"),
        ("key sk-proj-abcdefghijklmnopqrstuvwx", "an API key"),
        ("his number is 123-45-6789", "a US social security number"),
    ],
)
def test_suspects_are_found_in_rows(tmp_path: Path, text: str, kind: str) -> None:
    path = tmp_path / "part.parquet"
    pd.DataFrame({"uuid": ["a", "b"], "persona": ["In 1990 she moved to 90210.", text]}).to_parquet(path)
    (found,) = leaks([PublicFile("personas/part.parquet", path)])
    assert found == f"personas/part.parquet, row 1, persona: {kind}"


def test_keys_and_private_data_stay(run: Path, hub: Hub) -> None:
    address = hub()
    card = run / "README.md"
    card.write_text(card.read_text() + "\nAsk jane.doe@example.org, or see /home/jane/runs.\n")
    code, _, err = push(address, run, "me/people")
    assert code == 2
    assert "README.md, line" in err
    assert "an e-mail address" in err
    assert "a path of this machine" in err
    assert "jane" not in err
    assert stats(address)["requests"] == 1
