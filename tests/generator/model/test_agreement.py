"""Tables that disagree or lack people: the fit follows what the locale declares."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
import yaml

from census_personas.census_priors.priors import Priors
from census_personas.generator.cli import priors as commands
from census_personas.generator.model.fitting import FitError
from census_personas.generator.model.network_fit import fit_network
from census_personas.generator.population.population import Population

pytestmark = pytest.mark.quick

Toy = Callable[..., Path]
Change = Callable[[pd.DataFrame], pd.DataFrame]

SMALL: dict[str, Any] = {
    "tables": {"census": [["region", "sex"]], "older": [["sex", "status"]]},
    "sources": {
        name: dict.fromkeys(("publisher", "title", "vintage", "universe", "url", "licence"), "x")
        for name in ("census", "older")
    },
    "model": {
        "core": ["region", "sex"],
        "conditionals": [{"child": "status", "parents": ["sex"]}],
    },
}
"""Regions and sexes of one source, status by sex of another."""


@pytest.fixture
def small(toy_locale: Toy, tmp_path: Path) -> Callable[..., Path]:
    """Make a small toy locale with changed tables and declaration: `small({"sex-status": change}, agreement=.1)`."""

    def write(tables: dict[str, Change], core: bool = False, **declared: Any) -> Path:
        model = SMALL["model"] | ({"core": ["region", "sex", "status"], "conditionals": []} if core else {})
        folder = toy_locale(tmp_path / "toy", SMALL | {"model": model} | declared)
        for name, change in tables.items():
            path = folder / "tables" / f"{name}.csv"
            change(pd.read_csv(path)).to_csv(path, index=False)
        return folder

    return write


def more_men(by: float) -> Change:
    """Return a change that moves a share of all people from women to men."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        share = frame.groupby("sex")["weight"].sum() / frame["weight"].sum()
        factor = frame["sex"].map({"Male": 1 + by / share["Male"], "Female": 1 - by / share["Female"]})
        return frame.assign(weight=frame["weight"] * factor)

    return change


def men(folder: Path) -> float:
    priors = Priors.load(folder)
    population = Population(priors, fit_network(priors))
    return float(population.marginal("sex").weights[priors.domain.code("sex", "Male")])


def counted(folder: Path, table: str) -> float:
    frame = pd.read_csv(folder / "tables" / f"{table}.csv")
    return float(frame[frame["sex"] == "Male"]["weight"].sum() / frame["weight"].sum())


def test_contradicting_full_counts_are_refused(
    small: Callable[..., Path],
) -> None:
    folder = small({"sex-status": more_men(0.08)}, core=True, agreement=0.05)
    with pytest.raises(
        FitError, match=r"core: tables disagree.*`priority` of the source.*larger `agreement`"
    ):
        fit_network(Priors.load(folder))


def test_agreeing_full_counts_meet_in_their_mean(
    small: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    folder = small({"sex-status": more_men(0.08)}, core=True, agreement=0.1)
    mean = (counted(folder, "region-sex") + counted(folder, "sex-status")) / 2
    with caplog.at_level(logging.WARNING):
        assert men(folder) == pytest.approx(mean, abs=1e-3)
    assert "reconciled by their mean, as none has a priority" in caplog.text


@pytest.mark.parametrize("first", ["census", "older"])
def test_highest_priority_decides(small: Callable[..., Path], first: str) -> None:
    sources = SMALL["sources"] | {first: SMALL["sources"][first] | {"priority": 3}}
    folder = small({"sex-status": more_men(0.08)}, core=True, sources=sources)
    table = "region-sex" if first == "census" else "sex-status"
    assert men(folder) == pytest.approx(counted(folder, table), abs=1e-3)


def test_priority_beats_a_full_count(small: Callable[..., Path]) -> None:
    sources = SMALL["sources"] | {"older": SMALL["sources"]["older"] | {"priority": 1}}
    folder = small(
        {"sex-status": lambda frame: more_men(0.08)(frame).assign(samples=1_000_000)},
        core=True,
        sources=sources,
    )
    assert men(folder) == pytest.approx(counted(folder, "sex-status"), abs=1e-3)


@pytest.fixture
def checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[Path], dict[str, str]]:
    """Return the verdicts of `personas priors check` by question."""
    monkeypatch.setenv("PERSONAS_CACHE", str(tmp_path / "cache"))

    def check(folder: Path) -> dict[str, str]:
        with suppress(typer.Exit):
            commands.check(locale=str(folder), as_json=True)
        verdicts = json.loads(capsys.readouterr().out)["verdicts"]
        return {item["name"]: ("" if item["passed"] else "WRONG ") + item["found"] for item in verdicts}

    return check


def test_check_names_the_deciding_source(
    small: Callable[..., Path], checked: Callable[[Path], dict[str, str]]
) -> None:
    sources = SMALL["sources"] | {"older": SMALL["sources"]["older"] | {"priority": 1}}
    folder = small({"sex-status": more_men(0.08)}, core=True, sources=sources, agreement=0.1)
    said = checked(folder)
    assert said["where sources differ, priorities say which decides"] == "older decides over census"
    assert not any(found.startswith("WRONG") for found in said.values())


