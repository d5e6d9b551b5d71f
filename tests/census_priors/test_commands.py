"""The `personas priors` commands: output and exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.outline import lines, outline
from census_personas.census_priors.priors import Priors

EXAMPLE = Path(__file__).parents[2] / "examples" / "puerto_rico"
MAIN = [sys.executable, "-c", "from census_personas.generator.cli.main import main; main()", "priors"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PERSONAS_DEBUG"}
    command = [*MAIN, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_check_passes_on_shipped_locales() -> None:
    done = run("check", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["passed"]
    assert len(found["verdicts"]) > 15


def test_guide_shows_the_output_of_check() -> None:
    command = "personas priors check --locale examples/puerto_rico"
    guide = (EXAMPLE.parents[1] / "docs" / "how-to" / "new-locale.md").read_text(encoding="utf-8")
    shown = guide.split(f"$ {command}\n")[1].split("```")[0]
    assert run("check", "--locale", EXAMPLE).stdout == shown


def test_check_counts_failures(tmp_path: Path) -> None:
    folder = tmp_path / "locale"
    shutil.copytree(EXAMPLE, folder)
    path = folder / "published.yaml"
    path.write_text(path.read_text().replace("2288030", "1"))
    done = run("check", "--locale", folder)
    assert done.returncode == 1
    assert "WRONG  residents 25 and over: 2,288,030 (expected 1 ± 1)" in done.stdout
    assert done.stderr.strip().endswith(f"personas: {folder}: 1 of 11 checks failed")


def test_build_needs_records(tmp_path: Path) -> None:
    done = run("build", "--pums", tmp_path / "nowhere", "-o", tmp_path / "locale")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "name one with PUMS person files" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_build_names_a_missing_source(tmp_path: Path) -> None:
    (tmp_path / "psam_p36.csv").touch()
    done = run("build", "--pums", tmp_path / "psam_p36.csv", "-o", tmp_path / "locale")
    assert done.returncode == 2
    assert "agesex-res.csv: no such file" in done.stderr
    assert "https://www2.census.gov" in done.stderr
    assert not (tmp_path / "locale").exists()


def test_outline_shows_sources() -> None:
    shown = outline(Priors.load("en_US"))
    tables = {"-".join(table["attributes"]): table for table in shown["tables"]}
    assert tables["state-age_band-sex"]["modelled_areas"] == ["PR", "VI"]
    assert tables["state-occupation"]["modelled_areas"] == ["CA", "TX", "PR", "VI"]
    assert tables["occupation-industry"]["universe"] == "with a job"
    assert shown["modelled"].keys() == {"CA", "TX", "PR", "VI"}
    assert shown["independences"]
    text = "\n".join(lines(shown))
    assert "state x occupation: acs_pums_2024; everybody; CA, TX, PR, VI" in text
    assert "occupation <- occupation_group, service, state, age_span, sex, ethnicity_group, education" in text


def test_attribute_shows_its_tables() -> None:
    shown = outline(Priors.load("en_US"), "commute_mode")
    assert [item["name"] for item in shown["attributes"]] == ["commute_mode"]
    assert len(shown["tables"]) == 4
    assert [part["child"] for part in shown["graph"]] == ["commute_mode"]
    assert "from_home = works from home" in "\n".join(lines(shown))


def test_unknown_attribute_lists_known() -> None:
    with pytest.raises(DomainError, match=r"unknown attribute 'shoe'; known: age, age_band"):
        outline(Priors.load(EXAMPLE), "shoe")
