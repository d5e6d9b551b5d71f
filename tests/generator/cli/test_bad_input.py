"""Unusable files of people and options, with the real command: one line, nothing left behind."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from census_personas.generator.cli.main import main
from census_personas.generator.population.population import Population

Personas = Callable[..., tuple[int, str, str]]
NEEDED = ["uuid", "sex", "age", "marital_status", "education_level", "occupation", "state", "zipcode"]


@pytest.fixture(autouse=True)
def _loaded_once(population: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Population, "load", lambda _: population)


@pytest.fixture
def personas(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Personas:
    """Run a command line in this process, in an empty folder: exit code, stdout, the last line of stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PERSONAS_DEBUG", raising=False)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["personas", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err.splitlines()[-1] if said.err else ""

    return run


def people(n: int = 3) -> pd.DataFrame:
    frame = Population.load("en_US").sample(n, seed=8)[NEEDED]
    return frame.astype({name: str for name in frame if name != "age"})


def nested(name: str) -> pd.DataFrame:
    return people().assign(**{name: [[value] for value in people()[name]]})


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("x.parquet", b"junk" * 50, "x.parquet: cannot be read: Parquet magic bytes not found"),
        ("x.parquet", b"", "x.parquet: cannot be read: Parquet file size is 0 bytes;"),
        (
            "x.csv",
            b"",
            "x.csv: its first line is empty; give a file that begins with the names of its columns",
        ),
        ("x.jsonl", b"", "x.jsonl: has no rows; give a dataset that has some"),
        ("x.jsonl", b"[1]\n", "x.jsonl:1: a row is a JSON object, not list"),
        ("x.jsonl", b'{"sex": \n', "x.jsonl:1: not JSON"),
        ("x.csv", "sex,age,occupation,zipcode\né,1,a,1\n".encode("latin-1"), "x.csv: is not UTF-8 text"),
        ("x.txt", b"x", "x.txt: unknown suffix '.txt'"),
        ("x.csv", b"sex,age\n", "x.csv: has no rows; give a dataset that has some"),
        (
            "x.csv",
            b"a,b\n1,2\n",
            "x.csv: none of its columns (a, b) has the name of something known of a person",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_other_file_is_named(
    personas: Personas, tmp_path: Path, file: str, content: bytes, said: str
) -> None:
    (tmp_path / file).write_bytes(content)
    code, out, err = personas("narrate", file)
    assert (code, out) == (2, "")
    assert said in err
    assert [item.name for item in tmp_path.iterdir()] == [file]


def test_list_column_is_no_uuid(personas: Personas, tmp_path: Path) -> None:
    nested("uuid").to_parquet(tmp_path / "x.parquet")
    code, _, err = personas("narrate", "x.parquet")
    assert code == 2
    assert "x.parquet: column 'uuid' holds [" in err


@pytest.mark.parametrize("name", ["occupation", "age"])
def test_a_column_of_objects_is_named(personas: Personas, tmp_path: Path, name: str) -> None:
    people(2).assign(**{name: [{"a": 1}] * 2}).to_parquet(tmp_path / "x.parquet")
    code, _, err = personas("narrate", "x.parquet")
    assert code == 2
    assert f"x.parquet: column '{name}' holds {{" in err


def test_empty_dataset_is_named(personas: Personas, tmp_path: Path) -> None:
    people().iloc[:0].to_parquet(tmp_path / "x.parquet")
    assert personas("narrate", "x.parquet")[2] == (
        "personas: x.parquet: has no rows; give a dataset that has some"
    )


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"age": 12}, "age_bounds: age:"),
        ({"age": 12, "occupation": None}, "impossible: facts: age 12: en_US has people from 18 to 100"),
    ],
    ids=str,
)
def test_senseless_row_is_rejected(
    personas: Personas, tmp_path: Path, cells: dict[str, Any], reason: str
) -> None:
    people(2).assign(**cells).to_parquet(tmp_path / "x.parquet")
    code, _, err = personas("narrate", "x.parquet", "-o", "run")
    assert code == 1
    assert "2 of 2 rows are missing (2 rejected" in err
    first = json.loads((tmp_path / "run/rejected/part-00000.jsonl").read_text().splitlines()[0])
    assert any(reason in why for why in first["reasons"]), first["reasons"]


@pytest.mark.parametrize("cell", ["old", 10**18, "²", True])
def test_unclear_value_is_named(personas: Personas, tmp_path: Path, cell: object) -> None:
    people(2).assign(age=cell).to_parquet(tmp_path / "x.parquet")
    code, _, err = personas("narrate", "x.parquet", "-o", "run")
    assert code == 2
    assert f"x.parquet: column 'age': 1 value in 2 rows means nothing known as age: '{cell}' (2 rows)" in err
    assert not (tmp_path / "run").exists()


def test_empty_row_is_drawn(personas: Personas, tmp_path: Path) -> None:
    people(2).assign(**dict.fromkeys(NEEDED)).to_parquet(tmp_path / "x.parquet")
    assert personas("narrate", "x.parquet", "-o", "run")[0] == 0


def test_non_numbers_are_drawn_instead(personas: Personas, tmp_path: Path) -> None:
    people(2).assign(openness="high", birth_year="x", row=-5).to_parquet(tmp_path / "x.parquet")
    assert personas("narrate", "x.parquet", "-o", "run", "--set", "output.schema=full")[0] == 0
    frame = pd.read_parquet(tmp_path / "run/personas")
    assert frame["openness"].between(20, 80).all()
    assert (frame["birth_year"] == 2024 - frame["age"]).all()
    assert (frame["row"] >= 0).all()


def test_rows_beyond_the_disk_are_refused(personas: Personas, tmp_path: Path) -> None:
    code, _, err = personas("sample", "-n", 10**12, "-o", "people.parquet")
    assert code == 2
    assert "people.parquet: 1000000000000 rows need at least 15,000 GB" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--where", '{"state": "ca"}'), "where.state: unknown value 'ca'; did you mean CA?"),
        (("--where", '{"state": "😀"}'), "where.state: unknown value '😀'; known: AL"),
        (("--where", '{"state": "\\ud83d"}'), "where.state is not UTF-8 text; write it in UTF-8"),
        (
            ("--where", '{"sex": "Male", "sex": "Female"}'),
            "--where: not valid JSON (key 'sex' is given twice)",
        ),
        (("--where", "[" * 10**5), "--where: not valid JSON (maximum recursion depth"),
        (("--where", f'{{"age": {"9" * 5000}}}'), "--where: not valid JSON (Exceeds the limit"),
        (("--where", '{"age": "' + "9" * 5000 + '"}'), "where.age: '9999"),
        (("--where", '{"sex": null}'), "where.sex has no value"),
        (("--target", '{"nope": "uniform"}'), "target.nope: unknown attribute 'nope'"),
        (("--quota", '{"sex": "absent.csv"}'), "absent.csv: no dataset there"),
        (("--set", "where." + ".".join("a" * 5000) + "=1"), "write it as section.key=value"),
        (("--set", "rows=" + "9" * 5000), "--set rows=9999"),
        (("--set", "seed=18446744073709551615"), "seed: input should be less than"),
        (("--seed", str(2**63)), "seed: input should be less than"),
        (("--set", "where={a: " + "[" * 900 + "]" * 900 + "}"), "nested more than 50 deep"),
        (("--set", "locale=\x01"), "not valid YAML"),
        (("-n", "10000000000000"), "rows: input should be less than or equal to 1000000000000"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_impossible_option_is_refused(personas: Personas, words: tuple[str, ...], said: str) -> None:
    code, out, err = personas("sample", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err) < 3000
