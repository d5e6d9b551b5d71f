"""Tabulation, ACS tables and top codes: from records and published cells to tables of every area."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shipped

from census_personas.census_priors.build.area_tables import ModelledArea, Tabulation
from census_personas.census_priors.build.en_US.acs_table import AcsTable
from census_personas.census_priors.build.en_US.ages import TopCode, spread_top_codes, top_codes
from census_personas.census_priors.build.records import Records
from census_personas.census_priors.build.source import SourceError
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import Marginal

PRIORS = shipped.united_states()
LEGEND = """VARIABLE,TYPE,LABEL,GROUP
B12002_001E,int,Estimate!!Total,B12002
B12002_002E,int,Estimate!!Total!!Male,B12002
B12002_003E,int,Estimate!!Total!!Male!!Never married,B12002
B12002_004E,int,Estimate!!Total!!Male!!Never married!!18 and 19 years,B12002
B12002_005E,int,Estimate!!Total!!Male!!Never married!!20 to 24 years,B12002
B12002_006E,int,Estimate!!Total!!Female!!Widowed!!85 years and over,B12002
B12002_006M,int,Margin of Error!!Total!!Female!!Widowed!!85 years and over,B12002
"""
DATA = """GEO_ID,B12002_001E,B12002_002E,B12002_003E,B12002_004E,B12002_005E,B12002_006E,B12002_006M
0400000US06,100,60,60,20,40,30,5
0400000US72,10,6,6,2,4,3,1
"""
WORDS = {"never_married": ("Never married",), "widowed": ("Widowed",)}


@pytest.fixture
def published(tmp_path: Path) -> AcsTable:
    for folder, name, text in (("us", "LEGEND", LEGEND), ("bystate", "DATA", DATA)):
        (tmp_path / folder).mkdir()
        with gzip.open(tmp_path / folder / f"B12002_{name}.csv.gz", "wt") as stream:
            stream.write(text)
    return AcsTable.read(tmp_path, "B12002")


def test_published_table_is_tallied(published: AcsTable) -> None:
    found = published.tally(WORDS)
    assert found.columns.to_list() == [
        ("Male", 18, 19, "never_married"),
        ("Male", 20, 24, "never_married"),
        ("Female", 85, 200, "widowed"),
    ]
    assert found.loc["CA"].tolist() == [20, 40, 30]
    assert found.loc["PR"].tolist() == [2, 4, 3]


def test_subtotal_is_read_by_label(published: AcsTable) -> None:
    found = published.by_label({"Never married": "single"})
    assert found.loc["CA"].to_dict() == {("Male", "single"): 60}


def test_missing_published_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"B23001_DATA.csv.gz: missing; the detailed ACS table B23001"):
        AcsTable.read(tmp_path, "B23001")


def records(states: list[str], marital: list[str], weights: list[float]) -> Records:
    codes = {
        "state": np.array([PRIORS.domain.code("state", state) for state in states], dtype=np.int16),
        "sex": np.zeros(len(states), dtype=np.int16),
        "marital_status": np.array(
            [PRIORS.domain.code("marital_status", m) if m else -1 for m in marital], dtype=np.int16
        ),
    }
    return Records(codes, np.array(weights))


DIRECT = records(["NY", "NY", "CA"], ["widowed", "divorced", ""], [3.0, 5.0, 10.0])
DONORS = records(["NY", "NY"], ["widowed", "divorced"], [3.0, 5.0])
TABULATION = Tabulation(
    PRIORS, DIRECT, {"CA": ModelledArea(DONORS, np.array([4.0, 6.0]), ("marital_status",))}
)


def cell(marginal: Marginal, **states: str) -> tuple[float, float]:
    index = tuple(marginal.domain.code(name, states[name]) for name in marginal.domain)
    assert marginal.samples is not None
    return float(marginal.weights[index]), float(marginal.samples[index])


def test_modelled_areas_have_no_persons() -> None:
    table = TABULATION.count(("state", "marital_status"), "a test")
    assert cell(table, state="NY", marital_status="widowed") == (3, 1)
    assert cell(table, state="CA", marital_status="widowed") == (4, 0)
    assert cell(table, state="CA", marital_status="divorced") == (6, 0)


def test_own_records_replace_donors() -> None:
    table = TABULATION.count(("state", "sex"), "a test")
    assert cell(table, state="CA", sex="Male") == (10, 1)


def test_modelled_views_are_modelled() -> None:
    table = TABULATION.count(("state", "marital_group"), "a test")
    assert cell(table, state="CA", marital_group="formerly_married") == (10, 0)


def test_stateless_tables_hold_all() -> None:
    table = TABULATION.count(("sex", "marital_status"), "a test")
    assert table.total == 18


def test_top_code_is_the_last_age() -> None:
    ages = np.array([87, 89, 94, 50, 88, 96], dtype=np.int16) - 18
    state = np.array([0, 0, 0, 1, 1, 1], dtype=np.int16)
    found = top_codes(PRIORS, Records({"age": ages, "state": state}, np.ones(6)))
    assert found == {"AL": TopCode(94, 90), "AK": TopCode(96, 90)}


def test_top_codes_follow_estimates() -> None:
    domain = Domain({"sex": ("Male", "Female"), "age": tuple(range(88, 94))})
    weights = np.array([[7.0, 5, 0, 0, 12, 0], [7, 5, 0, 0, 24, 0]])
    residents = pd.DataFrame(
        {"Male": [9, 9, 3, 2, 1, 0], "Female": [9, 9, 2, 2, 2, 2]}, index=range(88, 94), dtype=float
    )
    table = spread_top_codes(Marginal(domain, weights), {"NY": TopCode(92, 90)}, residents)
    assert table.weights.tolist() == [[7, 5, 6, 4, 2, 0], [7, 5, 6, 6, 6, 6]]
