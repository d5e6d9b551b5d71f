"""Geography builder: the fit inside a state, the classes, and what it reads."""

from pathlib import Path

import numpy as np
import pytest

from census_personas.census_priors.build.en_US.geography import (
    SOURCES,
    build_geography,
    ethnicity_by_education,
    urbanicity,
)
from census_personas.census_priors.build.en_US.pums import read_records
from census_personas.census_priors.build.en_US.tilt import PRIOR_PERSONS, fit_tilt
from census_personas.census_priors.build.source import SourceError
from census_personas.census_priors.priors import Priors

ADULTS = np.array([[900.0, 50.0, 0.0], [100.0, 700.0, 300.0]])
SCHOOLING = np.array([[400.0, 500.0, 250.0], [600.0, 250.0, 50.0]])
JOINT = np.array([[3000.0, 6000.0], [8000.0, 3500.0]])


def fitted(adults: np.ndarray, joint: np.ndarray, u: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The three-way table that u and g stand for, scaled to the (ethnicity, education) margin."""
    smoothed = joint + PRIOR_PERSONS * joint.sum(axis=0) / joint.sum()
    wanted = smoothed / smoothed.sum(axis=1, keepdims=True) * adults.sum(axis=1, keepdims=True)
    table = np.einsum("ec,ec,kc->ekc", adults, u, g)
    scaled: np.ndarray = table / table.sum(axis=2, keepdims=True) * wanted[:, :, None]
    return scaled


def test_tilt_keeps_ethnicity_margins() -> None:
    table = fitted(ADULTS, JOINT, *fit_tilt(ADULTS, SCHOOLING, JOINT))
    np.testing.assert_allclose(table.sum(axis=1), ADULTS, rtol=1e-6, atol=1e-6)


def test_tilt_meets_county_education() -> None:
    table = fitted(ADULTS, JOINT, *fit_tilt(ADULTS, SCHOOLING, JOINT)).sum(axis=0)
    odds = table[1] / table[0]
    asked = SCHOOLING[1] / SCHOOLING[0]
    np.testing.assert_allclose(odds / odds[0], asked / asked[0], rtol=1e-3)


def test_no_records_mean_independence() -> None:
    adults = np.array([[900.0, 500.0, 100.0], [200.0, 700.0, 300.0]])
    state = SCHOOLING.sum(axis=1)
    table = fitted(adults, np.stack([state, state]), *fit_tilt(adults, SCHOOLING, None))
    np.testing.assert_allclose(table.sum(axis=1), adults, rtol=1e-6)
    by_education = table.sum(axis=2)
    np.testing.assert_allclose(
        by_education[0, 0] / by_education[0, 1], by_education[1, 0] / by_education[1, 1]
    )


def test_bad_margins_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    fit_tilt(ADULTS, SCHOOLING, None)
    assert "contradict each other" in caplog.text


def test_empty_county_is_harmless() -> None:
    wider = np.hstack([ADULTS, np.zeros((2, 1))]), np.hstack([SCHOOLING, np.zeros((2, 1))])
    u, g = fit_tilt(*wider, JOINT)
    assert np.isfinite(u).all()
    assert np.isfinite(g).all()
    np.testing.assert_allclose(
        u[:, :3] * g[0, :3], np.prod(np.broadcast_arrays(*_first(ADULTS)), axis=0), rtol=1e-6
    )


def _first(adults: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, g = fit_tilt(adults, SCHOOLING, JOINT)
    return u, g[0]


@pytest.mark.parametrize(
    ("ruca", "rucc", "density", "expected"),
    [
        (1, 1, 20_000, "urban"),
        (1, 1, 1_000, "suburban"),
        (2, 1, 50, "rural"),
        (1, 1, np.nan, "suburban"),
        (2, 1, np.nan, "rural"),
        (4, 5, 40, "town"),
        (5, 5, 40, "rural"),
        (5, 5, 400, "town"),
        (10, 9, 5_000, "rural"),
        (99, 1, np.nan, "suburban"),
        (np.nan, 5, np.nan, "town"),
        (np.nan, 9, np.nan, "rural"),
    ],
)
def test_urbanicity_follows_density(ruca: float, rucc: float, density: float, expected: str) -> None:
    assert urbanicity(ruca, rucc, density) == expected


PERSONS = """SERIALNO,STATE,PWGTP,AGEP,SEX,RAC1P,HISP,CIT,SCHL
1,6,10,40,1,1,2,4,21
2,6,20,30,2,7,1,1,16
3,6,5,24,2,1,1,1,16
4,36,7,50,1,8,1,2,3
"""
NEEDED = ("state", "age", "ethnicity", "education_level")


def test_missing_file_is_named(tmp_path: Path) -> None:
    priors = Priors.load("en_US")
    (tmp_path / "psam_p06.csv").write_text(PERSONS)
    records = read_records(tmp_path, priors, NEEDED)
    with pytest.raises(SourceError, match=r"zip_table.parquet: no such file"):
        build_geography(tmp_path, records, priors, tmp_path)


def test_education_counts_25_and_over(tmp_path: Path) -> None:
    priors = Priors.load("en_US")
    (tmp_path / "psam_p06.csv").write_text(PERSONS)
    tables = ethnicity_by_education(read_records(tmp_path, priors, NEEDED), priors)
    assert tables.keys() == {"CA", "NY"}
    assert tables["CA"][0].tolist() == [0, 0, 10]
    assert tables["CA"][5].tolist() == [20, 0, 0]
    assert tables["CA"].sum() == 30
    assert tables["NY"][6].tolist() == [7, 0, 0]


def test_every_source_states_its_origin() -> None:
    for source in SOURCES:
        assert source.publisher
        assert source.vintage
        assert source.universe
        assert source.url.startswith("https://")
