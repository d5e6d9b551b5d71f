"""A run through files, answered by `vllm run-batch`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

QUICKSTART = Path(__file__).parents[2] / "configs/quickstart.yaml"
VLLM = Path(__file__).with_name("vllm.sh")
ROWS = 20

pytestmark = pytest.mark.inference_server


def done(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_what_is_exported_goes_through_run_batch_and_comes_back_as_a_dataset(
    vllm_folder: Path, personas: Callable[..., list[str]], tmp_path: Path
) -> None:
    run, asked, answers = tmp_path / "run", tmp_path / "asked.jsonl", tmp_path / "answers.jsonl"
    export = [*personas("batch", "export", QUICKSTART, "-o", asked, "--run", run, "--bounds", rows=ROWS)]
    rounds = []
    for _ in range(8):
        done(export)
        rounds.append(len(asked.read_text().splitlines()))
        if not rounds[-1]:
            break
        done(["bash", str(VLLM), str(vllm_folder), "run-batch", "-i", str(asked), "-o", str(answers)])
        used = done([*personas("batch", "import")[:3], str(run), str(answers)])
        assert f"{rounds[-1]} of {rounds[-1]} answers used" in used
    assert rounds[:2] == [ROWS, ROWS]
    manifest = json.loads((run / "manifest.json").read_text())
    assert (manifest["state"], manifest["accepted"]) == ("complete", ROWS)
    assert manifest["endpoint"] == {"batch_answers": sum(rounds)}
    people = pd.read_parquet(run / "personas")
    assert sorted(people["row"]) == list(range(ROWS))
    assert set(people["model"]) == {"tiny"}
