"""`personas generate` with the offline narrator."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import typer
from released import NEMOTRON

from census_personas.generator.cli.run import headline
from census_personas.generator.config.run_config import Config
from census_personas.generator.run.manifest import Manifest

QUICKSTART = Path(__file__).parents[3] / "configs/quickstart.yaml"

Personas = Callable[..., tuple[int, str, str]]


def test_quickstart_writes_a_run_folder(
    personas: Personas, tmp_path: Path, rows_of: Callable[[Path], pd.DataFrame]
) -> None:
    code, out, _ = personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 20)
    assert (code, out) == (0, f"{tmp_path / 'run'}: 20 rows\n")
    kept = {item.name for item in (tmp_path / "run").iterdir()}
    assert kept == {
        ".lock",
        "README.md",
        "config.yaml",
        "findings",
        "manifest.json",
        "personas",
        "report.html",
        "report.json",
    }
    frame = rows_of(tmp_path / "run")
    assert tuple(frame.columns) == NEMOTRON
    assert len(frame) == frame["uuid"].nunique() == 20
    assert frame["zipcode"].str.fullmatch(r"\d{5}").all()


def test_run_folder_loads_as_a_dataset(
    personas: Personas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 5)
    loaded = datasets.load_dataset(str(tmp_path / "run"), split="train", cache_dir=str(tmp_path / "cache"))
    assert tuple(loaded.column_names) == NEMOTRON
    assert isinstance(loaded[0]["skills_and_expertise_list"], list)
    card = (tmp_path / "run/README.md").read_text()
    assert "offline narrator" in card
    assert "O\\*NET" in card
    assert "coincidence" in card


def test_same_config_writes_the_same_bytes(personas: Personas, tmp_path: Path) -> None:
    for name in ("one", "other", "one"):
        personas("generate", QUICKSTART, "-o", tmp_path / name, "-n", 8)
    for file in (
        "personas/part-00000.parquet",
        "findings/part-00000.parquet",
        "report.json",
        "report.html",
        "README.md",
    ):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_run_can_be_extended(
    personas: Personas, tmp_path: Path, rows_of: Callable[[Path], pd.DataFrame]
) -> None:
    small = ("--set", "output.shard_rows=4")
    personas("generate", QUICKSTART, "-o", tmp_path / "grown", "-n", 6, *small)
    assert personas("generate", QUICKSTART, "-o", tmp_path / "grown", "-n", 10, *small)[0] == 0
    personas("generate", QUICKSTART, "-o", tmp_path / "at-once", "-n", 10, *small)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "grown"), rows_of(tmp_path / "at-once"))


def test_another_seed_is_refused(personas: Personas, tmp_path: Path, one_line: Callable[[str], str]) -> None:
    personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 4)
    code, out, err = personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 4, "--seed", 5)
    assert (code, out) == (2, "")
    assert "seed: 20250610 in the folder, 5 now" in one_line(err)


def test_wrong_facts_are_not_tried_again(
    personas: Personas, one_line: Callable[[str], str], tmp_path: Path
) -> None:
    personas("sample", "-n", 3, "-o", tmp_path / "people.csv")
    people = pd.read_csv(tmp_path / "people.csv", dtype={"zipcode": str})
    people.assign(age=[7, *people["age"][1:]]).to_csv(tmp_path / "people.csv", index=False)
    code, out, err = personas("narrate", tmp_path / "people.csv", "-o", tmp_path / "run")
    assert (code, out) == (1, f"{tmp_path / 'run'}: 2 rows\n")
    assert "1 of 3 rows are missing (1 rejected" in one_line(err)
    assert "facts are wrong: mend them in the input" in one_line(err)
    assert "tries them again" not in err


def test_dropped_columns_are_noted(personas: Personas, tmp_path: Path) -> None:
    personas("sample", "-n", 2, "-o", tmp_path / "people.csv")
    people = pd.read_csv(tmp_path / "people.csv", dtype={"zipcode": str})
    people.drop(columns="uuid").assign(record_index=1).to_csv(tmp_path / "people.csv", index=False)
    code, _, err = personas("narrate", tmp_path / "people.csv", "-o", tmp_path / "run")
    assert code == 0
    said = "left out: record_index; there is no column uuid, so each row gets a new uuid"
    assert [line.startswith("note: ") for line in err.splitlines() if said in line] == [True]
    assert said in json.loads((tmp_path / "run/manifest.json").read_text())["notes"][0]


def test_closed_output_is_no_failure(tmp_path: Path) -> None:
    words = f"generate {QUICKSTART} -n 2 -o {tmp_path / 'run'}"
    code = "from census_personas.generator.cli.main import main; main()"
    done = subprocess.run(["/bin/bash", "-c", f"{sys.executable} -c '{code}' {words} >&- 2>&-"], check=False)
    assert done.returncode == 0
    assert (tmp_path / "run/report.html").exists()


@pytest.mark.parametrize(
    ("reason", "policy"), [("known_facts: occupation: ", False), ("age_bounds: age: ", True)]
)
def test_unknown_fact_must_be_corrected(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, reason: str, policy: bool
) -> None:
    rejection = {"shard": 0, "row": 0, "attempts": 0, "reasons": [f"{reason}wrong"]}
    (tmp_path / "rejected").mkdir()
    (tmp_path / "rejected/part-00000.jsonl").write_text(json.dumps(rejection) + "\n")
    run = Manifest.of(Config(rows=1), {}, "offline", "").model_copy(update={"rejected": 1, "state": "short"})
    with pytest.raises(typer.Exit):
        headline(run, tmp_path)
    said = capsys.readouterr().err
    assert "mend them in the input" in said
    assert ("validation.policy" in said) is policy
    assert ("facts are wrong" in said) is policy
    assert ("not known to the locale, and need not be wrong" in said) is not policy