def test_check_fails_where_the_fit_would(
    small: Callable[..., Path], checked: Callable[[Path], dict[str, str]]
) -> None:
    said = checked(small({"sex-status": lambda frame: frame[frame["sex"] == "Male"]}, agreement=0.9))
    assert "sex-status.csv: nobody with sex=Female" in said["a model can be fitted to the tables"]
    assert said["a model can be fitted to the tables"].startswith("WRONG ")


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame[frame["sex"] == "Male"],
        lambda frame: frame.assign(weight=frame["weight"].where(frame["sex"] == "Male", 0)),
    ],
    ids=["left out", "of weight zero"],
)
def test_parent_state_without_data_is_refused(small: Callable[..., Path], change: Change) -> None:
    with pytest.raises(FitError) as caught:
        fit_network(Priors.load(small({"sex-status": change})))
    said = str(caught.value)
    assert "tables/sex-status.csv: nobody with sex=Female" in said
    assert "so status is unknown there" in said
    assert "back_off: [sex]" in said


def test_parent_combination_without_data_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "pairs", pairs())
    cut(folder)
    with pytest.raises(FitError, match=r"nobody with region=west, sex=Male \(.* of the people\)"):
        fit_network(Priors.load(folder))


def pairs(**status: Any) -> dict[str, Any]:
    tables = {"census": [["region", "sex"], ["region", "sex", "status"]]}
    child = {"child": "status", "parents": ["region", "sex"], **status}
    return {"tables": tables, "model": {"core": ["region", "sex"], "conditionals": [child]}}


def cut(folder: Path) -> None:
    path = folder / "tables" / "region-sex-status.csv"
    frame = pd.read_csv(path)
    frame[(frame["region"] != "west") | (frame["sex"] != "Male")].to_csv(path, index=False)


def test_back_off_pools_cells_without_data(
    toy_locale: Toy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = toy_locale(tmp_path / "pairs", pairs(back_off=["region"]))
    cut(folder)
    priors = Priors.load(folder)
    with caplog.at_level(logging.WARNING):
        population = Population(priors, fit_network(priors))
    frame = pd.read_csv(folder / "tables" / "region-sex-status.csv")
    others = frame[frame["sex"] == "Male"].groupby("status")["weight"].sum()
    found = population.marginal("status", where={"region": "west", "sex": "Male"}).weights
    expected = others.reindex(priors.domain["status"]).to_numpy() / others.sum()
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert "their distribution is pooled over region" in caplog.text


def test_empty_back_off_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "pairs", pairs(back_off=["region"]))
    path = folder / "tables" / "region-sex-status.csv"
    frame = pd.read_csv(path)
    frame[frame["sex"] == "Female"].to_csv(path, index=False)
    with pytest.raises(FitError, match="nobody with sex=Male"):
        fit_network(Priors.load(folder))


def test_refined_parent_cannot_be_dropped(toy_locale: Toy, tmp_path: Path) -> None:
    declared = yaml.safe_load((toy_locale(tmp_path / "whole") / "priors.yaml").read_text())
    declared["model"]["conditionals"][0]["back_off"] = ["age_band"]
    folder = toy_locale(tmp_path / "toy", {"model": declared["model"]})
    with pytest.raises(FitError, match="age: back_off: age_band cannot be dropped, because age refines it"):
        fit_network(Priors.load(folder))


def test_state_denied_by_one_table_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    """Even a few people, fewer than the agreement, must not vanish silently."""
    changes = {
        "tables": {"census": [["region", "sex"], ["sex", "status"], ["region", "status"]]},
        "model": {"core": ["region", "sex", "status"], "conditionals": []},
        "agreement": 0.9,
    }
    folder = toy_locale(tmp_path / "toy", changes)
    path = folder / "tables" / "region-status.csv"
    frame = pd.read_csv(path)
    frame[frame["status"] != "looking"].to_csv(path, index=False)
    with pytest.raises(
        FitError, match="tables: region-status has nobody with status=looking, but sex-status"
    ):
        fit_network(Priors.load(folder))


def test_zeros_that_leave_nobody_are_refused(toy_locale: Toy, tmp_path: Path) -> None:
    model = pairs()["model"] | {"zeros": [{"sex": ["Female", "Male"]}]}
    with pytest.raises(FitError, match="leave nobody; loosen `zeros`"):
        fit_network(Priors.load(toy_locale(tmp_path / "toy", pairs() | {"model": model})))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"zeros": [{"sex": ["X"]}]}, r"priors\.yaml: model\.zeros: unknown sex 'X'; known: Female, Male"),
        (
            {"conditionals": [{"child": "status", "parents": ["sex"], "otherwise": {"sex": {"Male": "X"}}}]},
            r"model\.conditionals\.status\.otherwise: unknown status 'X'",
        ),
    ],
)
def test_undeclared_state_is_refused(small: Callable[..., Path], change: dict[str, Any], said: str) -> None:
    with pytest.raises(FitError, match=said):
        fit_network(Priors.load(small({}, model=SMALL["model"] | change)))
