from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from released import UNITED_STATES

from census_personas.census_priors.priors import Priors
from census_personas.foundation.dataset_writer import frame_writer, kinds_of
from census_personas.foundation.schema import context_table
from census_personas.generator.cli.main import main
from census_personas.generator.report import validation_report
from census_personas.validators.validate_file import validate_files

ROWS = pd.DataFrame(
    {
        "uuid": [f"{row:032x}" for row in range(40)],
        "sex": ["Female", "Male"] * 20,
        "age": [17] + [30, 41, 52] * 13,
        "marital_status": "never_married",
        "education_level": "high_school",
        "occupation": "baker",
        "state": "MA",
        "city": "Cambridge",
        "zipcode": "02139",
        "persona": "Ana Wu bakes bread in the morning and reads <novels> with the neighbors in the evening.",
    }
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("parts")
    for number, part in enumerate((ROWS[:15], ROWS[15:])):
        part.to_parquet(folder / f"part-{number}.parquet")
    return sorted(folder.glob("*.parquet"))


def test_several_files_are_one_dataset(files: list[Path], tmp_path: Path) -> None:
    result = validate_files(files, Priors.load("en_US"), findings=tmp_path / "findings.parquet")
    assert (result["rows"], result["by_rule"]["age_bounds"]["error"]) == (40, 1)
    rows = pq.read_table(tmp_path / "findings.parquet")["row"].to_pylist()
    assert max(rows) == 39


def test_page_covers_records_and_dataset(files: list[Path], tmp_path: Path) -> None:
    priors = Priors.load("en_US")
    page = validation_report.page_of(tmp_path / "there", tmp_path / "people")
    numbers = validation_report.build_report(
        tmp_path / "people", files, priors, validate_files(files, priors)
    )
    validation_report.write(page, numbers)
    assert '<span style="color: #c0603f; font-weight: 600">Of 40 rows' in page.read_text(encoding="utf-8")
    read = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert read["validation"]["by_rule"]["age_bounds"]["error"] == 1
    assert read["guide"]["demographic_consistency"]["error"] >= 1
    assert read["measures"]["rows"] == 40
    assert read["measures"]["duplication"]["texts"]["persona"] == 39
    assert read["measures"]["vendi"]["score"] == pytest.approx(1.0)
    html = page.read_text(encoding="utf-8")
    assert "40 rows" in html
    assert "age bounds" in html
    assert "sex × education level" in html


def test_html_target_is_the_page_itself(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert (
        validation_report.page_of(tmp_path / "a" / "b.html", tmp_path / "people") == tmp_path / "a" / "b.html"
    )
    assert (
        validation_report.page_of(tmp_path / "c", tmp_path / "people") == tmp_path / "c" / "validation.html"
    )


def test_command_writes_files_and_fails_on_errors(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["personas", "validate", str(files[0]), "--report", str(tmp_path / "out"), "--json"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out)["rejected_rows"] == 1
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"validation.html", "validation.json", "findings.parquet"}


def test_own_rows_are_flagged_foreign_ones_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = ROWS[1:2].assign(age=18, marital_status="widowed", education_level="graduate")
    table = context_table("nemotron", kinds_of(odd), UNITED_STATES)
    for name in ("odd.parquet", "odd.csv"):
        with frame_writer(tmp_path / name, table, {}) as write:
            write(odd)
    seen = {}
    for words in (("odd.parquet",), ("odd.csv",), ("odd.csv", "--sampled")):
        monkeypatch.setattr(
            sys, "argv", ["personas", "validate", str(tmp_path / words[0]), "--json", *words[1:]]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        said = json.loads(capsys.readouterr().out)["by_rule"]["demographic_consistency"]
        seen[words] = (bool(ended.value.code), said["error"], bool(said["warning"]))
    assert seen == {
        ("odd.parquet",): (False, 0, True),
        ("odd.csv",): (True, 1, False),
        ("odd.csv", "--sampled"): (False, 0, True),
    }
