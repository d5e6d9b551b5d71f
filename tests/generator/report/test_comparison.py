from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from released import UNITED_STATES
from shipped import united_states

from census_personas.foundation.dataset_reader import columns_of, is_sample, read_frame
from census_personas.foundation.dataset_writer import frame_writer
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.schema import context_table
from census_personas.generator.report.comparison import compare
from census_personas.generator.report.people import people_of

pytestmark = pytest.mark.quick

ROLES = united_states().roles
ROWS = 400


def _file(folder: Path, name: str, seed: int, share: float = 0.5) -> Path:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "sex": np.where(rng.random(ROWS) < share, "Female", "Male"),
            "age": rng.integers(18, 60, ROWS),
            "state": rng.choice(["NY", "CA", "TX"], ROWS),
        }
    )
    frame.to_parquet(folder / name)
    return folder / name


def test_samples_of_one_population_agree(tmp_path: Path) -> None:
    one = _file(tmp_path, "one.parquet", 1)
    agreeing = 0
    for seed in range(2, 8):
        found = compare(one, _file(tmp_path, "other.parquet", seed), np.random.default_rng(0), ROLES)
        assert len(found.tables) == 6
        agreeing += sum(table.passes for table in found.tables)
        assert all(0 < table.floor < table.limit for table in found.tables)
    assert agreeing >= 35


def test_other_populations_differ_by_table(tmp_path: Path) -> None:
    found = compare(
        _file(tmp_path, "one.parquet", 1),
        _file(tmp_path, "other.parquet", 2, 0.8),
        np.random.default_rng(0),
        ROLES,
    ).as_dict()
    assert found["rows"] == [ROWS, ROWS]
    assert set(found) == {"rows", "tvd", "floor", "limit", "passes"}
    assert not found["passes"]["sex"]
    assert found["passes"]["state"]
    assert found["tvd"]["sex"] > found["limit"]["sex"] > found["floor"]["sex"]


@pytest.mark.parametrize("age", [2**63, -(10**18), float("nan"), float("inf"), "forty", 40.5, None])
def test_invalid_age_is_unknown(tmp_path: Path, age: Any) -> None:
    ages = pa.array([age, age], pa.uint64() if age == 2**63 else None)
    pq.write_table(pa.table({"sex": ["Male", "Male"], "age": ages}), tmp_path / "x.parquet")
    assert list(people_of(tmp_path / "x.parquet", ("sex", "age"))) == ["sex"]
    compare(tmp_path / "x.parquet", tmp_path / "x.parquet", np.random.default_rng(0), ROLES)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([["Male"], ["Female"]]), r"column 'sex' holds list<.*> where one value is needed"),
        (pa.array([{"a": 1}, {"a": 2}]), r"column 'sex' holds struct<a: int64> where one value is needed"),
        (pa.nulls(2), r"no row has a value in sex"),
        (pa.array([], pa.string()), r"has no rows"),
    ],
)
def test_uncountable_facts_are_one_error(tmp_path: Path, column: pa.Array, message: str) -> None:
    pq.write_table(pa.table({"sex": column}), tmp_path / "x.parquet")
    with pytest.raises(DatasetError, match=message):
        people_of(tmp_path / "x.parquet", ("sex", "age"))


def test_dataset_without_known_columns_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"price": [1]}), tmp_path / "x.parquet")
    with pytest.raises(
        DatasetError, match=r"none of the columns that the census has \(sex, age\); .* are price"
    ):
        people_of(tmp_path / "x.parquet", ("sex", "age"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no rows"),
        ('{"age": 30}\n{"age": "forty"}\n', "column 'age' holds values of two kinds"),
        ('{"age": 9223372036854775808}', "two kinds"),
    ],
)
def test_invalid_lines_are_one_error(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        people_of(tmp_path / "x.jsonl", ("sex", "age"))


def test_duplicate_columns_and_bad_text_are_one_error(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("sex,age,sex\nMale,30,Female\n")
    with pytest.raises(DatasetError, match=r"x\.csv: duplicate column 'sex'; rename one"):
        people_of(tmp_path / "x.csv", ("sex", "age"))
    twins = pa.Table.from_arrays([pa.array([30]), pa.array([31])], names=["age", "age"])
    pq.write_table(twins, tmp_path / "x.parquet")
    with pytest.raises(DatasetError, match=r"x\.parquet: duplicate column 'age'"):
        people_of(tmp_path / "x.parquet", ("sex", "age"))
    no_text = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    pq.write_table(pa.table({"sex": no_text}), tmp_path / "x.parquet")
    with pytest.raises(DatasetError, match=r"x\.parquet: cannot be read as a dataset \(Invalid UTF8"):
        people_of(tmp_path / "x.parquet", ("sex", "age"))


def test_only_samples_have_the_sample_footer(tmp_path: Path) -> None:
    frame = pd.DataFrame({"uuid": ["u"], "sex": ["Male"], "age": [30]})
    for name in ("x.parquet", "x.csv"):
        with frame_writer(
            tmp_path / name,
            context_table("nemotron", {"uuid": "text", "sex": "text", "age": "integer"}, UNITED_STATES),
            {},
        ) as write:
            write(frame)
    assert (is_sample(tmp_path / "x.parquet"), is_sample(tmp_path / "x.csv")) == (True, False)
    frame.to_parquet(tmp_path / "y.parquet")
    assert not is_sample(tmp_path / "y.parquet")
    assert columns_of(tmp_path / "x.csv") == ("uuid", "sex", "age")
    assert read_frame(tmp_path / "x.csv", ("age",))["age"].tolist() == [30]
