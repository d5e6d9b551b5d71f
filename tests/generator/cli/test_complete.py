"""`personas complete`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from census_personas.foundation.dataset_reader import is_sample
from census_personas.generator.population import completed_file
from census_personas.generator.population.population import Population

Personas = Callable[..., tuple[int, str, str]]
SURVEY = """respondent,age,sex,state,education_level,weight
007,34,Female,NY,,1.5
008,25-34,Male,CA,bachelors,0.5
009,18,Male,TX,graduate,2
010,65+,,,,
"""


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    file = tmp_path / "survey.csv"
    file.write_text(SURVEY, encoding="utf-8")
    return file


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_survey_is_completed(personas: Personas, survey: Path, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"out.{suffix}"
    code, out, err = personas("complete", survey, "-o", file)
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        f"note: {survey}: has no occupation, zipcode, marital_status: drawn given what is known",
        "note: carried through, as they are no attributes: respondent, weight",
        f"{file}: 3 rows",
        f"{tmp_path}/out.impossible.{suffix}: 1 rows that nobody can be, or read, with reasons",
    ]
    read = {
        "parquet": pd.read_parquet,
        "csv": lambda f: pd.read_csv(f, dtype=str),
        "jsonl": lambda f: pd.read_json(f, lines=True, dtype={"respondent": str}),
    }
    people, lost = read[suffix](file), read[suffix](tmp_path / f"out.impossible.{suffix}")
    assert people["respondent"].tolist() == ["007", "008", "010"]
    assert [
        int(age) in ages
        for age, ages in zip(people["age"], (range(34, 35), range(25, 35), range(65, 101)), strict=True)
    ]
    assert people["state"].tolist()[:2] == ["NY", "CA"]
    drawn = [cell.split() if isinstance(cell, str) else list(cell) for cell in people["drawn"]]
    assert [("age" in own, "sex" in own, "occupation" in own) for own in drawn[1:]] == [
        (True, False, True),
        (True,) * 3,
    ]
    assert lost[["respondent", "reason"]].to_numpy().tolist() == [
        ["009", "nobody in en_US has age 18 and education_level graduate"]
    ]


def test_blocks_do_not_change_rows(
    personas: Personas, tmp_path: Path, population: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    population.sample(25, seed=3)[["age", "sex", "zipcode"]].to_parquet(tmp_path / "in.parquet")
    personas("complete", tmp_path / "in.parquet", "-o", tmp_path / "whole.parquet", "--seed", 4)
    monkeypatch.setattr(completed_file, "BLOCK", 7)
    personas("complete", tmp_path / "in.parquet", "-o", tmp_path / "parts.parquet", "--seed", 4)
    assert not is_sample(tmp_path / "whole.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "parts.parquet"), pd.read_parquet(tmp_path / "whole.parquet")
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,score\na,1\n", "none of its columns (name, score) has the name of something known"),
        (
            "age,state\n30,New Yrk\n",
            "column 'state': 1 value in 1 row means nothing known as state: 'New Yrk'",
        ),
    ],
)
def test_unreadable_file_is_named(personas: Personas, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "in.csv").write_text(text, encoding="utf-8")
    code, _, err = personas("complete", tmp_path / "in.csv", "-o", tmp_path / "out.csv")
    assert code == 2
    assert message in err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_survey_is_read_and_bad_rows_set_aside(personas: Personas, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(
        "id,Age,Gender,State,City,agge\n1,34,f,Ohio,Dayton,x\n2,17,m,Texas,,\n3,abc,f,NY,,\n4,65+,m,-9,Nowhere,\n"
    )
    code, _, err = personas("complete", tmp_path / "in.csv", "-o", tmp_path / "out.csv")
    assert code == 0
    assert "carried through, as they are no attributes: id, agge (is it age?)" in err
    people = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert people[["id", "sex", "agge"]].fillna("").to_numpy().tolist() == [
        ["1", "Female", "x"],
        ["4", "Male", ""],
    ]
    assert people.loc[0, ["state", "city"]].tolist() == ["OH", "Dayton"]
    lost = pd.read_csv(tmp_path / "out.impossible.csv", dtype=str)
    assert lost[["id", "Age", "reason"]].to_numpy().tolist() == [
        ["2", "17", "age 17: en_US has people from 18 to 100"],
        ["3", "abc", "column 'Age': 'abc' means nothing known as age"],
    ]


def test_lists_and_ranges_stay_open(personas: Personas, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(
        '{"age": {"min": 30, "max": 34}, "sex": ["f"], "state": ["Ohio", "TX"], "more": {"a": [1]}}\n'
        '{"age": ["18-24", "30"], "sex": "m", "state": "NY", "more": {}}\n'
    )
    personas("complete", tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl")
    first, second = pd.read_json(tmp_path / "out.jsonl", lines=True).to_dict("records")
    assert first["age"] in range(30, 35)
    assert (first["sex"], first["state"] in {"OH", "TX"}, first["more"]) == ("Female", True, '{"a":[1]}')
    assert second["age"] in {*range(18, 25), 30}
