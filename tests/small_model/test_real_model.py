"""`benchmarks/real_model.py` counts what a model did, goes on where it was killed and can be summed up anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_endpoint import URL, ModelEndpoint

SCRIPT = str(Path(__file__).parents[2] / "benchmarks/real_model.py")
ONCE = ["--set", "validation.max_attempts=1", "--set", "validation.max_repairs=1"]


def summed_up(folder: Path, *options: str) -> dict[str, Any]:
    """The measures of a folder, without a model."""
    command = [sys.executable, SCRIPT, "--resume", str(folder), "--replay", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    measures: dict[str, Any] = json.loads(done.stdout)
    return measures


def test_killed_benchmark_counts_each_answer_once(
    chat_server: Callable[..., Any], killed_once: Any, tmp_path: Path
) -> None:
    server = chat_server("--latency", "0.3", "--fault", "nameless=0.2")
    environment = {**os.environ, URL: server.base_url}
    command = [sys.executable, SCRIPT, "--people", "4", "--at-once", "2", "--json", "--resume", str(tmp_path)]
    command += ["--set", "llm.temperature=0.7"]
    done = killed_once.run(command, tmp_path, environment)
    assert done.returncode == 0, done.stderr
    measures = json.loads(done.stdout)
    answers = killed_once.answers(tmp_path)
    assert len({answer["key"] for answer in answers}) == len(answers) == measures["requests"]
    assert measures["people"] == 4
    assert measures["valid_json"] == measures["of_the_schema"] == 1.0
    assert measures["completion_tokens"] == sum(each["completion"]["completion_tokens"] for each in answers)
    assert measures["errors_met"].keys() <= {"name_present"}

    server.kill()
    shown = tmp_path / "records.md"
    again = summed_up(tmp_path, "--markdown", str(shown))
    assert again == {**measures, "seconds_a_request": None}
    people = [json.loads(line) for line in (tmp_path / "people.jsonl").read_text().splitlines()]
    assert shown.read_text().count("\n## ") == len(people) == 4
    for person in people:
        assert f"{person['record']['first_name']} {person['record']['last_name']}: " in shown.read_text()

    before = (tmp_path / "people.jsonl").read_bytes()
    kept = json.loads((tmp_path / "run.json").read_text())
    assert kept["config"]["llm"]["temperature"] == 0.7
    kept["config"]["llm"]["temperature"] = 0.1
    (tmp_path / "run.json").write_text(json.dumps(kept))
    other = subprocess.run(
        [sys.executable, SCRIPT, "--resume", str(tmp_path), "--replay"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert other.returncode == 1
    assert "holds answers to other prompts or settings" in other.stderr
    assert (tmp_path / "people.jsonl").read_bytes() == before


def test_missing_endpoint_is_named(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PERSONAS_")}
    command = [sys.executable, SCRIPT, "--resume", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("real_model: PERSONAS_SMALL_MODEL and PERSONAS_LLAMA_SERVER not set")
    assert "Traceback" not in done.stderr


@pytest.mark.small_model
def test_answers_are_json_of_the_schema(endpoint: ModelEndpoint, tmp_path: Path) -> None:
    environment = {**os.environ, URL: endpoint.base_url}
    command = [sys.executable, SCRIPT, "--people", "1", "--json", "--resume", str(tmp_path), *ONCE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    measures = json.loads(done.stdout)
    assert measures["people"] == 1
    assert measures["of_the_schema"] == 1.0 or measures["cut_off"]
    assert measures["prompt_tokens"] > measures["completion_tokens"] > 0
