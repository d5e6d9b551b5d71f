"""Table files: round trips, and refusal of invalid tables with their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from census_personas.census_priors.build.compiled import write_marginal
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.census_priors.table_file import read_marginal, table_path

pytestmark = pytest.mark.quick

DOMAIN = Domain({"sex": ("Male", "Female"), "age": (18, 19, 20)})


def csv(folder: Path, text: str) -> Path:
    path = folder / "sex-age.csv"
    path.write_text(text)
    return path


def test_missing_cells_are_zero(tmp_path: Path) -> None:
    marginal = read_marginal(csv(tmp_path, "sex,age,weight\nFemale,19,7\nMale,18,2.5\n"), DOMAIN)
    assert marginal.weights.tolist() == [[2.5, 0, 0], [0, 7, 0]]
    assert marginal.samples is None


def test_samples_are_read(tmp_path: Path) -> None:
    marginal = read_marginal(csv(tmp_path, "sex,age,weight,samples\nMale,18,2.5,1\n"), DOMAIN)
    assert marginal.samples is not None
    assert marginal.samples.sum() == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sex,age,weight\nMale,18,-1\nMale,19,1\n",
            r"weights of sex='Male', age=18 are -1.0; counts must be >= 0",
        ),
        ("sex,age,weight\nMale,18,lots\n", r"weight 'lots' is not a number"),
        ("sex,age,weight\nMale,18,inf\n", r"weights of sex='Male', age=18 are inf"),
        ("sex,age,weight\nMale,18,0\n", r"all weights are zero"),
        ("sex,age,weight\nOther,18,1\n", r"sex='Other' is not a state of the domain \(Male, Female\)"),
        ("sex,age,weight\nMale,17,1\n", r"age=17 is not a state of the domain \(18, 19, 20\)"),
        ("sex,age,weight\nMale,young,1\n", r"age="),
        ("sex,age,weight\nMale,18,1\nMale,18,2\n", r"the cell sex=Male, age=18 is given twice"),
        ("sex,weight\nMale,1\n", r"column 'age' is missing"),
        ("sex,age\nMale,18\n", r"column 'weight' is missing"),
        ("", r"cannot be read as a table"),
    ],
)
def test_bad_table_names_file_and_cell(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TableError, match=rf"(?s)sex-age\.csv.*{message}"):
        read_marginal(csv(tmp_path, text), DOMAIN)


def test_non_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sex-age.parquet").write_text("no parquet")
    with pytest.raises(TableError, match=r"sex-age.parquet: cannot be read as a table"):
        read_marginal(tmp_path / "sex-age.parquet", DOMAIN)


def test_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"sex-age.parquet: no such table, nor a .csv"):
        table_path(tmp_path, ("sex", "age"))


def test_table_may_be_written_by_hand(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    path = csv(tmp_path / "tables", "sex,age,weight\nMale,18,1\n")
    assert table_path(tmp_path, ("sex", "age")) == path


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1e9), min_size=6, max_size=6),
    st.lists(st.integers(0, 10**6), min_size=6, max_size=6),
)
def test_table_round_trip_keeps_hundredths(
    tmp_path_factory: pytest.TempPathFactory, weights: list[float], samples: list[int]
) -> None:
    shape = (2, 3)
    weights[0] += 1
    marginal = Marginal(
        DOMAIN, np.reshape(weights, shape), np.reshape(samples, shape).astype(float), "a test"
    )
    path = tmp_path_factory.mktemp("table") / "sex-age.parquet"
    write_marginal(marginal, path, {"source": "a test"})
    again = read_marginal(path, DOMAIN)
    np.testing.assert_allclose(again.weights, marginal.weights, atol=0.0051)
    there = marginal.weights > 0
    assert again.samples is not None
    assert marginal.samples is not None
    np.testing.assert_array_equal(again.samples[there], marginal.samples[there])


def test_same_table_has_the_same_bytes(tmp_path: Path) -> None:
    marginal = Marginal(DOMAIN, np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3), "a test")
    for name in ("one", "two"):
        write_marginal(marginal, tmp_path / f"{name}.parquet", {"source": "a test"})
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
