"""`personas sample`."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from released import NEMOTRON

Personas = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_columns_are_in_schema_order(personas: Personas, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"people.{suffix}"
    code, out, _ = personas("sample", "-n", 30, "--seed", 3, "--schema", "nemotron", "-o", file)
    assert (code, out) == (0, "")
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv, "jsonl": lambda f: pd.read_json(f, lines=True)}
    frame = read[suffix](file)
    assert len(frame) == 30
    assert list(frame) == [name for name in NEMOTRON if name in set(frame)]
    assert {"uuid", "sex", "age", "occupation", "zipcode", "country"} <= set(frame)


def test_full_schema_has_all_columns(personas: Personas, tmp_path: Path) -> None:
    personas("sample", "-n", 30, "--schema", "full", "-o", tmp_path / "people.parquet")
    frame = pd.read_parquet(tmp_path / "people.parquet")
    assert {"ethnicity", "labor_force_status", "occupation_code", "county", "first_name"} <= set(frame)
    assert {"middle_name", "last_name", "openness", "openness_label", "row"} <= set(frame)
    assert frame["age"].between(18, 120).all()


def test_json_lines_depend_on_the_seed() -> None:
    command = [sys.executable, "-c", "from census_personas.generator.cli.main import main; main()", "sample"]
    first, again, other = (
        subprocess.run([*command, "-n", "3", "--seed", seed], capture_output=True, check=True).stdout
        for seed in ("1", "1", "2")
    )
    assert first == again != other
    assert [set(json.loads(line)) >= {"uuid", "age"} for line in first.splitlines()] == [True] * 3


def test_hidden_condition_is_noted(personas: Personas, tmp_path: Path) -> None:
    where = ("sample", "-n", 3, "--where", '{"first_name": "Mary", "state": "IL"}', "-o", tmp_path / "p.csv")
    assert "note: first_name is not in schema nemotron" in personas(*where)[2]
    assert "note:" not in personas(*where, "--schema", "full")[2]


def test_default_is_ten_rows(personas: Personas, tmp_path: Path) -> None:
    for words, rows in (((), 10), (("--set", "rows=4"), 4), (("--set", "rows=4", "-n", 3), 3)):
        file = tmp_path / f"{rows}.csv"
        assert personas("sample", *words, "-o", file)[0] == 0
        assert len(pd.read_csv(file)) == rows


def test_where_conditions_the_sample(personas: Personas, tmp_path: Path) -> None:
    where = json.dumps({"state": ["NY", "VT"], "age": "30-45"})
    personas("sample", "-n", 50, "--where", where, "-o", tmp_path / "people.parquet")
    frame = pd.read_parquet(tmp_path / "people.parquet")
    assert set(frame["state"]) <= {"NY", "VT"}
    assert frame["age"].between(30, 45).all()


def test_failed_sample_keeps_the_old_file(personas: Personas, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("kept")
    assert personas("sample", "-n", 5, "--where", '{"planet": "Mars"}', "-o", file)[0] == 2
    assert [item.name for item in tmp_path.iterdir()] == ["people.csv"]
    assert file.read_text() == "kept"


@pytest.mark.parametrize("place", ["/proc/people.csv", "file/people.csv"])
def test_unwritable_place_is_named(
    personas: Personas,
    one_line: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    code, _, err = personas("sample", "-n", 2, "-o", place)
    assert code == 2
    assert re.search(
        r"people\.csv: (there is no folder file; create it|is in a system folder)", one_line(err)
    )


def test_deleted_folder_is_named(
    personas: Personas, one_line: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    code, _, err = personas("sample", "-n", 2, "-o", "people.csv")
    assert code == 2
    assert (
        "people.csv: cannot be accessed (No such file or directory); change to an existing folder"
        in one_line(err)
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_sample_leaves_nothing(command: Any, tmp_path: Path, how: signal.Signals) -> None:
    command.begin("sample", "-n", 10**9, "-o", tmp_path / "people.jsonl")
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    command.send(how)
    code, said = command.end()
    assert (code, said.splitlines()[-1]) == (130, "personas: interrupted")
    assert list(tmp_path.iterdir()) == []


def test_closed_pipe_is_no_failure() -> None:
    sample = "from census_personas.generator.cli.main import main; main()"
    command = f"{sys.executable} -c '{sample}' sample -n 3000 | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "0"
    assert done.stderr == ""


def test_full_standard_output_is_named() -> None:
    main = "from census_personas.generator.cli.main import main; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", main, "priors", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    said = "personas: standard output: No space left on device; make room, or write elsewhere\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_wrong_sum_of_counts_is_refused(personas: Personas, one_line: Callable[[str], str]) -> None:
    quota = '{"sex": {"Male": 5, "Female": 3}}'
    code, out, err = personas("sample", "-n", 6, "--quota", quota)
    assert (code, out) == (2, "")
    assert "counts sum to 8, but 6 rows are requested; use -n 8" in one_line(err)
    assert personas("sample", "-n", 8, "--quota", quota)[1].count('"Male"') == 5
