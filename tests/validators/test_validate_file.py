from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.record_reader import read_records
from census_personas.foundation.user_path import DestinationError
from census_personas.validators.finding import Finding
from census_personas.validators.findings_writer import FindingsWriter, WriterError
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.validate_file import validate_files

pytestmark = pytest.mark.quick


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_every_kind_of_file_gives_the_same_counts(
    tmp_path: Path, suffix: str, good: dict[str, Any], reference: RuleContext
) -> None:
    rows = [good, {**good, "sex": "Male"}, {**good, "zipcode": "2139", "city": "Cambridge", "state": "MA"}]
    result = validate_files([_write(tmp_path / f"rows{suffix}", rows)], reference)
    assert (result["rows"], result["rejected_rows"]) == (3, 2)
    assert result["by_rule"]["pronouns"] == {"error": 1, "warning": 0, "not_judged": 0}
    assert result["by_rule"]["zip_leading_zero"] == {"error": 0, "warning": 1, "not_judged": 0}


def test_findings_name_their_row(tmp_path: Path, good: dict[str, Any], reference: RuleContext) -> None:
    file = _write(tmp_path / "rows.jsonl", [good, {**good, "sex": "Male"}])
    for name in ("findings.parquet", "findings.jsonl"):
        validate_files([file], reference, findings=tmp_path / name)
    table = pq.read_table(tmp_path / "findings.parquet").to_pylist()
    lines = [
        json.loads(line) for line in (tmp_path / "findings.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert table == lines
    assert {row["row"] for row in table if row["code"] == "pronouns"} == {1}
    assert {row["uuid"] for row in table} == {good["uuid"]}


def test_a_policy_counts_only_the_rules_that_run(
    tmp_path: Path, good: dict[str, Any], reference: RuleContext
) -> None:
    file = _write(tmp_path / "rows.jsonl", [{**good, "sex": "Male"}])
    result = validate_files([file], reference, policy={"pronouns": "off"})
    assert "pronouns" not in result["by_rule"]
    assert result["rejected_rows"] == 0


def test_repeated_uuids_are_counted(tmp_path: Path, good: dict[str, Any], reference: RuleContext) -> None:
    rows = [good, {**good, "uuid": good["uuid"][::-1]}, good, good, {**good, "uuid": None}]
    assert validate_files([_write(tmp_path / "rows.jsonl", rows)], reference)["repeated_uuids"] == 2


def test_uuids_repeated_in_another_file_are_counted(
    tmp_path: Path, good: dict[str, Any], reference: RuleContext
) -> None:
    parts = [
        _write(tmp_path / "part-00000.jsonl", [good]),
        _write(tmp_path / "part-00001.jsonl", [{**good, "uuid": good["uuid"][::-1]}, good]),
    ]
    assert validate_files(parts, reference)["repeated_uuids"] == 1


def test_missing_columns_are_named(tmp_path: Path, good: dict[str, Any], reference: RuleContext) -> None:
    placeless = {name: value for name, value in good.items() if name not in {"state", "zipcode"}}
    result = validate_files([_write(tmp_path / "rows.jsonl", [placeless, placeless])], reference)
    assert result["missing_columns"] == ["state", "zipcode"]
    mixed = _write(tmp_path / "mixed.jsonl", [placeless, good])
    assert validate_files([mixed], reference)["missing_columns"] == []


def test_unfit_rules_say_so_once(tmp_path: Path, good: dict[str, Any]) -> None:
    islands = RuleContext(Priors.load(Path(__file__).parents[2] / "examples/puerto_rico"), language="es")
    result = validate_files([_write(tmp_path / "rows.jsonl", [good] * 3)], islands)
    assert result["not_judged"]["pronouns"] == "reads texts in en, not in es"
    assert result["not_judged"]["zip_leading_zero"] == "no attribute of the locale plays the role postcode"
    assert "repetition" not in result["not_judged"]
    assert not set(result["not_judged"]) & set(result["by_rule"])


def test_the_limit_is_kept(tmp_path: Path, good: dict[str, Any], reference: RuleContext) -> None:
    assert validate_files([_write(tmp_path / "rows.jsonl", [good] * 3)], reference, limit=2)["rows"] == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.xlsx", b"", r"unknown file type '.xlsx'; known: .parquet, .jsonl, .csv"),
        ("rows.jsonl", b'{"age": 3}\n{"age"', r"rows.jsonl:2: not JSON"),
        ("rows.jsonl", b"[1]\n", r"rows.jsonl:1: a row is a JSON object, not list"),
        ("rows.jsonl", b'{"price": 3}\n', r"none of its columns \(price\) is of the persona schema"),
        ("rows.parquet", b"no parquet", r"rows.parquet: cannot be read"),
        (
            "rows.csv",
            b"\xff\xfe\x00",
            r"rows.csv: is not UTF-8 text \(invalid start byte in it\); save it as",
        ),
        ("rows.csv", b"sex,age,sex\nMale,30,Male\n", r"rows.csv: duplicate column 'sex'; rename one"),
    ],
)
def test_unreadable_file_says_why(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        list(read_records(tmp_path / name))


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        list(read_records(tmp_path / "none.parquet"))


def test_no_findings_file_is_left_after_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with FindingsWriter(tmp_path / "findings.jsonl") as writer:
            writer.write(0, "", (Finding("unicode", "error", "persona", "wrong"),))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_findings_are_parquet_or_jsonl(tmp_path: Path) -> None:
    with pytest.raises(WriterError, match=r"written as .parquet or .jsonl, not '.csv'"):
        FindingsWriter(tmp_path / "findings.csv")


def test_findings_need_a_place(tmp_path: Path, good: dict[str, Any], reference: RuleContext) -> None:
    rows = _write(tmp_path / "rows.jsonl", [good])
    (tmp_path / "file").write_text("")
    with pytest.raises(
        WriterError, match=r"file/findings.jsonl: findings cannot be written \(.*\); name a file"
    ):
        validate_files([rows], reference, findings=tmp_path / "file" / "findings.jsonl")
    before = rows.read_bytes()
    with pytest.raises(WriterError, match=r"rows.jsonl: is what the findings are about; name another file"):
        validate_files([rows], reference, findings=tmp_path / "file" / ".." / "rows.jsonl")
    assert rows.read_bytes() == before
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(DestinationError, match="is a folder, not a file; move it away, or name another"):
        FindingsWriter(tmp_path / "folder.parquet")


def test_two_writers_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "findings.jsonl"
    other = (
        "import sys; from pathlib import Path; from census_personas.validators.findings_writer import FindingsWriter\n"
        "with FindingsWriter(Path(sys.argv[1])): pass"
    )
    with FindingsWriter(path) as writer:
        subprocess.run([sys.executable, "-c", other, str(path)], check=True)
        assert path.read_text(encoding="utf-8") == ""
        writer.write(0, "u", (Finding("unicode", "error", "persona", "wrong"),))
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["findings.jsonl", "f[i]ndings.parquet"])
def test_half_written_files_are_cleared_away(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    killed = (
        "import os, signal, sys; from pathlib import Path\n"
        "from census_personas.validators.findings_writer import FindingsWriter\n"
        "with FindingsWriter(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    assert [left.suffix for left in tmp_path.iterdir()] == [".partial"]
    with FindingsWriter(path):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == [path]
