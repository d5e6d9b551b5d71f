"""PUMS: person and housing records in every form that the Census Bureau publishes them in."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shipped

from census_personas.census_priors.build.en_US.pums import person_files, read_records
from census_personas.census_priors.build.source import SourceError

PERSONS = """SERIALNO,STATE,PWGTP,AGEP,SEX,RAC1P,HISP,CIT,ESR,OCCP,SCHL,FOD1P,MAR,LANX
2024HU01,36,10,40,1,1,1,1,1,3255,21,6107,1,2
2024HU01,36,12,38,2,1,2,4,6,,16,,1,1
2024HU01,36,9,16,2,1,2,1,3,,12,,5,1
2024GQ02,36,5,97,2,6,1,4,6,,16,,2,2
"""
HOUSING = """SERIALNO,HHT,HHL,TYPEHUGQ
2024HU01,1,2,1
2024GQ02,,,3
"""
ATTRIBUTES = (
    "state",
    "age",
    "sex",
    "ethnicity",
    "education",
    "occupation",
    "household_type",
    "language_at_home",
)
PRIORS = shipped.united_states()


def write(folder: Path, form: str, persons: str = PERSONS, housing: str = HOUSING) -> Path:
    """The two files in one of the published forms; returns the folder."""
    for name, text in (("p", persons), ("h", housing)):
        if form == "zip":
            with zipfile.ZipFile(folder / f"csv_{name}ny.zip", "w") as archive:
                archive.writestr(f"psam_{name}36.csv", text)
                archive.writestr("ACS2024_PUMS_README.pdf", "not a table")
        elif form == "parquet":
            pd.read_csv(io.StringIO(text)).to_parquet(folder / f"psam_{name}36.parquet")
        else:
            (folder / f"psam_{name}36.csv").write_text(text)
    return folder


def labels(place: Path) -> dict[str, list[object]]:
    records = read_records(place, PRIORS, ATTRIBUTES)
    return {
        name: [PRIORS.domain[name][code] if code >= 0 else None for code in codes]
        for name, codes in records.codes.items()
    }


@pytest.mark.parametrize("form", ["csv", "zip", "parquet"])
def test_all_forms_read_the_same(tmp_path: Path, form: str) -> None:
    found = labels(write(tmp_path, form))
    assert found["state"] == ["NY", "NY", "NY"]
    assert found["age"] == [40, 38, 97]
    assert found["ethnicity"] == ["white", "hispanic", "asian"]
    assert found["education"] == ["bachelors-stem_related", "high_school", "high_school"]
    assert found["occupation"] == ["registered_nurse", "not_in_workforce", "not_in_workforce"]
    assert found["household_type"] == ["married_couple", "married_couple", "group_quarters"]
    assert found["language_at_home"] == ["english", "spanish", "english"]


def test_housing_may_be_separate(tmp_path: Path) -> None:
    (tmp_path / "persons").mkdir()
    (tmp_path / "housing").mkdir()
    (tmp_path / "persons" / "psam_p36.csv").write_text(PERSONS)
    (tmp_path / "housing" / "psam_h36.csv").write_text(HOUSING)
    assert labels(tmp_path)["household_type"][0] == "married_couple"


def test_no_housing_no_household(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "psam_p36.csv").write_text(PERSONS)
    found = labels(tmp_path)
    assert found["household_type"] == [None, None, None]
    assert found["language_at_home"] == ["english", None, "english"]
    assert "no housing file beside it" in caplog.text


def test_minors_are_counted_and_left_out(tmp_path: Path) -> None:
    records = read_records(write(tmp_path, "csv"), PRIORS, ATTRIBUTES)
    assert len(records) == 3
    assert records.minors.to_dict("records") == [
        {
            "state": "NY",
            "ethnicity": "hispanic",
            "labor_force_status": "unemployed",
            "weight": 9.0,
            "samples": 1,
        }
    ]


def test_only_chosen_households_are_read(tmp_path: Path) -> None:
    write(tmp_path, "csv")
    records = read_records(
        tmp_path, PRIORS, ATTRIBUTES, lambda serials: np.asarray(serials.str.contains("GQ"), dtype=bool)
    )
    assert records.weight.tolist() == [5]
    assert len(records.minors) == 0


def test_state_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "csv")
    write(tmp_path, "zip")
    with pytest.raises(
        SourceError, match=r"csv_pny.zip: has people of NY, and so has psam_p36.csv; remove one"
    ):
        read_records(tmp_path, PRIORS, ATTRIBUTES)


def test_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no PUMS person file there \(psam_p\*.parquet"):
        person_files(tmp_path)


@pytest.mark.parametrize("column", ["SERIALNO", "PWGTP", "AGEP", "SEX", "STATE", "SCHL", "HISP"])
def test_missing_column_is_named(tmp_path: Path, column: str) -> None:
    frame = pd.read_csv(io.StringIO(PERSONS)).drop(columns=column)
    (tmp_path / "psam_p36.csv").write_text(frame.to_csv(index=False))
    with pytest.raises(SourceError, match=rf"psam_p36.csv: column {column} is missing"):
        read_records(tmp_path, PRIORS, ATTRIBUTES)


def test_damaged_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "csv_pny.zip").write_bytes(b"PK no archive")
    with pytest.raises(SourceError, match=r"csv_pny.zip: not a readable PUMS file"):
        read_records(tmp_path, PRIORS, ATTRIBUTES)


def test_unknown_state_code_is_named(tmp_path: Path) -> None:
    (tmp_path / "psam_p99.csv").write_text(PERSONS.replace(",36,", ",99,"))
    with pytest.raises(SourceError, match=r"psam_p99.csv: state recodes to 'code 99'"):
        read_records(tmp_path, PRIORS, ATTRIBUTES)


def test_unknown_code_is_named(tmp_path: Path) -> None:
    (tmp_path / "psam_p36.csv").write_text(PERSONS.replace(",21,6107,", ",99,6107,"))
    with pytest.raises(SourceError, match=r"psam_p36.csv: SCHL=99 of SERIALNO 2024HU01; .* has 1 to 24"):
        read_records(tmp_path, PRIORS, ATTRIBUTES)


def test_file_without_persons_is_named(tmp_path: Path) -> None:
    (tmp_path / "psam_p36.csv").write_text(PERSONS.splitlines()[0] + "\n")
    with pytest.raises(SourceError, match=r"psam_p36.csv: contains no person"):
        read_records(tmp_path, PRIORS, ATTRIBUTES)


@pytest.mark.parametrize(
    ("housing", "said"),
    [
        ("SERIALNO,HHT,TYPEHUGQ\n2024HU01,1,1\n", "column HHL is missing"),
        (HOUSING + "2024HU01,1,2,1\n", "duplicate SERIALNO 2024HU01"),
        ("", "not a readable PUMS file"),
    ],
)
def test_invalid_housing_file_is_named(tmp_path: Path, housing: str, said: str) -> None:
    with pytest.raises(SourceError, match=rf"psam_h36.csv: {said}"):
        read_records(write(tmp_path, "csv", housing=housing), PRIORS, ATTRIBUTES)


def test_unknown_household_type_is_named(tmp_path: Path) -> None:
    housing = HOUSING.replace("2024HU01,1,", "2024HU01,8,")
    with pytest.raises(SourceError, match=r"HHT=8.0 of SERIALNO 2024HU01 .*has 1 to 7"):
        read_records(write(tmp_path, "csv", housing=housing), PRIORS, ATTRIBUTES)


def test_housing_is_read_only_if_needed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "psam_p36.csv").write_text(PERSONS)
    assert len(read_records(tmp_path, PRIORS, ("state", "age"))) == 3
    assert "no housing file" not in caplog.text
