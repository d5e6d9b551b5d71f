"""Names builder: spelling, rounding, the sex of unknown names, and the population behind them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.build.en_US.name_counts import (
    build_names,
    population,
    significant,
    suffix_share,
)
from census_personas.census_priors.build.en_US.pums import read_records
from census_personas.census_priors.build.en_US.spelling import accents, surname
from census_personas.census_priors.build.source import SourceError
from census_personas.census_priors.priors import Priors


@pytest.mark.parametrize(
    ("printed", "written"),
    [
        ("SMITH", "Smith"),
        ("MCDONALD", "McDonald"),
        ("MCGEE", "McGee"),
        ("MCAB", "Mcab"),
        ("MACDONALD", "MacDonald"),
        ("MACIAS", "Macias"),
        ("MACK", "Mack"),
        ("OBRIEN", "O'Brien"),
        ("OLSON", "Olson"),
        ("OAKLEY", "Oakley"),
        ("DANGELO", "D'Angelo"),
        ("DANIELS", "Daniels"),
        ("DELACRUZ", "De La Cruz"),
        ("DELOSSANTOS", "De Los Santos"),
        ("DELRIO", "Del Rio"),
        ("DELEON", "De Leon"),
        ("DELUCA", "Deluca"),
        ("STJOHN", "St. John"),
        ("STEIN", "Stein"),
        ("VANDYKE", "Van Dyke"),
        ("VANCE", "Vance"),
        ("NULL", "Null"),
        ("TRUE", "True"),
    ],
)
def test_surnames_are_spelled_as_usual(printed: str, written: str) -> None:
    assert surname(printed) == written


def test_accents_change_marks_only() -> None:
    table = accents()
    assert table["Jose"] == "José"
    for plain, accented in table.items():
        assert plain != accented
        assert accented.translate(str.maketrans("áéíóúÁÉÍÓÚüñ", "aeiouAEIOUun")) == plain


def test_counts_keep_three_digits() -> None:
    counts = np.array([0, 7, 999, 1004, 123_456, 2_442_977])
    assert significant(counts).tolist() == [0, 7, 999, 1000, 123_000, 2_440_000]


def test_endings_decide_unknown_sexes() -> None:
    known = pd.Series(["Anna", "Maria", "Lucia", "Sofia", "Marco", "Pedro", "Paulo", "Mario"])
    share = pd.Series([1.0] * 4 + [0.0] * 4)
    judged = suffix_share(share, known, pd.Series(["Zenobia", "Eutimio", "Xyz"]))
    assert judged[0] > 0.75
    assert judged[1] < 0.25
    assert judged[2] == pytest.approx(0.5)


PERSONS = """SERIALNO,STATE,PWGTP,AGEP,SEX,RAC1P,HISP,CIT,SCHL
1,6,10,34,1,1,2,1,16
2,6,20,30,2,7,1,1,16
3,36,7,34,1,1,1,2,16
"""


def test_names_count_the_us_born(tmp_path: Path) -> None:
    (tmp_path / "psam_p06.csv").write_text(PERSONS)
    priors = Priors.load("en_US")
    counts = population(read_records(tmp_path, priors, ("state", "age", "ethnicity", "birthplace")), priors)
    assert counts["hispanic"].max() == 10
    assert counts["asian"].max() == 20
    assert counts["white"].max() == 0


def test_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "psam_p06.csv").write_text(PERSONS)
    priors = Priors.load("en_US")
    records = read_records(tmp_path, priors, ("state", "age", "ethnicity", "birthplace"))
    with pytest.raises(SourceError, match=r"census2010_surname_counts.parquet: no such file"):
        build_names(tmp_path, records, priors, tmp_path)
