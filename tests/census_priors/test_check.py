"""Checks and published facts: the shipped locale passes, and each kind of fault is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shipped
import yaml

from census_personas.census_priors import lock
from census_personas.census_priors.check import Verdict, check
from census_personas.census_priors.declaration import DeclarationError
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.published import read_facts

EXAMPLE = Path(__file__).parents[2] / "examples" / "puerto_rico"
EN_US = shipped.united_states()
STATES = [str(state) for state in EN_US.domain["state"]]
ISLANDS = ("PR", "VI")


def verdicts(folder: Path | str) -> dict[str, Verdict]:
    return {verdict.name: verdict for verdict in check(Priors.load(folder))}


def failed(folder: Path) -> set[str]:
    return {name for name, verdict in verdicts(folder).items() if not verdict.passed}


@pytest.fixture
def example(tmp_path: Path) -> Path:
    folder = tmp_path / "locale"
    shutil.copytree(EXAMPLE, folder)
    lock.write_lock(folder)
    return folder


def test_everything_shipped_passes() -> None:
    assert [verdict for verdict in check(EN_US) if not verdict.passed] == []


def test_shipped_locale_passes() -> None:
    asked = set(verdicts("en_US"))
    assert {"bachelor's degree or higher, persons 25 and over", "65 years and over, all ages"} <= asked
    assert len(read_facts(EN_US.folder)) >= 13


def test_example_passes(example: Path) -> None:
    assert failed(example) == set()


def test_changed_table_breaks_the_lock(example: Path) -> None:
    path = example / "tables" / "sex-age.csv"
    path.write_text(path.read_text() + "\n")
    assert failed(example) == {"files are those of tables.lock"}


def test_missing_and_extra_files_are_named(example: Path) -> None:
    (example / "tables" / "sex-age.csv").rename(example / "tables" / "more.csv")
    assert lock.diff_lock(example) == [
        "tables/sex-age.csv: is locked and missing",
        "tables/more.csv: is not in tables.lock",
    ]


def test_lock_is_read_by_sha256sum(example: Path) -> None:
    line = (example / "tables.lock").read_text().splitlines()[0]
    digest, name = line.split("  ")
    assert len(digest) == 64
    assert (example / name).is_file()


def test_bad_cell_is_found(example: Path) -> None:
    path = example / "tables" / "sex-age.csv"
    path.write_text(path.read_text().replace("Male,25,", "Male,25,-", 1))
    found = verdicts(example)["tables can be read and have no bad cell"]
    assert not found.passed
    assert "sex='Male', age=25" in found.found
    assert failed(example) > {"tables can be read and have no bad cell"}


def test_contradicting_tables_are_found(example: Path) -> None:
    path = example / "tables" / "sex-age_group-education_level.csv"
    frame = pd.read_csv(path)
    frame["weight"] = frame["weight"] * frame["sex"].map({"Male": 1.01, "Female": 1.0})
    frame.to_csv(path, index=False)
    found = verdicts(example)["tables agree on the margins that they share"]
    assert not found.passed
    assert "sex-age_band-marital_status and sex-age_group-education_level differ by" in found.found


def test_structural_zeros_are_checked(example: Path) -> None:
    path = example / "priors.yaml"
    values = yaml.safe_load(path.read_text())
    values["model"]["zeros"] = [{"labor_force_status": ["employed"], "age_band": ["75+"]}]
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    found = verdicts(example)["structural zeros have no persons"]
    assert not found.passed
    assert "sex-age_band-labor_force_status" in found.found


def test_wrong_published_figure_fails(example: Path) -> None:
    path = example / "published.yaml"
    path.write_text(path.read_text().replace("2288030", "2298030"))
    assert failed(example) == {"residents 25 and over"}


def test_unreadable_facts_are_refused(example: Path) -> None:
    (example / "published.yaml").write_text("facts: [{name: x, value: -1}]")
    with pytest.raises(DeclarationError, match=r"published.yaml: .*facts.0.value"):
        read_facts(example)


def of_adults(**chosen: tuple[str, ...]) -> float:
    """Count persons of the 51 areas in the shipped tables."""
    attributes = ("state", *chosen)
    weights = EN_US.marginal(attributes).weights
    index = [[STATES.index(state) for state in STATES if state not in ISLANDS]]
    index += [[EN_US.domain.code(name, state) for state in states] for name, states in chosen.items()]
    return float(weights[np.ix_(*index)].sum())


def test_adults_match_the_census_bureau() -> None:
    """Universe 18 and over, 51 areas: 267.2 M adults."""
    assert of_adults() == pytest.approx(267.2e6, abs=0.05e6)


def test_degrees_match_the_census_bureau() -> None:
    """Universe 25 and over: 36.9 % have a bachelor's degree or more."""
    grown = tuple(str(band) for band in EN_US.domain["age_band"][3:])
    assert grown[0] == "25-29"
    degrees = of_adults(age_band=grown, education_level=("bachelors", "graduate"))
    assert degrees / of_adults(age_band=grown) == pytest.approx(0.369, abs=0.001)


def test_full_tables_share_one_total() -> None:
    whole = [EN_US.table(names).total for _, names in EN_US.tables if EN_US.universe(names) == "everybody"]
    assert len(whole) > 90
    assert max(whole) - min(whole) < 1000


def test_tables_have_provenance() -> None:
    facts = yaml.safe_load((EN_US.folder / "provenance.yaml").read_text(encoding="utf-8"))
    for _, names in EN_US.tables:
        table = facts["tables"]["-".join(names)]
        assert set(table["sources"]) <= set(facts["sources"])
        assert table["persons"] == pytest.approx(EN_US.table(names).total, abs=1)
        modelled = {state for state in STATES if EN_US.basis(names, state) == "modelled"}
        assert set(table["modelled_areas"].split()) == modelled
    for path in (EN_US.folder / "lookups").iterdir():
        assert facts["lookups"][path.stem]["file"] == f"lookups/{path.name}"
    for source in facts["sources"].values():
        assert all(source[key] for key in ("publisher", "title", "vintage", "universe", "url", "licence"))
        assert all(len(digest) == 64 for digest in source["sha256"].values())
