"""Hostile locales: each is refused in one line with file, place and remedy, without hanging or filling memory."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from census_personas.census_priors.check import Verdict, check
from census_personas.census_priors.declaration import DeclarationError
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.table_file import MOST_CELLS, read_marginal, table_path

pytestmark = pytest.mark.quick

EXAMPLE = Path(__file__).parents[2] / "examples" / "puerto_rico"
DOMAIN = Domain({"sex": ("Male", "Female"), "age": (18, 19)})
SEX, AGE, WEIGHT = pa.array(["Male", "Female"]), pa.array([18, 19]), pa.array([1.0, 2.0])
NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
COUNTED = "every state of the model is counted by a table"

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def locale(tmp_path: Path) -> Callable[[Change], Path]:
    """Load the example with a change in its priors.yaml."""

    def write(change: Change) -> Path:
        folder = tmp_path / "locale"
        shutil.copytree(EXAMPLE, folder)
        declared = yaml.safe_load((folder / "priors.yaml").read_text(encoding="utf-8"))
        change(declared)
        (folder / "priors.yaml").write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
        return folder

    return write


def verdict(folder: Path, name: str) -> Verdict:
    return next(verdict for verdict in check(Priors.load(folder)) if verdict.name == name)


def refusal(path: Path, domain: Domain = DOMAIN) -> str:
    started = time.monotonic()
    with pytest.raises(TableError) as caught:
        read_marginal(path, domain)
    assert time.monotonic() - started < 5
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path), Path.mkdir],
    ids=["a pipe", "a device", "a link to itself", "a folder"],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_irregular_files_are_refused(tmp_path: Path, make: Callable[[Path], object], suffix: str) -> None:
    (tmp_path / "tables").mkdir()
    make(tmp_path / "tables" / f"sex{suffix}")
    with pytest.raises(TableError, match=rf"sex\{suffix}: is not a regular file"):
        table_path(tmp_path, ("sex",))


def test_digest_reads_regular_files_only(locale: Callable[[Change], Path]) -> None:
    folder = locale(dict)
    os.mkfifo(folder / "tables" / "pipe")
    with pytest.raises(TableError, match="tables/pipe: is not a regular file"):
        _ = Priors.load(folder).digest


def test_oversized_table_is_refused(tmp_path: Path) -> None:
    wide = Domain({f"a{number}": tuple(range(10_000)) for number in range(7)})
    assert wide.size == 10**28
    path = tmp_path / "wide.csv"
    path.write_text(",".join([*wide, "weight"]) + "\n" + "1," * 7 + "1\n")
    assert f"GiB; one has at most {MOST_CELLS:,}" in refusal(path, wide)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sex;age;weight\nMale;18;1\n", "separate columns by commas, not ';'"),
        ("sex,sex,age,weight\nMale,Male,18,1\n", "duplicate column 'sex'"),
        ("sex,age,weight\n" + "M" * 1_000_000, f"sex='{'M' * 60}' is not a state"),
        ("sex,age,weight\nMale,18,1e308\nFemale,18,1e308\n", "weights are too large to add up"),
        ('sex,age,weight\n"Male,18,1\n', "cannot be read as a table"),
        ("sex,age,weight\nMa\0le,18,1\n", "is not a state"),
        ("sex,age,weight\n" + "Male,18,1\n" * 100_000, "the cell sex=Male, age=18 is given twice"),
    ],
)
def test_hostile_csv_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "sex-age.csv"
    path.write_text(text, encoding="utf-8")
    assert said in refusal(path)


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "sex-age.csv"
    path.write_text("sex,age,weight\nMale,18,1\n", encoding="utf-8-sig")
    assert read_marginal(path, DOMAIN).total == 1


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"weight": pa.array([[1.0], [2.0]])}, "column 'weight' holds list<element: double>, not numbers"),
        ({"weight": pa.array([NOON, NOON])}, "column 'weight' holds timestamp[us, tz=UTC], not numbers"),
        ({"weight": pa.nulls(2)}, "column 'weight' holds null, not numbers"),
        ({"weight": pa.array([float("nan"), 1.0])}, "weights of sex='Male', age=18 are nan"),
        ({"age": pa.array([NOON, NOON])}, "age=2024-01-01 12:00:00+00:00 is not a state"),
        ({"sex": pa.array([{"a": 1}, {"a": 2}])}, "is not a state"),
        ({"sex": pa.array([b"Male", b"\xff"])}, "is not a state"),
    ],
)
def test_odd_parquet_types_are_one_line(tmp_path: Path, columns: dict[str, Any], said: str) -> None:
    path = tmp_path / "sex-age.parquet"
    pq.write_table(pa.table({"sex": SEX, "age": AGE, "weight": WEIGHT} | columns), path)
    assert said in refusal(path)


def test_harmless_oddities_are_read(tmp_path: Path) -> None:
    path = tmp_path / "sex-age.parquet"
    table = pa.table({"sex": SEX.dictionary_encode(), "age": AGE.dictionary_encode(), "weight": WEIGHT})
    nested = table.append_column("beside", pa.array([{"a": [1]}, {"a": [2]}]))
    pq.write_table(nested.replace_schema_metadata({"pandas": "junk"}), path)
    assert read_marginal(path, DOMAIN).weights.tolist() == [[1, 0], [0, 2]]


def test_parquet_without_rows_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "sex-age.parquet"
    pq.write_table(pa.table({"sex": SEX, "age": AGE, "weight": WEIGHT}).slice(0, 0), path)
    assert "all weights are zero" in refusal(path)


def test_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path, rows = tmp_path / "sex-age.parquet", 3_000_000
    many = {
        name: pa.repeat(column[0], rows) for name, column in (("sex", SEX), ("age", AGE), ("weight", WEIGHT))
    }
    pq.write_table(pa.table(many), path)
    assert path.stat().st_size < 100_000
    assert "3,000,000 rows for 4 cells, so some are given twice" in refusal(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda d: d["model"]["conditionals"].insert(0, {"child": "occupation", "parents": ["age"]}),
            "model.conditionals.occupation: its parent age is not given before it",
        ),
        (
            lambda d: d["model"]["conditionals"][1]["parents"].append("occupation"),
            "parents of occupation: name each once, and not occupation itself",
        ),
        (
            lambda d: d["model"]["conditionals"].append({"child": "sex", "parents": ["age"]}),
            "model.conditionals.sex: sex is given twice, by sex already",
        ),
        (lambda d: d["model"]["core"].append("age_group"), "age_group is given twice, by age_band already"),
        (
            lambda d: d["model"]["conditionals"][0].update(parents=["sex"]),
            "age refines age_band, which is given before it and might contradict it",
        ),
        (
            lambda d: d["model"]["conditionals"][0].update(back_off=["occupation"]),
            "back_off: 'occupation' is not a parent of age: age_band, sex",
        ),
        (lambda d: d["tables"]["acs_2018"].append(["sex", "age"]), "tables: sex-age is declared twice"),
        (lambda d: d["model"].update(zeros=[{"shoe": ["a"]}]), "model.zeros: unknown attribute 'shoe'"),
        (lambda d: d["model"].update(zeros=[{}]), "model.zeros.0: Dictionary should have at least 1 item"),
        (lambda d: d["sources"]["acs_2018"].update(priority=-1), "sources.acs_2018.priority"),
        (lambda d: d["sources"]["acs_2018"].update(design_effect=float("inf")), "design_effect"),
        (lambda d: d.update(agreement=float("nan")), "agreement"),
        (lambda d: d["attributes"]["sex"]["states"].update({"": "none"}), "a state has no name"),
        (
            lambda d: d["attributes"]["sex"].update(states={f"s{i}": "x" for i in range(10_001)}),
            "states: 10,001 states; an attribute has at most 10000",
        ),
    ],
)
def test_invalid_graph_or_number_is_refused(
    locale: Callable[[Change], Path], change: Change, said: str
) -> None:
    with pytest.raises(DeclarationError) as caught:
        Priors.load(locale(change))
    assert said in str(caught.value)
    assert "priors.yaml: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_uncounted_state_is_named(locale: Callable[[Change], Path]) -> None:
    folder = locale(lambda d: d["attributes"]["marital_status"]["states"].update(partnered="with a partner"))
    found = verdict(folder, COUNTED)
    assert not found.passed
    assert "no table counts anybody with marital_status=partnered" in found.found
    assert "zeros: [{marital_status: [partnered]}]" in found.found


def test_empty_state_needs_no_count(locale: Callable[[Change], Path]) -> None:
    def change(declared: dict[str, Any]) -> None:
        declared["attributes"]["marital_status"]["states"]["partnered"] = "with a partner"
        declared["model"]["zeros"] = [{"marital_status": ["partnered"]}]

    assert verdict(locale(change), COUNTED).passed


def test_core_needs_a_table(locale: Callable[[Change], Path]) -> None:
    found = verdict(locale(lambda d: d["tables"]["acs_2018"].pop(0)), COUNTED)
    assert "no table has marital_status, which is in the model" in found.found


def test_adults_are_declared_or_counted(locale: Callable[[Change], Path]) -> None:
    assert Priors.load(EXAMPLE).adults == 2_288_030
    folder = locale(lambda d: d.update(adults=5))
    assert Priors.load(folder).adults == 5
    (folder / "priors.yaml").write_text((EXAMPLE / "priors.yaml").read_text(encoding="utf-8"))
    for path in (folder / "tables").iterdir():
        frame = pd.read_csv(path)
        frame.assign(weight=frame["weight"] / frame["weight"].sum()).to_csv(path, index=False)
    assert Priors.load(folder).adults is None


def test_marginal_becomes_a_tidy_frame() -> None:
    marginal = Priors.load(EXAMPLE).marginal(("sex", "age"))
    frame = marginal.to_pandas()
    assert [*frame.columns] == ["sex", "age", "weight", "sample_size"]
    assert frame["weight"].to_numpy().reshape(marginal.domain.shape).tolist() == marginal.weights.tolist()
    assert frame["sex"].cat.categories.tolist() == ["Male", "Female"]
    assert frame["age"].dtype.kind == "i"
    assert frame["sample_size"].isna().all()
    sampled = Marginal(DOMAIN, marginal.weights[:, :2], marginal.weights[:, :2]).to_pandas()
    assert sampled["sample_size"].tolist() == sampled["weight"].tolist()


def test_single_attribute_may_be_a_string() -> None:
    priors = Priors.load(EXAMPLE)
    one = priors.marginal("sex")
    assert one.domain.attributes == ("sex",)
    assert priors.marginal(("sex", "age")).project("sex").total == pytest.approx(one.total)
