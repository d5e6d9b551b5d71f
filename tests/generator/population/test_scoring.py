"""The score of person records: its parts add up, and an unusable file is one clear line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.build.en_US.pums import read_records
from census_personas.census_priors.build.source import SourceError
from census_personas.generator.model.core_factoring import cascaded
from census_personas.generator.model.network_fit import fit_network
from census_personas.generator.population.population import Population
from census_personas.generator.population.scoring import SCORED, score_file

PERSONS = """SERIALNO,SPORDER,STATE,PUMA,PWGTP,AGEP,SEX,RAC1P,HISP,CIT,ESR,OCCP,SCHL,FOD1P,MAR
2024HU01,1,36,100,10,40,1,1,1,1,1,3255,21,6107,1
2024HU01,2,36,100,12,38,2,1,2,4,6,,16,,1
2024HU01,3,36,100,9,16,2,1,2,1,3,,12,,5
2024GQ02,1,48,100,5,97,2,6,1,4,,,16,,
2024HU03,1,39,100,7,23,2,2,1,1,3,9920,19,,5
"""


def people() -> pd.DataFrame:
    return pd.read_csv(io.StringIO(PERSONS))


def written(folder: Path, frame: pd.DataFrame, form: str = "parquet") -> Path:
    path = folder / f"withheld.{form}"
    if form == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_parts_sum_to_the_log_likelihood(population: Population, tmp_path: Path, form: str) -> None:
    found = score_file(population, written(tmp_path, people(), form))
    assert (found.adults, found.areas, found.left_out) == (3, 2, 1)  # Texas has no MAR, the child is no adult
    assert found.nats_per_person == pytest.approx(sum(found.by_attribute.values()))
    assert set(found.by_attribute) == {*SCORED, "education_level", "bachelors_field"} - {"education"}
    records = read_records(tmp_path, population.priors, SCORED) if form == "parquet" else None
    if records is not None:
        here = population.probability({"state": ["NY", "OH"]})
        kept = records.take(records.codes["marital_status"] >= 0)
        frame = pd.DataFrame(
            {name: [population.priors.domain[name][c] for c in codes] for name, codes in kept.codes.items()}
        )
        nats = -population.log_likelihood(frame) + np.log(here)
        assert found.nats_per_person == pytest.approx(np.average(nats, weights=kept.weight), abs=1e-4)


def test_numbers_as_text_are_read(population: Population, tmp_path: Path) -> None:
    plain = score_file(population, written(tmp_path, people()))
    text = people().map(lambda value: "" if pd.isna(value) else str(value)).astype(str)
    assert score_file(population, written(tmp_path, text)) == plain


def test_cascade_is_scored_by_attribute(population: Population, tmp_path: Path) -> None:
    priors = cascaded(population.priors, 60_000)
    declaration = priors.declaration
    graph = declaration.model
    few = tuple(n for n in graph.conditionals if n.child in {*population.network.core_attributes, "age"})
    graph = graph.model_copy(update={"conditionals": few, "zeros": ()})
    object.__setattr__(priors, "declaration", declaration.model_copy(update={"model": graph}))
    found = score_file(Population(priors, fit_network(priors)), written(tmp_path, people()))
    whole = score_file(population, written(tmp_path, people()))
    assert set(found.by_attribute) == {*whole.by_attribute} - {"occupation"}
    expected = whole.nats_per_person - whole.by_attribute["occupation"]
    assert found.nats_per_person == pytest.approx(expected, abs=0.6)


FAULTS = {
    "no rows": (lambda frame: frame.head(0), "contains no person"),
    "minors": (lambda frame: frame[frame["AGEP"] < 18], "has no adults"),
    "no SCHL": (lambda frame: frame.drop(columns="SCHL"), "column SCHL is missing"),
    "no HISP, RAC1P": (
        lambda frame: frame.drop(columns=["HISP", "RAC1P"]),
        "columns RAC1P, HISP are missing",
    ),
    "no MAR": (lambda frame: frame.drop(columns="MAR"), "nobody has MAR; the score needs SEX, HISP and"),
    "no FOD1P": (
        lambda frame: frame.drop(columns="FOD1P").query("SCHL > 20"),
        "nobody has SCHL and FOD1P",
    ),
    "words": (lambda frame: frame.assign(AGEP="forty"), "AGEP=forty of SERIALNO 2024HU01 .*it has numbers"),
    "SCHL 99": (
        lambda frame: frame.assign(SCHL=99),
        r"SCHL=99 of SERIALNO 2024HU01 \(and 4 more\); .* 1 to 24",
    ),
    "SCHL 16.5": (lambda frame: frame.assign(SCHL=16.5), "SCHL=16.5"),
    "OCCP 5": (lambda frame: frame.assign(OCCP=5), "OCCP=5 .* 10 to 9920"),
    "OCCP 11": (lambda frame: frame.assign(OCCP=11), "OCCP=0011 is not a code of the locale"),
    "age 130": (lambda frame: frame.assign(AGEP=130), "AGEP=130"),
    "no age": (lambda frame: frame.assign(AGEP=np.nan), "AGEP=nan .* it is blank for nobody"),
    "weight 0": (lambda frame: frame.assign(PWGTP=0), "PWGTP=0 .* weights are above 0"),
    "weight -3": (
        lambda frame: frame.assign(PWGTP=[1, 1, 1, 1, -3]),
        "PWGTP=-3 of SERIALNO 2024HU03; weights",
    ),
    "no weight": (lambda frame: frame.assign(PWGTP=np.nan), "PWGTP=nan .* blank for nobody"),
    "state": (lambda frame: frame.assign(STATE="New York"), "state recodes to 'code New York'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_unusable_records_are_refused(population: Population, tmp_path: Path, fault: str) -> None:
    change, said = FAULTS[fault]
    with pytest.raises(SourceError, match=rf"withheld\.parquet: {said}") as raised:
        score_file(population, written(tmp_path, change(people())))
    assert "\n" not in str(raised.value)


def test_impossible_person_is_shown(population: Population, tmp_path: Path) -> None:
    soldier = people().head(1).assign(OCCP=9830)
    with pytest.raises(
        SourceError, match=r"1 of 1 adults cannot occur in .*state=NY.*labor_force_status=employed"
    ):
        score_file(population, written(tmp_path, soldier))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"PAR1 and no more"])
@pytest.mark.parametrize("form", ["parquet", "csv", "zip"])
def test_other_file_is_refused(population: Population, tmp_path: Path, content: bytes, form: str) -> None:
    path = tmp_path / f"withheld.{form}"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=rf"withheld\.{form}: "):
        score_file(population, path)


def test_command_prints_json(population: Population, tmp_path: Path) -> None:
    run = "from census_personas.generator.cli.main import main; main()"
    command = [sys.executable, "-c", run, "priors", "score"]
    path = written(tmp_path, people())
    done = subprocess.run([*command, str(path), "--json"], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["nats_per_person"] == score_file(population, path).nats_per_person
    path = written(tmp_path, people().assign(SCHL=99))
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "SCHL=99" in done.stderr
    assert "Traceback" not in done.stderr


def test_benchmark_needs_its_files(tmp_path: Path) -> None:
    script = Path(__file__).parents[3] / "benchmarks/fidelity.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"fidelity.py: {tmp_path}/acs_pums_2024_1yr: no such file or folder")
    assert len(done.stderr.splitlines()) == 1
