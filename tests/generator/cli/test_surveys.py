"""Survey files: planned, completed and narrated from the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Personas = Callable[..., tuple[int, str, str]]
SURVEYS = Path(__file__).parents[3] / "examples/surveys"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in SURVEYS.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "age", "sex"),
    [
        (("labels.csv", "--set", "input.key=respondent"), (34, 34), "Female"),
        (("codes.csv", "-c", "codes.yaml"), (44, 44), "Female"),
        (("bands.tsv",), (18, 24), "Female"),
        (("jobs.jsonl", "--set", "input.key=person"), (45, 45), "Female"),
        (("latin.csv", "-c", "latin.yaml"), (58, 58), "Male"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) and isinstance(value[0], str) else None,
)
def test_survey_is_completed_and_narrated(
    personas: Personas, words: tuple[str, ...], age: tuple[int, int], sex: str
) -> None:
    code, _, err = personas("narrate", *words, "-n", 1, "-o", "run", "--set", "output.schema=full")
    assert code == 0, err
    (person,) = pd.read_parquet("run/personas").to_dict("records")
    assert age[0] <= person["age"] <= age[1]
    assert person["sex"] == sex
    assert person["persona"]
    assert "last_name" in person["drawn"]
    assert "sex" not in person["drawn"]
    assert json.loads(Path("run/manifest.json").read_text())["drawn"]["last_name"] == 1
    keyed = "key" in person
    assert Path("run/keys.parquet").exists() == keyed
    if keyed:
        (key,) = pd.read_parquet("run/keys.parquet").to_dict("records")
        assert key == {"input_row": 0, "uuid": person["uuid"], "key": person["key"]}


def test_plan_shows_open_values(personas: Personas) -> None:
    code, out, _ = personas("narrate", "codes.csv", "--plan")
    assert code == 1
    assert "left over: '2' (3 rows), '1' (2 rows)" in out
    assert "'16': bachelors" in out
    assert not Path("runs").exists()
    code, out, _ = personas("narrate", "codes.csv", "-c", "codes.yaml", "--plan", "--json")
    plan = json.loads(out)
    assert code == 0
    assert plan["columns"]["EDUC"]["values"]["16"] == ["bachelors", "graduate"]
    assert [person["age"] for person in plan["people"]] == [44, 67, 29]


def test_impossible_people_are_rejected(personas: Personas) -> None:
    Path("x.csv").write_text("age,sex,state,education\n18-19,f,OH,PhD\n40,m,OH,PhD\n12,m,OH,\n")
    code, _, _ = personas("narrate", "x.csv", "-o", "run")
    assert code == 1
    lines = Path("run/rejected/part-00000.jsonl").read_text().splitlines()
    assert [json.loads(line)["reasons"] for line in lines] == [
        ["impossible: facts: nobody in en_US has age 18-19 and education_level graduate"],
        ["impossible: facts: age 12: en_US has people from 18 to 100"],
    ]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("a,b\n1,2\n", ("input.columns={x: age}",), "x.csv has no column 'x'; its columns are a, b"),
        ("a,b\n1,2\n", ("input.columns={a: agee}",), "has no attribute 'agee'; it has age"),
        ("a,b\n1,2\n", ("input.columns={a: age, b: age}",), "'a' and 'b' are both mapped to 'age'"),
        ("Age,AGE\n1,2\n", (), "columns 'Age' and 'AGE' both look like age"),
        ("age,sex\n30,x\n31,x\n32,y\n", (), "'sex': 2 values in 3 rows mean nothing known as sex: 'x' (2 rows)"),
        ("age,sex\n30,f\n", ("input.values={sex: {f: Femal}}",), "'Femal' is no state of sex; write one such as Fe"),
        ("age,id\n30,1\n31,1\n", ("input.key=id",), "'id' does not name each row once: '1' (2 rows)"),
        ("age,id\n30,1\n31,\n", ("input.key=id",), "key 'id' is empty in 1 row"),
        ("age,id\n30,1\n", ("input.key=k",), "input.key: x.csv has no column 'k'"),
        ("age,sex,country\n30,f,日本\n", (), "says '日本' (1 row), and locale en_US is of USA"),
        ("age,sex,state\n30,f,Bavaria\n", (), "none is of en_US: is it a dataset of another country"),
    ],
)  # fmt: skip
def test_unusable_mapping_is_refused(
    personas: Personas, one_line: Callable[[str], str], content: str, options: tuple[str, ...], said: str
) -> None:
    Path("x.csv").write_text(content)
    settings = [word for option in options for word in ("--set", option)]
    code, out, err = personas("narrate", "x.csv", "-o", "run", *settings)
    assert (code, out) == (2, "")
    assert said in one_line(err)
    assert not Path("run").exists()


def test_another_mapping_is_another_run(personas: Personas) -> None:
    Path("x.csv").write_text("age,sex,state,a\n30,f,OH,1\n")
    words = ("narrate", "x.csv", "-o", "run", "--set", "input.values={a: {'1': married_present}}")
    assert personas(*words, "--set", "input.columns={a: marital_status}")[0] == 0
    assert personas(*words, "--set", "input.columns={a: marital_status}")[0] == 0
    code, _, err = personas("narrate", "x.csv", "-o", "run")
    assert code == 2
    assert "digests.input" in err


def test_report_counts_drawn_facts(personas: Personas) -> None:
    Path("x.csv").write_text("age,sex,state,education\n34,f,OH,\n18,m,OH,PhD\n50,m,TX,PhD\n")
    assert personas("narrate", "x.csv", "-o", "run", "--set", "output.formats=[parquet, csv, jsonl]")[0] == 1
    completed = json.loads(Path("run/report.json").read_text())["completed"]
    assert completed["impossible"] == 1
    assert completed["drawn"] == json.loads(Path("run/manifest.json").read_text())["drawn"]
    assert (completed["drawn"]["education_level"], completed["drawn"]["last_name"]) == (1, 2)
    assert "age" not in completed["drawn"]
    card = Path("run/README.md").read_text()
    assert "disability status 2, education level 1, ethnicity 2," in card
    assert "Rows rejected because nobody can have their facts: 1." in card
    page = Path("run/report.html").read_text()
    assert '<tr><td>education level</td><td class="n">1</td></tr>' in page
    assert "1 row with impossible facts rejected." in page
    people = pd.read_parquet("run/personas").astype(str)
    csv = pd.read_csv("run/csv/part-00000.csv", dtype=str, keep_default_na=False)
    jsonl = [json.loads(line) for line in Path("run/jsonl/part-00000.jsonl").read_text().splitlines()]
    assert csv[["uuid", "age", "persona"]].equals(people[["uuid", "age", "persona"]])
    assert [[person["uuid"], person["age"], person["state"]] for person in jsonl] == [
        [uuid, age, state] for uuid, age, state in zip(people["uuid"], [34, 50], ["OH", "TX"], strict=True)
    ]


def test_other_words_get_no_false_suggestion(personas: Personas) -> None:
    Path("x.csv").write_bytes(
        "Alter;What is your sex?;Which state do you live in?;Marital/relationship status;race;educ;Gewicht\n"
        "34,0;[1] Male;Fla.;Divorced or separated;White or Caucasian;LT High-school;1,5\n"
        '61,5;.r;"Washington, D.C.";Single (never married);Asian or Pacific Islander;Größe;0,8\n'.encode(
            "latin-1"
        )
    )
    assert "input.encoding: latin-1" in personas("narrate", "x.csv", "--plan")[2]
    words = ("narrate", "x.csv", "--plan", "--json", "--set", "input.encoding=latin-1")
    code, out, _ = personas(*words, "--set", "input.columns={Alter: age}")
    plan = json.loads(out)
    assert code == 1
    assert {name: list(column["values"].values()) for name, column in plan["columns"].items()} == {
        "Alter": [61],
        "What is your sex?": ["Male", None],
        "Which state do you live in?": ["FL", "DC"],
        "Marital/relationship status": [["divorced", "separated"], "never_married"],
        "race": ["white", ["asian", "pacific_islander"]],
        "educ": [["less_than_9th", "9th_12th_no_diploma"]],
    }
    assert plan["input"]["values"]["education_level"]["Größe"] is None


def test_birth_years_follow_the_config(personas: Personas) -> None:
    Path("x.csv").write_text("age,sex\n1979,f\n1990,m\n")
    code, _, err = personas("complete", "x.csv", "-o", "y.csv")
    assert code == 2
    assert "if they are years of birth: input.columns: {age: birth_year}" in err
    Path("x.yaml").write_text("name: x\ninput: {file: x.csv, columns: {age: birth_year}}\n")
    assert personas("complete", "x.csv", "-c", "x.yaml", "-o", "y.csv")[0] == 0
    assert pd.read_csv("y.csv")["birth_year"].tolist() == [1979, 1990]


def test_words_of_a_header_are_a_hint_alone(personas: Personas) -> None:
    Path("x.csv").write_text("sex,How old: age at wave 2,number of children\nf,34,1\nm,12,2\n")
    code, out, _ = personas("narrate", "x.csv", "--plan")
    assert code == 0
    assert "How old: age at wave 2: not read; may hold age\n" in out
    assert "number of children: not read\n" in out


def test_impossible_birth_years_are_unclear(personas: Personas) -> None:
    Path("x.csv").write_text("yob,sex\n1979,f\n999,f\n9999,m\n999,m\n0,f\n-1,f\n2031,f\nRefused,m\n79,f\n")
    code, out, _ = personas("narrate", "x.csv", "--plan")
    assert code == 1
    assert "left over: '999' (2 rows), '9999' (1 row), '0' (1 row), …" in out
    assert "column 'yob': 5 values in 6 rows mean nothing known as age: '999' (2 rows)" in out
    assert "say what they mean under input.values.age (null: not known" in out
    assert "'-1' -> not known (1 row)" in out
    assert "'Refused' -> not known (1 row)" in out
    code, _, err = personas("complete", "x.csv", "-o", "y.csv", "--locale", "en_US")
    assert code == 2
    assert "mean nothing known as age: '999' (2 rows)" in err
    values = "{'999': null, '9999': null, '0': null, '2031': null, '79': 45}"
    code, out, _ = personas("narrate", "x.csv", "--plan", "--set", f"input.values={{yob: {values}}}")
    assert code == 0
    assert "drawn for some: age (7 rows)" in out


def test_unknowns_are_read_in_every_column(personas: Personas) -> None:
    codes = ("-1", "-9", ".a", "NA", "N/A", "Refused", "Don't know", "Don’t know", "DK/NA")
    names = ("age", "sex", "state", "education", "marital status", "race", "occupation", "zip", "income")
    Path("x.csv").write_text("\n".join([",".join(names), *(",".join([code] * len(names)) for code in codes)]))
    Path("y.csv").write_text("\n".join(["yob", *codes]))
    for file, columns in (("x.csv", len(names)), ("y.csv", 1)):
        status, out, _ = personas("narrate", file, "--plan")
        assert status == 0, out
        for code in codes:
            assert out.count(f"{code!r} -> not known (1 row)") == columns


def test_possible_codes_are_asked_about(personas: Personas) -> None:
    codes = ("8", "9", "98", "99", "998", "999")
    names = ("sex", "state", "marital status", "race", "income")
    rows = (",".join([code] * len(names)) for code in codes)
    Path("x.csv").write_text("\n".join([",".join(names), *rows]))
    status, out, _ = personas("narrate", "x.csv", "--plan")
    assert status == 1
    assert out.count("left over: '8' (1 row), '9' (1 row), '98' (1 row), …") == len(names)
    assert out.count("(null: not known; '*': all others)") == len(names)
    assert all(out.count(f"      '{code}': null\n") == len(names) for code in codes)


def test_ages_that_may_be_codes_are_remarked_on(personas: Personas) -> None:
    Path("x.csv").write_text("age,sex\n34,f\n8,f\n0,m\n99,f\n98,f\n12-15,m\n998,f\n")
    status, out, _ = personas("narrate", "x.csv", "--plan")
    assert status == 1
    assert (
        "outside 18 to 100: '8' (1 row), '0' (1 row), '12-15' (1 row); rejected unless input.values.age says"
        in out
    )
    assert (
        "'99' (1 row), '98' (1 row): an age, or a code for not known? then input.values.age: {'98': null}"
        in out
    )
    assert "left over: '998' (1 row)" in out
    said = "input.values={age: {'8': null, '0': null, '99': null, '98': 98, '998': null, '12-15': null}}"
    status, out, _ = personas("narrate", "x.csv", "--plan", "--set", said)
    assert status == 0
    assert "outside" not in out
    assert "an age, or" not in out


def test_plan_explains_unclear_cells(personas: Personas) -> None:
    Path("x.csv").write_text("age,sex\n30,f\n31,m\n32,9\n")
    code, out, _ = personas("complete", "x.csv", "--plan")
    assert code == 0
    assert (
        "left over: '9' (1 row)\n    rows with these are set aside; say what they mean under input.values.sex"
        in out
    )


def test_a_code_for_unknown_is_no_job(personas: Personas) -> None:
    Path("x.csv").write_text("age,sex,occupation\n30,f,9999\n31,m,dragon tamer\n")
    code, out, _ = personas("narrate", "x.csv", "--plan", "--json")
    assert code == 0
    first, second = json.loads(out)["people"]
    assert "labor_force_status" in first["drawn"]
    assert "labor_force_status" not in second["drawn"]


def test_missing_schooling_is_completed(personas: Personas) -> None:
    Path("x.csv").write_text("age,sex,occupation,zip\n34,f,Registered nurse,43147\n71,m,none,43147\n")
    code, _, err = personas("narrate", "x.csv", "-o", "run", "--set", "output.schema=full")
    assert code == 0, err
    assert "x.csv: has no marital_status, education_level: drawn given what is known" in err
    nurse, idle = pd.read_parquet("run/personas").to_dict("records")
    assert {"marital_status", "education_level"} <= {*nurse["drawn"]}
    assert (nurse["occupation"], nurse["zipcode"]) == ("registered_nurse", "43147")
    assert idle["occupation"] in {"not_in_workforce", "no_occupation"}


def test_plan_names_every_fact_that_is_drawn(personas: Personas) -> None:
    for words in (("labels.csv",), ("bands.tsv",), ("jobs.jsonl",), ("codes.csv", "-c", "codes.yaml")):
        plan = json.loads(personas("narrate", *words, "--plan", "--json")[1])
        named = {*plan["drawn"], *plan["drawn_for_some"]}
        assert {"first_name", "last_name", "openness"} <= named
        for person in plan["people"]:
            assert {*person["drawn"]} <= named


def test_suggested_config_reads_like_the_plan(personas: Personas) -> None:
    Path("x.csv").write_text(
        "Jahrgang,Weight,Employment status,Language,edu,REGION\n"
        '1979,"1,02","Unemployed, looking for work",Chinese,Less than high school,Pacific\n'
        '1990,"0,8",Retired,French,Graduate,New England\n'
    )
    words = ("narrate", "x.csv", "--plan", "--json", "--set", "input.columns={Jahrgang: birth_year}")
    plan = json.loads(personas(*words)[1])
    assert plan["suggestions"] == {"REGION": "division"}
    assert plan["input"]["columns"]["Jahrgang"] == "birth_year"
    assert "age" not in plan["input"]["values"]
    assert [[*column["values"].values()] for column in plan["columns"].values()] == [
        [45, 34],
        ["unemployed", "not_in_workforce"],
        ["asian_pacific", "other_indo_european"],
        [["less_than_9th", "9th_12th_no_diploma"], "graduate"],
    ]
    Path("x.yaml").write_text(json.dumps({"name": "x", "input": plan["input"]}))
    again = json.loads(personas("narrate", "x.csv", "-c", "x.yaml", "--plan", "--json")[1])
    assert again["people"] == plan["people"]


def test_a_name_that_says_unknown_is_drawn(personas: Personas) -> None:
    names = ("NA", "N/A", "Refused", "Don't know", "-9", "999", "Na", "Blank", "Null")
    # 77 is a code among names, and a score among traits.
    Path("x.csv").write_text(
        "\n".join(["age,sex,last_name,openness", *(f"34,f,{name},77" for name in names)])
    )
    assert personas("complete", "x.csv", "-o", "y.jsonl")[0] == 0
    people = pd.read_json("y.jsonl", lines=True, dtype={"last_name": str}).to_dict("records")
    assert ["last_name" in person["drawn"] for person in people] == [True] * 6 + [False] * 3
    assert [person["last_name"] for person in people[6:]] == ["Na", "Blank", "Null"]
    assert {person["openness"] for person in people} == {77}
