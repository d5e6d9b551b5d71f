"""`personas generate` against a genuine vLLM server whose tiny random model writes noise that fits the schema.

What is proved is the protocol: both structured calls, the server's own schema compiler and errors, concurrency,
resume.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

QUICKSTART = Path(__file__).parents[2] / "configs/quickstart.yaml"
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
def generate(server: Any, personas: Callable[..., list[str]]) -> Generate:
    """Run `personas generate` into a folder, against the server."""

    def run(folder: Path, rows: int = ROWS, **changed: object) -> subprocess.CompletedProcess[str]:
        settings = {"rows": rows, "llm__base_url": server.base_url, **changed}
        command = personas("generate", QUICKSTART, "-o", folder, **settings)
        return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)

    return run


def test_every_row_comes_back_from_the_genuine_server(generate: Generate, tmp_path: Path) -> None:
    done = generate(tmp_path / "run")
    assert done.returncode == 0, done.stderr
    people = pd.read_parquet(tmp_path / "run/personas")
    assert len(people) == ROWS
    assert people["uuid"].is_unique
    assert set(people["model"]) == {"tiny"}
    assert (people[NARRATIVES].map(len) > 0).all(axis=None)
    assert (people[LISTS].map(len) > 0).all(axis=None)


def test_finished_answers_are_never_asked_for_again(generate: Generate, server: Any, tmp_path: Path) -> None:
    first = generate(tmp_path / "run", rows=6)
    assert first.returncode == 0, first.stderr
    before = server.answered()
    again = generate(tmp_path / "run", rows=6)
    assert again.returncode == 0, again.stderr
    assert server.answered() == before


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
    done = generate(tmp_path / "run", llm__model="no-such-model")
    assert done.returncode == 1
    assert "no-such-model" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("run/personas/*.parquet"))
