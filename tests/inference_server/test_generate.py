"""`personas generate` against a genuine vLLM server whose tiny random model writes noise that fits the schema.

What is proved is the protocol: both structured calls, the server's own schema compiler and errors, concurrency,
resume. The rules about content are off, because noise says nothing true about anybody.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
ROWS = 20
NARRATIVES = [
    "persona",
    "professional_persona",
    "sports_persona",
    "arts_persona",
    "travel_persona",
    "culinary_persona",
]
LISTS = ["skills_and_expertise_list", "hobbies_and_interests_list"]

pytestmark = pytest.mark.inference_server

Generate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def generate(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Generate:
    """Run `personas generate` into a folder, against the server."""
    monkeypatch.setenv("OPENAI_API_KEY", "not-needed")
    rules = sorted(path.stem for path in (ROOT / "validators/records").glob("[a-z]*.py"))
    settings = {
        "llm.backend": "openai",
        "llm.model": "tiny",
        "llm.base_url": endpoint,
        "output.schema": "full",
        "validation.policy": json.dumps(dict.fromkeys(rules, "off")),
    }

    def run(folder: Path, rows: int = ROWS, **changed: str) -> subprocess.CompletedProcess[str]:
        pairs = settings | {f"llm.{name}": value for name, value in changed.items()}
        options = [word for name, value in pairs.items() for word in ("--set", f"{name}={value}")]
        personas = [str(Path(sys.executable).with_name("personas")), "generate"]
        command = [
            *personas,
            str(ROOT / "configs/quickstart.yaml"),
            "-o",
            str(folder),
            "-n",
            str(rows),
            *options,
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)

    return run


def answered(endpoint: str) -> int:
    """Completions that the server has finished, by its own metrics."""
    with urllib.request.urlopen(f"{endpoint.removesuffix('/v1')}/metrics", timeout=10) as answer:
        counts = re.findall(
            r"^vllm:request_success_total\{.*\} ([\d.]+)", answer.read().decode(), re.MULTILINE
        )
    return int(sum(map(float, counts)))


def test_every_row_comes_back_from_the_genuine_server(generate: Generate, tmp_path: Path) -> None:
    done = generate(tmp_path / "run")
    assert done.returncode == 0, done.stderr
    people = pd.read_parquet(tmp_path / "run/personas")
    assert len(people) == ROWS
    assert people["uuid"].is_unique
    assert set(people["model"]) == {"tiny"}
    assert (people[NARRATIVES].map(len) > 0).all(axis=None)
    assert (people[LISTS].map(len) > 0).all(axis=None)


def test_finished_answers_are_never_asked_for_again(
    generate: Generate, endpoint: str, tmp_path: Path
) -> None:
    first = generate(tmp_path / "run", rows=6)
    assert first.returncode == 0, first.stderr
    before = answered(endpoint)
    again = generate(tmp_path / "run", rows=6)
    assert again.returncode == 0, again.stderr
    assert answered(endpoint) == before


def test_a_larger_number_of_rows_extends_the_run(generate: Generate, tmp_path: Path) -> None:
    assert generate(tmp_path / "run", rows=4).returncode == 0
    small = pd.read_parquet(tmp_path / "run/personas").sort_values("row", ignore_index=True)
    done = generate(tmp_path / "run", rows=8)
    assert done.returncode == 0, done.stderr
    large = pd.read_parquet(tmp_path / "run/personas").sort_values("row", ignore_index=True)
    assert len(large) == 8
    pd.testing.assert_frame_equal(large.head(4), small)


def test_a_model_that_the_server_does_not_have_ends_the_run_in_one_line(
    generate: Generate, tmp_path: Path
) -> None:
    done = generate(tmp_path / "run", model="no-such-model")
    assert done.returncode == 1
    assert "no-such-model" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("run/personas/*.parquet"))


def test_a_server_that_is_not_there_ends_the_run_in_one_line(generate: Generate, tmp_path: Path) -> None:
    done = generate(tmp_path / "run", base_url="http://127.0.0.1:9/v1", max_retries="0")
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
