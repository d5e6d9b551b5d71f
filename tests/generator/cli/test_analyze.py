"""`personas analyze`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from census_personas.generator.population.population import Population

Personas = Callable[..., tuple[int, str, str]]


@pytest.fixture
def people(tmp_path: Path, population: Population) -> Path:
    population.sample(400, seed=5).to_parquet(tmp_path / "people.parquet")
    return tmp_path / "people.parquet"


def test_tables_are_printed_and_written(personas: Personas, people: Path, tmp_path: Path) -> None:
    code, out, err = personas("analyze", people, "--by", "sex,age", "--by", "state", "-o", tmp_path / "out")
    assert (code, err) == (0, "")
    assert out.startswith("400 people\n\nby sex age\n")
    assert "more rows (-o writes all)" in out
    written = json.loads((tmp_path / "out/analysis.json").read_text())
    assert written["rows"] == 400
    assert sum(row["people"] for row in written["tables"]["by_state"]) == 400
    for name, table in written["tables"].items():
        assert len(pd.read_csv(tmp_path / f"out/{name}.csv")) == len(table)
    code, out, _ = personas("analyze", people, "--by", "sex,age", "--by", "state", "--json")
    assert json.loads(out) == written


def test_only_people_who_meet_criteria_count(personas: Personas, people: Path, tmp_path: Path) -> None:
    code, out, _ = personas(
        "analyze", people, "--find", '{"age": "30-39", "sex": "Female"}', "-o", tmp_path / "out"
    )
    found = pd.read_csv(tmp_path / "out/people.csv", dtype={"zipcode": str})
    assert code == 0
    assert out.startswith(f"{len(found)} people meet the criteria\n")
    assert found.age.between(30, 39).all()
    assert set(found.sex) == {"Female"}
    assert found.zipcode.str.len().eq(5).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--by", "sexx"), "no column 'sexx'; did you mean 'sex'?"),
        (("--find", '{"agee": 3}'), "no column 'agee'; did you mean 'age'?"),
        (("--find", "age"), "--find: 'age' is not JSON"),
        (("--find", "{}"), "--find: '{}' names no criterion"),
        (("--find", '{"age": "120-"}'), "nobody in"),
    ],
)
def test_bad_options_are_one_line(
    personas: Personas, people: Path, one_line: Callable[[str], str], words: tuple[str, ...], message: str
) -> None:
    code, out, err = personas("analyze", people, *words)
    assert (code, out) == (2, "")
    assert message in one_line(err)


def test_file_without_people_is_refused(
    personas: Personas, tmp_path: Path, one_line: Callable[[str], str]
) -> None:
    (tmp_path / "prices.csv").write_text("price\n1\n")
    code, _, err = personas("analyze", tmp_path / "prices.csv")
    assert code == 2
    assert "has none of the columns" in one_line(err)


def test_audit_writes_independences(
    personas: Personas, people: Path, tmp_path: Path, one_line: Callable[[str], str]
) -> None:
    words = ("audit", people, "--independent", "education_level, marital_status | sex")
    code, out, err = personas(*words, "-o", tmp_path / "audit.csv")
    assert (code, err) == (0, "")
    assert "education_level, marital_status | sex" in out
    written = pd.read_csv(tmp_path / "audit.csv")
    assert json.loads(personas(*words, "--json")[1])[0]["tvd"] == pytest.approx(written.tvd[0])
    code, _, err = personas("audit", people)
    assert code == 2
    assert "--independent: name what the dataset declares independent" in one_line(err)
